/** Chains of plain transfers for measurements: funded senders, recipients, signed transactions. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BlockDraft } from "../src/chain/buildBlock.ts";
import type { Chain } from "../src/chain/chain.ts";
import { keccak256 } from "../src/crypto/keccak.ts";
import { addressOf } from "../src/crypto/secp256k1.ts";
import { type Bytes, EMPTY_BYTES } from "../src/primitives/bytes.ts";
import { type Address, bytesToAddress, ZERO_ADDRESS, ZERO_HASH } from "../src/primitives/hex.ts";
import type { Genesis } from "../src/types/genesis.ts";
import { rememberSender } from "../src/types/sender.ts";
import { signTransaction } from "../src/types/transactionCodec.ts";

const root = join(import.meta.dirname, "..");
export const SENDERS = 100;
/** Room for blocks of 95,000 transfers. */
const GAS_LIMIT = "0x77359400";
const BALANCE = `0x${(10n ** 24n).toString(16)}`;

const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);
const accounts: { readonly key: Bytes; readonly address: Address }[] = [];

/** The sender of this number: always the same. */
function senderAt(index: number) {
  for (let i = accounts.length; i <= index; i++) {
    const key = keccak256(bytesOf(`bench-sender:${i}`));
    accounts.push({ key, address: addressOf(key) });
  }
  const account = accounts[index];
  if (account === undefined) throw new RangeError(`no sender ${index}`);
  return account;
}

const MINER = bytesToAddress(keccak256(bytesOf("bench-miner")).subarray(12));

export function recipientsOf(count: number): Address[] {
  return Array.from({ length: count }, (_, i) =>
    bytesToAddress(keccak256(bytesOf(`bench-recipient:${i}`)).subarray(12)),
  );
}

/** The forks and system contracts of the devnet as a plain Ethereum chain, and funded senders. */
export function genesisText(senders = SENDERS): string {
  const devnet = JSON.parse(readFileSync(join(root, "genesis/devnet.json"), "utf8"));
  delete devnet.config.qnet;
  const funded = Object.fromEntries(
    Array.from({ length: senders }, (_, i) => [senderAt(i).address, { balance: BALANCE }]),
  );
  const alloc = { ...devnet.alloc, ...funded };
  return JSON.stringify({ ...devnet, gasLimit: GAS_LIMIT, alloc });
}

/** A block on the head, as its producer would ask for it. */
export function draftOnHead(chain: Chain): BlockDraft {
  const { header, hash } = chain.head;
  return {
    parent: { header, hash },
    timestamp: header.timestamp + 1n,
    miner: MINER,
    prevRandao: ZERO_HASH,
    gasLimit: header.gasLimit,
    extraData: EMPTY_BYTES,
  };
}

/** Transfer number `index` of the chain: the senders take turns. */
export function transfer(
  genesis: Genesis,
  index: number,
  to: Address = ZERO_ADDRESS,
  senders = SENDERS,
) {
  const { key, address: sender } = senderAt(index % senders);
  const fields = {
    type: 2,
    chainId: genesis.config.chainId,
    nonce: BigInt(Math.floor(index / senders)),
    maxFeePerGas: 10n ** 12n,
    maxPriorityFeePerGas: 10n ** 9n,
    gasLimit: 21_000n,
    to,
    value: 1n,
    data: EMPTY_BYTES,
    accessList: [],
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: [],
    authorizationList: [],
  };
  const transaction = signTransaction(fields, key);
  // as the pool leaves it: nothing recovers a sender twice
  rememberSender(transaction, sender);
  return { transaction, sender };
}
