/** Post-quantum accounts and transactions for tests: keys from fixed seeds, deterministic signatures by noble. */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import { openPqKey, type PqKey, pqAddress } from "../../src/crypto/pqAccounts.ts";
import { pqAlgorithm } from "../../src/crypto/pqAlgorithms.ts";
import type { MlDsaName } from "../../src/crypto/pqKeys.ts";
import { type Bytes, EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import { type Address, hexToBytes, parseAddress } from "../../src/primitives/hex.ts";
import type { Rules } from "../../src/types/forks.ts";
import { type Genesis, parseGenesis } from "../../src/types/genesis.ts";
import type { PqSender, Transaction, TransactionFields } from "../../src/types/transaction.ts";
import { encodeTransaction, signingDigest } from "../../src/types/transactionCodec.ts";
import { PQ_TYPE } from "../../src/types/transactionTypes.ts";
import { networkText } from "./chains.ts";

/** A key that signs the same message in the same way every time. */
export interface PqAccount extends PqSender {
  readonly address: Address;
  sign(message: Bytes, context: Bytes): Bytes;
}

const SCHEMES = {
  "ML-DSA-44": ml_dsa44,
  "ML-DSA-65": ml_dsa65,
  "ML-DSA-87": ml_dsa87,
} as const;

export const TRANSACTION_CONTEXT = new TextEncoder().encode("QNet/tx/1");

/** Seeds of the first two ML-DSA-44 accounts of "test test … junk". */
export const PQ_SEEDS: readonly [Bytes, Bytes] = [
  hexToBytes("0x787f747b571a3511deac4d045a7876ae2349f45b9f9f4e3a6ee40342313a963f"),
  hexToBytes("0x956ffb9fbc566009dc5017cf3ee850a9b59867ffe118762008c9af578f893ddf"),
];

/** The account of a 32-byte seed. */
export function pqAccount(seed: Bytes, name: MlDsaName = "ML-DSA-44"): PqAccount {
  const scheme = SCHEMES[name];
  const { publicKey, secretKey } = scheme.keygen(seed);
  const algorithm = pqAlgorithm(name);
  return {
    algorithm,
    publicKey,
    address: pqAddress(name, publicKey),
    sign: (message, context) => scheme.sign(message, secretKey, { context, extraEntropy: false }),
  };
}

/** Fields of the known answer: account 0 of a development chain sends one ether. */
export const PQ_FIELDS: TransactionFields = {
  type: PQ_TYPE,
  chainId: 31_337n,
  nonce: 0n,
  maxPriorityFeePerGas: 1_000_000_000n,
  maxFeePerGas: 3_000_000_000n,
  gasLimit: 100_000n,
  to: parseAddress("0x70997970c51812dc3a010c7d01b50e0d17dc79c8"),
  value: 10n ** 18n,
  data: EMPTY_BYTES,
  accessList: [],
  maxFeePerBlobGas: 0n,
  blobVersionedHashes: [],
  authorizationList: [],
};

/** The transaction with these fields, signed by `account`. */
export function signPq(account: PqAccount, fields: Partial<TransactionFields> = {}): Transaction {
  const { algorithm, publicKey } = account;
  const full = { ...PQ_FIELDS, ...fields, pqSender: { algorithm, publicKey } };
  return encodeTransaction(full, account.sign(signingDigest(full), TRANSACTION_CONTEXT));
}

/** The key of an SLH-DSA account, which signs in 0.3 s. */
export function slhDsaKey(): Promise<PqKey> {
  return openPqKey("SLH-DSA-SHA2-128s", PQ_SEEDS[0]);
}

/** The transaction with these fields, signed as a wallet does it. */
export async function signWith(
  key: PqKey,
  fields: Partial<TransactionFields> = {},
): Promise<Transaction> {
  const pqSender = { algorithm: pqAlgorithm(key.algorithm), publicKey: key.publicKey };
  const full = { ...PQ_FIELDS, ...fields, pqSender };
  return encodeTransaction(full, await key.sign(signingDigest(full), TRANSACTION_CONTEXT));
}

/** The development network without validators, with changes to its section `pqTransactions`; these accounts have 10,000 ether too. */
export function pqGenesis(
  change: Readonly<Record<string, unknown>> = {},
  funded: readonly Address[] = [],
): Genesis {
  const json = JSON.parse(networkText("devnet"));
  for (const address of funded) json.alloc[address] = { balance: "10000000000000000000000" };
  // blocks made here have no seals
  delete json.config.qnet.consensus;
  json.config.qnet.pqTransactions = { ...json.config.qnet.pqTransactions, ...change };
  return parseGenesis(json);
}

/** Rules of its block 1 at this time, in seconds. */
export function pqRules(change: Readonly<Record<string, unknown>> = {}, timestamp = 1n): Rules {
  return pqGenesis(change).config.forks.rules({ number: 1n, timestamp, difficulty: 0n });
}
