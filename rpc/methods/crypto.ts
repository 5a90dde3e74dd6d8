/** qnet_cryptoStatus. */
import { keccakBackend } from "../../src/crypto/keccak.ts";
import { PQ_ALGORITHMS, type PqAlgorithmName, pqAlgorithm } from "../../src/crypto/pqAlgorithms.ts";
import { PqError, type PqSelfTest, type PqStatus } from "../../src/crypto/pqVerifier.ts";
import { secp256k1Backend } from "../../src/crypto/secp256k1.ts";
import { intrinsicGas } from "../../src/execution/gas.ts";
import { EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import { ZERO_ADDRESS } from "../../src/primitives/hex.ts";
import type { Rules } from "../../src/types/forks.ts";
import type { PrecompileEntry } from "../../src/types/qnetConfig.ts";
import type { TransactionFields } from "../../src/types/transaction.ts";
import { PQ_TYPE } from "../../src/types/transactionTypes.ts";
import { address, boolean, list, quantity, text } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { defineMethod } from "../method.ts";
import { field, maybe, view } from "../objects.ts";

const TRANSFER: TransactionFields = {
  type: PQ_TYPE,
  chainId: undefined,
  nonce: 0n,
  maxFeePerGas: 0n,
  maxPriorityFeePerGas: 0n,
  gasLimit: 0n,
  to: ZERO_ADDRESS,
  value: 0n,
  data: EMPTY_BYTES,
  accessList: [],
  maxFeePerBlobGas: 0n,
  blobVersionedHashes: [],
  authorizationList: [],
};

interface AlgorithmStatus extends PqStatus {
  /** Entries of the genesis' map in force at the head. */
  readonly precompiles: readonly PrecompileEntry[];
  /** Gas of a transfer signed by it at the head; undefined: it may not sign transactions */
  readonly transferGas: bigint | undefined;
}

interface CryptoStatus {
  readonly algorithms: readonly AlgorithmStatus[];
  readonly paranoid: boolean;
  readonly tlsGroups: readonly string[];
}

const selfTestView = view<PqSelfTest>("self test", {
  backend: field(text, (test: PqSelfTest) => test.backend),
  outcome: field(text, (test) => test.outcome),
  failed: maybe(text, (test) => test.failed),
});

const transactionsView = view<{ readonly transferGas: bigint }>("transactions", {
  transferGas: field(quantity, ({ transferGas }: { readonly transferGas: bigint }) => transferGas),
});

const algorithmView = view<AlgorithmStatus>("signature algorithm", {
  name: field(text, (one: AlgorithmStatus) => one.algorithm.name),
  id: field(quantity, (one) => BigInt(one.algorithm.id)),
  publicKeyBytes: field(quantity, (one) => BigInt(one.algorithm.publicKeyBytes)),
  signatureBytes: field(quantity, (one) => BigInt(one.algorithm.signatureBytes)),
  precompiles: field(list(address), (one) => one.precompiles.map((entry) => entry.address)),
  transactions: maybe(transactionsView, ({ transferGas }) =>
    transferGas === undefined ? undefined : { transferGas },
  ),
  backend: maybe(text, (one) => one.backend),
  selfTests: field(list(selfTestView), (one) => one.selfTests),
});

const statusView = view<CryptoStatus>("crypto status", {
  algorithms: field(list(algorithmView), (status: CryptoStatus) => status.algorithms),
  paranoid: field(boolean, (status) => status.paranoid),
  secp256k1: field(text, () => secp256k1Backend),
  keccak256: field(text, () => keccakBackend),
  tlsGroups: field(list(text), (status) => status.tlsGroups),
});

async function cryptoStatus({ node, tlsGroups }: RpcContext): Promise<CryptoStatus> {
  const { chain, verifier } = node;
  const rules = chain.rulesFor(chain.head.header);
  const algorithms: AlgorithmStatus[] = [];
  for (const name of PQ_ALGORITHMS) {
    const enabled = rules.precompiles.filter(
      (entry) => entry.kind === "verify" && entry.algorithm === name,
    );
    const transferGas = transferGasOf(name, rules);
    const isUsed = enabled.length > 0 || transferGas !== undefined;
    if (isUsed) await settle(verifier.prepare(name));
    algorithms.push({ ...verifier.status(name), precompiles: enabled, transferGas });
  }
  return { algorithms, paranoid: verifier.paranoid, tlsGroups };
}

function transferGasOf(name: PqAlgorithmName, rules: Rules): bigint | undefined {
  if (!rules.pqTransactions?.verifyGas.has(name)) return undefined;
  const pqSender = { algorithm: pqAlgorithm(name), publicKey: EMPTY_BYTES };
  return intrinsicGas({ ...TRANSFER, pqSender }, rules);
}

/** A failed self test is part of the answer. */
async function settle(prepared: Promise<void>): Promise<void> {
  try {
    await prepared;
  } catch (error) {
    if (!(error instanceof PqError)) throw error;
  }
}

/** What the node's cryptography is made of. */
export const cryptoMethods = [
  defineMethod({
    name: "qnet_cryptoStatus",
    summary:
      "Tells which implementations verify signatures, how their known-answer tests went, and which groups TLS offers here, best first.",
    params: [],
    result: statusView,
    handler: (context) => cryptoStatus(context),
  }),
];
