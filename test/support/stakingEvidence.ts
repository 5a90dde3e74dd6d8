/** Signed consensus messages and epoch summaries for tests of the staking contract. */
import type { Bytes } from "../../src/primitives/bytes.ts";
import { bigIntToHash, bytesToHex } from "../../src/primitives/hex.ts";
import { MESSAGE_KIND } from "../../src/types/consensusMessage.ts";
import type { EpochSummary, SummaryRow } from "../../src/types/epochSummary.ts";
import { encodeSeal } from "../../src/types/seal.ts";
import { encodeAck, encodeVote } from "../../src/types/vote.ts";
import type { StakingChain, TestKey } from "./stakingChain.ts";

/** A message to be signed. */
export interface TestMessage {
  readonly kind: number;
  readonly body: Bytes;
}

/** Vote from one epoch to another; the tag stands in target and commitment. */
export function vote(validator: number, srcEpoch: number, tgtEpoch: number, tag = 0): TestMessage {
  const hash = bigIntToHash(BigInt(tag) + 1n);
  const fields = { validator, srcEpoch, srcHash: bigIntToHash(7n), tgtEpoch, tgtHash: hash };
  return { kind: MESSAGE_KIND.vote, body: encodeVote({ ...fields, commit: hash }) };
}

/** Ack of an epoch. */
export function ack(validator: number, epoch: number, tag = 0): TestMessage {
  const macroHash = bigIntToHash(BigInt(tag) + 1n);
  return { kind: MESSAGE_KIND.ack, body: encodeAck({ validator, epoch, macroHash }) };
}

/** Seal of a block in a slot's place. */
export function seal(proposer: number, slot: number, seq = 0, tag = 0): TestMessage {
  const blockHash = bigIntToHash(BigInt(tag) + 1n);
  const body = encodeSeal({ number: 1, slot, seq, tick: seq, proposer, blockHash });
  return { kind: MESSAGE_KIND.seal, body };
}

/** Arguments of slashDoubleVote and slashDoubleSeal: messages signed by keys, which the contract knows by these numbers. */
export function evidence(
  chain: StakingChain,
  id: number,
  a: { readonly message: TestMessage; readonly key: TestKey; readonly index?: number },
  b: { readonly message: TestMessage; readonly key: TestKey; readonly index?: number },
): readonly unknown[] {
  return [
    id,
    ...[a, b].flatMap(({ message: { kind, body }, key, index = 0 }) => [
      index,
      bytesToHex(body),
      bytesToHex(key.sign(chain.message(kind, body))),
    ]),
  ];
}

/** A summary of an epoch in which everybody did its duty, unless `rows` say otherwise. */
export function summary(
  epoch: number,
  rows: readonly (Partial<SummaryRow> & { readonly id: number })[],
  fields: Partial<EpochSummary> = {},
): EpochSummary {
  const full = rows
    .map((row) => ({ made: 2, missed: 0, voted: true, voteExpected: true, reward: 0n, ...row }))
    .sort((a, b) => a.id - b.id);
  const minted = full.reduce((sum, { reward }) => sum + reward, 0n);
  return { epoch, frozen: false, slots: 6, minted, rows: full, candidates: [], ...fields };
}

/** A number below `limit` from the next 32-bit word of a generator that starts at `seed`. */
export function seededNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    // Tommy Ettinger's mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}
