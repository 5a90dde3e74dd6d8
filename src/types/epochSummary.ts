/**
 * What an epoch did: rewards and duties of its members, and who may be validator later. The staking contract reads the rows
 * (`onEpoch`), consensus reads the candidates. Source: docs/consensus.md §8.
 */
import { keccakHash } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import { FixedReader, FixedWriter } from "./fixedBytes.ts";
import { fail } from "./rlp.ts";
import { requireOrder } from "./validatorSet.ts";

const HEAD_BYTES = 23;
const ROW_BYTES = 17;
const COUNT_BYTES = 2;
const CANDIDATE_BYTES = 46;
const VOTED = 1;
const VOTE_EXPECTED = 2;
/** Reputation of a perfect validator, and of a new one. */
export const MAX_REPUTATION = 10_000;
export const START_REPUTATION = 5_000;

/** A member of cfg(e - 1) or cfg(e). */
export interface SummaryRow {
  readonly id: number;
  /** slots of the epoch that it opened */
  readonly made: number;
  /** slots that it led and that stayed empty */
  readonly missed: number;
  /** its vote for e - 1 was included in e */
  readonly voted: boolean;
  /** it is a member of cfg(e - 1) */
  readonly voteExpected: boolean;
  /** gwei */
  readonly reward: bigint;
}

/** A validator that may be active, as the state of the epoch's last block has it. */
export interface Candidate {
  readonly id: number;
  /** gwei */
  readonly stake: bigint;
  /** 0..10000 */
  readonly reputation: number;
  readonly keyHash: Hash;
}

export interface EpochSummary {
  readonly epoch: number;
  /** finality lags so far that reputation stands still */
  readonly frozen: boolean;
  /** occupied slots that belong to the epoch */
  readonly slots: number;
  /** gwei: the sum of the rewards */
  readonly minted: bigint;
  /** by ascending id */
  readonly rows: readonly SummaryRow[];
  /** in rank order: stake descending, then id ascending */
  readonly candidates: readonly Candidate[];
}

/** epoch:u64 ‖ frozen:u8 ‖ q:u32 ‖ minted:u64 ‖ n:u16 ‖ rows ‖ m:u16 ‖ candidates. */
export function encodeSummary(summary: EpochSummary): Bytes {
  const { rows, candidates } = summary;
  const length =
    HEAD_BYTES + rows.length * ROW_BYTES + COUNT_BYTES + candidates.length * CANDIDATE_BYTES;
  const writer = new FixedWriter(length, "summary")
    .u64(summary.epoch)
    .u8(summary.frozen ? 1 : 0)
    .u32(summary.slots)
    .amount(summary.minted)
    .u16(rows.length);
  for (const row of rows)
    writer
      .u32(row.id)
      .u16(row.made)
      .u16(row.missed)
      .u8((row.voted ? VOTED : 0) | (row.voteExpected ? VOTE_EXPECTED : 0))
      .amount(row.reward);
  writer.u16(candidates.length);
  for (const { id, stake, reputation, keyHash } of candidates)
    writer.u32(id).amount(stake).u16(reputation).hash(keyHash);
  return writer.bytes;
}

/** Summary from its bytes. Throws DecodeError on a wrong length, order, flag or sum. */
export function decodeSummary(raw: Bytes): EpochSummary {
  const where = "summary";
  const reader = new FixedReader(raw, where);
  const epoch = reader.u64();
  const frozen = reader.u8();
  if (frozen > 1)
    fail("BAD_FIELD", { where: `${where}.frozen`, expected: "0 or 1", got: `${frozen}` });
  const [slots, minted] = [reader.u32(), reader.amount()];
  const rows = readMany(reader, ROW_BYTES, readRow);
  const candidates = readMany(reader, CANDIDATE_BYTES, readCandidate);
  reader.end();
  requireOrder(rows, `${where}.rows`);
  requireRank(candidates);
  const sum = rows.reduce((total, { reward }) => total + reward, 0n);
  if (sum !== minted)
    fail("BAD_FIELD", { where: `${where}.minted`, expected: `${sum}`, got: `${minted}` });
  return { epoch, frozen: frozen === 1, slots, minted, rows, candidates };
}

/** `summaryHash` of the macro header. */
export function hashSummary(summary: EpochSummary): Hash {
  return keccakHash(encodeSummary(summary));
}

type Ranked = Pick<Candidate, "id" | "stake">;

/** Rank order of candidates, for `Array.sort`: more stake first, then the smaller id. */
export function compareRank(a: Ranked, b: Ranked): number {
  if (a.stake !== b.stake) return a.stake > b.stake ? -1 : 1;
  return a.id - b.id;
}

/** Items after their count; what cannot fit is refused before anything is built. */
function readMany<T>(
  reader: FixedReader,
  itemBytes: number,
  read: (reader: FixedReader) => T,
): readonly T[] {
  const count = reader.u16();
  if (reader.left < count * itemBytes)
    fail("BAD_FIELD", {
      where: "summary",
      expected: `${count} items of ${itemBytes} bytes`,
      got: `${reader.left} bytes`,
    });
  return Array.from({ length: count }, () => read(reader));
}

function readRow(reader: FixedReader): SummaryRow {
  const [id, made, missed, flags] = [reader.u32(), reader.u16(), reader.u16(), reader.u8()];
  if (flags > (VOTED | VOTE_EXPECTED))
    fail("BAD_FIELD", { where: "summary.flags", expected: "0..3", got: `${flags}` });
  return {
    id,
    made,
    missed,
    voted: (flags & VOTED) !== 0,
    voteExpected: (flags & VOTE_EXPECTED) !== 0,
    reward: reader.amount(),
  };
}

function readCandidate(reader: FixedReader): Candidate {
  const [id, stake, reputation] = [reader.u32(), reader.amount(), reader.u16()];
  if (reputation > MAX_REPUTATION)
    fail("BAD_FIELD", {
      where: "summary.reputation",
      expected: `at most ${MAX_REPUTATION}`,
      got: `${reputation}`,
    });
  return { id, stake, reputation, keyHash: reader.hash() };
}

function requireRank(candidates: readonly Candidate[]): void {
  for (const [index, candidate] of candidates.entries()) {
    const before = candidates[index - 1];
    if (before !== undefined && compareRank(before, candidate) >= 0)
      fail("BAD_FIELD", {
        where: "summary.candidates",
        expected: "rank order",
        got: `${candidate.id} after ${before.id}`,
      });
  }
}
