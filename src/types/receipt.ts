/** Receipts and logs: consensus form and RLP. */
import { type Bytes, concatBytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { type Address, bytesToHash, type Hash } from "../primitives/hex.ts";
import { BLOOM_BYTES, bloomOf } from "./bloom.ts";
import {
  decodeRlp,
  encodeRlp,
  fail,
  hexItem,
  type RlpInput,
  type RlpItem,
  readAddress,
  readBytes,
  readHash,
  readList,
  readUint,
  showBytes,
  uintItem,
} from "./rlp.ts";

export interface Log {
  readonly address: Address;
  readonly topics: readonly Hash[];
  readonly data: Bytes;
}

/** A receipt as the receipts trie holds it. Everything else JSON-RPC shows is derived from block and transaction. */
export interface Receipt {
  /** EIP-2718 transaction type */
  readonly type: number;
  /** 1 success, 0 failure (EIP-658); before Byzantium the state root after the transaction instead. */
  readonly outcome: 0 | 1 | Hash;
  readonly cumulativeGasUsed: bigint;
  /** 256 bytes */
  readonly logsBloom: Bytes;
  readonly logs: readonly Log[];
}

const LEGACY_TYPE = 0;
const SUCCESS = Uint8Array.of(1);
const STATE_ROOT_BYTES = 32;
const TYPE_BITS = 8;
const EMPTY_STRING = 0x80;
const EMPTY_LIST = 0xc0;
const BLOOM_ITEM_BYTES = 3 + BLOOM_BYTES;
const LONG_LIST_HEAD_BYTES = 3;

/** What a transaction did, before it becomes a receipt. */
export type Outcome = Pick<Receipt, "type" | "outcome" | "cumulativeGasUsed" | "logs">;

/** The receipt with its filter. */
export function makeReceipt(outcome: Outcome): Receipt {
  return { ...outcome, logsBloom: bloomOf(outcome.logs) };
}

/** Consensus form: the type byte unless legacy, then RLP. Source: EIP-2718, EIP-658. */
export function encodeReceipt(receipt: Receipt): Bytes {
  if (receipt.logs.length === 0 && typeof receipt.outcome === "number")
    return encodeWithoutLogs(receipt);
  const payload = encodeRlp([
    outcomeItem(receipt.outcome),
    uintItem(receipt.cumulativeGasUsed),
    receipt.logsBloom,
    receipt.logs.map(logItems),
  ]);
  return receipt.type === LEGACY_TYPE ? payload : concatBytes(Uint8Array.of(receipt.type), payload);
}

/** The same for a plain transfer's, of which a block has thousands: written in place, 0.5 us instead of 1.6. */
function encodeWithoutLogs({ type, outcome, cumulativeGasUsed, logsBloom }: Receipt): Bytes {
  const gas = encodeRlp(uintItem(cumulativeGasUsed));
  const length = 1 + gas.length + BLOOM_ITEM_BYTES + 1;
  const typeBytes = type === LEGACY_TYPE ? 0 : 1;
  const raw = new Uint8Array(typeBytes + LONG_LIST_HEAD_BYTES + length);
  raw[0] = type;
  let at = typeBytes;
  raw[at++] = 0xf9;
  raw[at++] = length >> 8;
  raw[at++] = length;
  raw[at++] = outcome === 1 ? 1 : EMPTY_STRING;
  raw.set(gas, at);
  at += gas.length;
  raw[at++] = 0xb9;
  raw[at++] = BLOOM_BYTES >> 8;
  raw[at++] = BLOOM_BYTES & 0xff;
  raw.set(logsBloom, at);
  raw[at + BLOOM_BYTES] = EMPTY_LIST;
  return raw;
}

/** Receipt from its consensus form. Throws DecodeError. */
export function decodeReceipt(raw: Bytes): Receipt {
  const type = readType(raw);
  const payload = type === LEGACY_TYPE ? raw : raw.subarray(1);
  const [outcome, gas, bloom, logs] = readList(decodeRlp(payload, "receipt"), "receipt", 4);
  return {
    type,
    outcome: readOutcome(outcome),
    cumulativeGasUsed: readUint(gas, "receipt.cumulativeGasUsed", 64),
    logsBloom: readBytes(bloom, "receipt.logsBloom", BLOOM_BYTES),
    logs: readList(logs, "receipt.logs").map(readLog),
  };
}

/** A block's receipts for the database: without filters, which the logs tell. */
export function encodeReceiptsForStorage(receipts: readonly Receipt[]): Bytes {
  return encodeRlp(
    receipts.map(({ type, outcome, cumulativeGasUsed, logs }) => [
      uintItem(BigInt(type)),
      outcomeItem(outcome),
      uintItem(cumulativeGasUsed),
      logs.map(logItems),
    ]),
  );
}

/** A block's receipts from the database. Throws DecodeError. */
export function decodeReceiptsFromStorage(raw: Bytes): Receipt[] {
  // Written by us, so limited by the gas of a block and not by these.
  const limits = { maxDepth: 6, maxItems: Number.POSITIVE_INFINITY };
  return readList(decodeRlp(raw, "receipts", limits), "receipts").map((item) => {
    const [type, outcome, gas, logs] = readList(item, "receipts", 4);
    return makeReceipt({
      type: Number(readUint(type, "receipt.type", TYPE_BITS)),
      outcome: readOutcome(outcome),
      cumulativeGasUsed: readUint(gas, "receipt.cumulativeGasUsed", 64),
      logs: readList(logs, "receipt.logs").map(readLog),
    });
  });
}

function readType(raw: Bytes): number {
  const first = raw[0] ?? 0;
  if (first >= 0xc0) return LEGACY_TYPE;
  if (first === LEGACY_TYPE || first > 0x7f)
    fail("UNKNOWN_TYPE", {
      where: "receipt",
      expected: "a list or a transaction type",
      got: showBytes(raw),
    });
  return first;
}

function outcomeItem(outcome: Receipt["outcome"]): Bytes {
  if (outcome === 0) return EMPTY_BYTES;
  return outcome === 1 ? SUCCESS : hexItem(outcome);
}

function readOutcome(item: RlpItem | undefined): Receipt["outcome"] {
  const where = "receipt.outcome";
  const bytes = readBytes(item, where);
  if (bytes.length === STATE_ROOT_BYTES) return bytesToHash(bytes);
  if (bytes.length === 0) return 0;
  if (bytes.length === 1 && bytes[0] === 1) return 1;
  fail("BAD_FIELD", { where, expected: "0, 1 or a state root", got: showBytes(bytes) });
}

function logItems(log: Log): RlpInput {
  return [hexItem(log.address), log.topics.map(hexItem), log.data];
}

function readLog(item: RlpItem): Log {
  const [address, topics, data] = readList(item, "receipt.log", 3);
  return {
    address: readAddress(address, "receipt.log.address"),
    topics: readList(topics, "receipt.log.topics").map((topic) =>
      readHash(topic, "receipt.log.topics"),
    ),
    data: readBytes(data, "receipt.log.data"),
  };
}
