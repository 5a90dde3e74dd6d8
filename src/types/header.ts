/** Block header: fields, RLP form, hash. Field names are those of JSON-RPC. */
import { keccakHash } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import type { Address, Hash } from "../primitives/hex.ts";
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
  uintItem,
} from "./rlp.ts";

/** A block header. Fields of later forks are undefined before their fork, and only then. */
export interface Header {
  readonly parentHash: Hash;
  readonly sha3Uncles: Hash;
  /** Beneficiary of the tips ("coinbase"). */
  readonly miner: Address;
  readonly stateRoot: Hash;
  readonly transactionsRoot: Hash;
  readonly receiptsRoot: Hash;
  /** 256 bytes */
  readonly logsBloom: Bytes;
  readonly difficulty: bigint;
  readonly number: bigint;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  /** seconds */
  readonly timestamp: bigint;
  readonly extraData: Bytes;
  /** prevRandao after the merge */
  readonly mixHash: Hash;
  /** 8 bytes */
  readonly nonce: Bytes;
  /** wei; EIP-1559, from London */
  readonly baseFeePerGas: bigint | undefined;
  /** EIP-4895, from Shanghai */
  readonly withdrawalsRoot: Hash | undefined;
  /** EIP-4844, from Cancun */
  readonly blobGasUsed: bigint | undefined;
  /** EIP-4844, from Cancun */
  readonly excessBlobGas: bigint | undefined;
  /** EIP-4788, from Cancun */
  readonly parentBeaconBlockRoot: Hash | undefined;
  /** EIP-7685, from Prague */
  readonly requestsHash: Hash | undefined;
}

/** Items of a header's RLP by fork: Frontier, London, Shanghai, Cancun, Prague. */
const HEADER_LENGTHS: readonly number[] = [15, 16, 17, 20, 21];

/** Header from its canonical RLP. Throws DecodeError. */
export function decodeHeader(raw: Bytes): Header {
  return headerFromItems(readList(decodeRlp(raw, "header"), "header"));
}

/** Header from the items of its RLP list. Throws DecodeError. */
export function headerFromItems(items: readonly RlpItem[], where = "header"): Header {
  if (!HEADER_LENGTHS.includes(items.length))
    fail("BAD_FIELD", {
      where,
      expected: `${HEADER_LENGTHS.join(", ")} items`,
      got: `${items.length} items`,
    });
  const uint = (index: number, name: keyof Header, bits: number) =>
    readUint(items[index], `${where}.${name}`, bits);
  const hash = (index: number, name: keyof Header) => readHash(items[index], `${where}.${name}`);
  const has = (index: number) => items.length > index;
  return {
    parentHash: hash(0, "parentHash"),
    sha3Uncles: hash(1, "sha3Uncles"),
    miner: readAddress(items[2], `${where}.miner`),
    stateRoot: hash(3, "stateRoot"),
    transactionsRoot: hash(4, "transactionsRoot"),
    receiptsRoot: hash(5, "receiptsRoot"),
    logsBloom: readBytes(items[6], `${where}.logsBloom`, 256),
    difficulty: uint(7, "difficulty", 256),
    number: uint(8, "number", 64),
    gasLimit: uint(9, "gasLimit", 64),
    gasUsed: uint(10, "gasUsed", 64),
    timestamp: uint(11, "timestamp", 64),
    extraData: readBytes(items[12], `${where}.extraData`),
    mixHash: hash(13, "mixHash"),
    nonce: readBytes(items[14], `${where}.nonce`, 8),
    baseFeePerGas: has(15) ? uint(15, "baseFeePerGas", 256) : undefined,
    withdrawalsRoot: has(16) ? hash(16, "withdrawalsRoot") : undefined,
    blobGasUsed: has(17) ? uint(17, "blobGasUsed", 64) : undefined,
    excessBlobGas: has(18) ? uint(18, "excessBlobGas", 64) : undefined,
    parentBeaconBlockRoot: has(19) ? hash(19, "parentBeaconBlockRoot") : undefined,
    requestsHash: has(20) ? hash(20, "requestsHash") : undefined,
  };
}

/** Items of the header's RLP list. Throws DecodeError if a later fork's field stands behind a missing one. */
export function headerToItems(header: Header): RlpInput[] {
  const uint = (name: UintField) => uintItem(header[name] ?? 0n, `header.${name}`);
  const items: RlpInput[] = [
    hexItem(header.parentHash),
    hexItem(header.sha3Uncles),
    hexItem(header.miner),
    hexItem(header.stateRoot),
    hexItem(header.transactionsRoot),
    hexItem(header.receiptsRoot),
    header.logsBloom,
    uint("difficulty"),
    uint("number"),
    uint("gasLimit"),
    uint("gasUsed"),
    uint("timestamp"),
    header.extraData,
    hexItem(header.mixHash),
    header.nonce,
  ];
  const optional: readonly (readonly [field: keyof Header, item: Bytes])[] = [
    ["baseFeePerGas", uint("baseFeePerGas")],
    ["withdrawalsRoot", hexItem(header.withdrawalsRoot)],
    ["blobGasUsed", uint("blobGasUsed")],
    ["excessBlobGas", uint("excessBlobGas")],
    ["parentBeaconBlockRoot", hexItem(header.parentBeaconBlockRoot)],
    ["requestsHash", hexItem(header.requestsHash)],
  ];
  const count = optional.findIndex(([field]) => header[field] === undefined);
  const present = count === -1 ? optional : optional.slice(0, count);
  const orphan = optional.slice(present.length).find(([field]) => header[field] !== undefined);
  if (orphan !== undefined)
    fail("BAD_FIELD", {
      where: `header.${orphan[0]}`,
      expected: `${optional[present.length]?.[0]} before it`,
      got: "nothing",
    });
  for (const [, item] of present) items.push(item);
  return items;
}

/** RLP of the header. */
export function encodeHeader(header: Header): Bytes {
  return encodeRlp(headerToItems(header));
}

/** Block hash: keccak256 of the header's RLP. */
export function hashHeader(header: Header): Hash {
  return keccakHash(encodeHeader(header));
}

type UintField = {
  [K in keyof Header]: Header[K] extends bigint | undefined ? K : never;
}[keyof Header];
