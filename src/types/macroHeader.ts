/** The object that sums up an epoch of blocks: a pure function of the chain up to the epoch's last block. Source: docs/consensus.md §2. */
import { keccakHash } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { type Hash, hexToBytes } from "../primitives/hex.ts";
import { counterItem, readCounter } from "./fixedBytes.ts";
import { merkleRoot } from "./merkle.ts";
import { decodeRlp, encodeRlp, fail, hexItem, readHash, readList } from "./rlp.ts";

const VERSION = 1;
const ITEMS = 16;
const LIMITS = { maxDepth: 1, maxItems: ITEMS + 1 };

export interface MacroHeader {
  readonly epoch: number;
  /** macro hash of the epoch before; the zero hash for epoch 0 */
  readonly parentMacroHash: Hash;
  /** numbers of the first and last block; epoch 0 holds the genesis block alone */
  readonly firstNumber: number;
  readonly lastNumber: number;
  readonly lastBlockHash: Hash;
  /** of the last block */
  readonly stateRoot: Hash;
  /** Merkle root of the hashes of the epoch's blocks, merkle.ts */
  readonly microRoot: Hash;
  /** time of the last block in ms since 1970 */
  readonly timeMs: number;
  /** the beacon's value R_e */
  readonly mix: Hash;
  /** in-chain finality F(e): the newest epoch that votes on this chain finalise */
  readonly finalizedEpoch: number;
  /** first epoch of the hand-off that cfg(e + 2) is in; 0 = none */
  readonly handoff: number;
  /** validatorsHash of cfg(e), cfg(e + 1), cfg(e + 2) */
  readonly validatorsHash: Hash;
  readonly nextValidatorsHash: Hash;
  readonly afterNextValidatorsHash: Hash;
  /** keccak256 of the epoch summary */
  readonly summaryHash: Hash;
}

/** RLP of the header: version, then the fields in their order. */
export function encodeMacroHeader(header: MacroHeader): Bytes {
  const counter = (name: CounterField) => counterItem(header[name], `macroHeader.${name}`);
  return encodeRlp([
    counterItem(VERSION, "macroHeader.version"),
    counter("epoch"),
    hexItem(header.parentMacroHash),
    counter("firstNumber"),
    counter("lastNumber"),
    hexItem(header.lastBlockHash),
    hexItem(header.stateRoot),
    hexItem(header.microRoot),
    counter("timeMs"),
    hexItem(header.mix),
    counter("finalizedEpoch"),
    counter("handoff"),
    hexItem(header.validatorsHash),
    hexItem(header.nextValidatorsHash),
    hexItem(header.afterNextValidatorsHash),
    hexItem(header.summaryHash),
  ]);
}

/** Macro header from its RLP. Throws DecodeError. */
export function decodeMacroHeader(raw: Bytes): MacroHeader {
  const items = readList(decodeRlp(raw, "macroHeader", LIMITS), "macroHeader", ITEMS);
  const counter = (index: number, name: CounterField) =>
    readCounter(items[index], `macroHeader.${name}`, 64);
  const hash = (index: number, name: keyof MacroHeader) =>
    readHash(items[index], `macroHeader.${name}`);
  const version = readCounter(items[0], "macroHeader.version", 8);
  if (version !== VERSION)
    fail("BAD_FIELD", {
      where: "macroHeader.version",
      expected: String(VERSION),
      got: String(version),
    });
  return {
    epoch: counter(1, "epoch"),
    parentMacroHash: hash(2, "parentMacroHash"),
    firstNumber: counter(3, "firstNumber"),
    lastNumber: counter(4, "lastNumber"),
    lastBlockHash: hash(5, "lastBlockHash"),
    stateRoot: hash(6, "stateRoot"),
    microRoot: hash(7, "microRoot"),
    timeMs: counter(8, "timeMs"),
    mix: hash(9, "mix"),
    finalizedEpoch: counter(10, "finalizedEpoch"),
    handoff: counter(11, "handoff"),
    validatorsHash: hash(12, "validatorsHash"),
    nextValidatorsHash: hash(13, "nextValidatorsHash"),
    afterNextValidatorsHash: hash(14, "afterNextValidatorsHash"),
    summaryHash: hash(15, "summaryHash"),
  };
}

/** What votes and acks name: keccak256 of the header's RLP. */
export function hashMacroHeader(header: MacroHeader): Hash {
  return keccakHash(encodeMacroHeader(header));
}

/** Merkle root of the hashes of an epoch's blocks, in order. A proof of one of 90 blocks has 7 hashes. */
export function microRootOf(blockHashes: readonly Hash[]): Hash {
  return merkleRoot(blockHashes.map(hexToBytes));
}

type CounterField = {
  [K in keyof MacroHeader]: MacroHeader[K] extends number ? K : never;
}[keyof MacroHeader];
