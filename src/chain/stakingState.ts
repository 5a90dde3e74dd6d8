/**
 * The staking contract as consensus reads it: from the slots of a state, without running code. The places of the variables are
 * those of contracts/staking/StakingBase.sol and part of the protocol; a test compares them with the compiler's layout and
 * what is read here with what the contract's own views say.
 */
import { keccak256, keccakHash } from "../crypto/keccak.ts";
import { type Bytes, bytesToBigInt, concatBytes } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import {
  type Address,
  bigIntToHash,
  type Hash,
  hexToBytes,
  parseAddress,
} from "../primitives/hex.ts";
import { type Candidate, compareRank } from "../types/epochSummary.ts";

/** What is asked of a state. */
export interface StakingSource {
  slot(address: Address, key: Hash): Bytes;
  code(address: Address): Bytes;
}

/** Where a validator stands, in the contract's order. */
export const VALIDATOR_STATUSES = [
  "none",
  "registered",
  "exiting",
  "jailed",
  "slashed",
  "withdrawn",
] as const;

export type ValidatorStatus = (typeof VALIDATOR_STATUSES)[number];

/** A validator; amounts in gwei. */
export interface StakedValidator {
  readonly id: number;
  readonly stake: bigint;
  readonly rewards: bigint;
  /** Newest epoch whose summary has a row of it; 0: none */
  readonly lastListed: number;
  /** jailed: first epoch in which it may be let free; exiting and slashed: epoch in which that began */
  readonly since: number;
  /** 0..10000 */
  readonly reputation: number;
  readonly status: ValidatorStatus;
  /** Slots in which it sealed two blocks in one place */
  readonly strikes: number;
  readonly keyCount: number;
  readonly owner: Address;
  readonly withdrawal: Address;
  readonly feeRecipient: Address;
  /** keccak256 of the newest public key */
  readonly keyHash: Hash;
}

/** Sums over all validators; amounts in gwei. */
export interface StakingTotals {
  readonly stake: bigint;
  readonly rewards: bigint;
  readonly minted: bigint;
  /** Newest epoch that was processed */
  readonly epoch: number;
  readonly frozen: boolean;
  readonly activeStake: bigint;
  readonly validators: number;
}

/** A key of a validator. */
export interface StakedKey {
  /** As evidence names it: 0 is the first that the validator had */
  readonly index: number;
  readonly publicKey: Bytes;
}

const SLOT = { totals: 0n, validators: 2n, eligible: 3n, keys: 5n } as const;
const VALIDATOR_SLOTS = 5n;
const IDS_PER_SLOT = 8;
const U16 = 0xffffn;
const U32 = 0xffff_ffffn;
const U64 = 0xffff_ffff_ffff_ffffn;
const FIRST_VALIDATOR = arrayStart(SLOT.validators);
const FIRST_ELIGIBLE = arrayStart(SLOT.eligible);

/** Who may be validator at this state: at most `maxActive` of those that qualify, in rank order. */
export function readCandidates(
  source: StakingSource,
  staking: Address,
  maxActive: number,
): Candidate[] {
  const ledgers = eligibleIds(source, staking).map((id) => {
    const ledger = readWord(source, staking, validatorSlot(id));
    return { id, stake: ledger & U64, reputation: Number((ledger >> 192n) & U16) };
  });
  return ledgers
    .sort(compareRank)
    .slice(0, maxActive)
    .map((one) => ({
      ...one,
      keyHash: bigIntToHash(readWord(source, staking, validatorSlot(one.id) + 4n)),
    }));
}

/** One validator; undefined if there is none with this id. */
export function readStakedValidator(
  source: StakingSource,
  staking: Address,
  id: number,
): StakedValidator | undefined {
  if (BigInt(id) >= readWord(source, staking, SLOT.validators)) return undefined;
  const first = validatorSlot(id);
  const field = (index: bigint) => readWord(source, staking, first + index);
  const ledger = field(0n);
  const status = VALIDATOR_STATUSES[byteAt(ledger, 26n)];
  assert(status !== undefined, "the contract writes no other status");
  return {
    id,
    stake: ledger & U64,
    rewards: (ledger >> 64n) & U64,
    lastListed: Number((ledger >> 128n) & U32),
    since: Number((ledger >> 160n) & U32),
    reputation: Number((ledger >> 192n) & U16),
    status,
    strikes: byteAt(ledger, 27n),
    keyCount: byteAt(ledger, 28n),
    owner: asAddress(field(1n)),
    withdrawal: asAddress(field(2n)),
    feeRecipient: asAddress(field(3n)),
    keyHash: bigIntToHash(field(4n)),
  };
}

/** The validator's key with this hash, if it has or had it. */
export function readStakedKey(
  source: StakingSource,
  staking: Address,
  { id, keyHash }: { readonly id: number; readonly keyHash: Hash },
): StakedKey | undefined {
  const count = readStakedValidator(source, staking, id)?.keyCount ?? 0;
  for (let index = count - 1; index >= 0; index--) {
    const publicKey = keyAt(source, staking, { id, index });
    if (keccakHash(publicKey) === keyHash) return { index, publicKey };
  }
  return undefined;
}

/** The sums; all zero where there is no staking contract. */
export function readStakingTotals(source: StakingSource, staking: Address): StakingTotals {
  const word = readWord(source, staking, SLOT.totals);
  return {
    stake: word & U64,
    rewards: (word >> 64n) & U64,
    minted: (word >> 128n) & U64,
    epoch: Number((word >> 192n) & U32),
    frozen: byteAt(word, 28n) !== 0,
    activeStake: readWord(source, staking, SLOT.totals + 1n),
    validators: Number(readWord(source, staking, SLOT.validators)),
  };
}

/** Key number `index` of a validator. */
export function readStakedKeyAt(
  source: StakingSource,
  staking: Address,
  { id, index }: { readonly id: number; readonly index: number },
): Bytes | undefined {
  const count = readStakedValidator(source, staking, id)?.keyCount ?? 0;
  return index < count ? keyAt(source, staking, { id, index }) : undefined;
}

function keyAt(
  source: StakingSource,
  staking: Address,
  { id, index }: { readonly id: number; readonly index: number },
): Bytes {
  const slot = mappingSlot((BigInt(id) << 8n) | BigInt(index), SLOT.keys);
  // the first byte of the code is STOP
  return source.code(asAddress(readWord(source, staking, slot))).subarray(1);
}

function eligibleIds(source: StakingSource, staking: Address): number[] {
  const count = Number(readWord(source, staking, SLOT.eligible));
  const ids: number[] = [];
  let word = 0n;
  for (let index = 0; index < count; index++) {
    const place = index % IDS_PER_SLOT;
    if (place === 0) {
      word = readWord(source, staking, FIRST_ELIGIBLE + BigInt(index / IDS_PER_SLOT));
    }
    ids.push(Number((word >> BigInt(32 * place)) & U32));
  }
  return ids;
}

function validatorSlot(id: number): bigint {
  return FIRST_VALIDATOR + VALIDATOR_SLOTS * BigInt(id);
}

function readWord(source: StakingSource, staking: Address, slot: bigint): bigint {
  return bytesToBigInt(source.slot(staking, bigIntToHash(slot)));
}

function byteAt(word: bigint, offset: bigint): number {
  return Number((word >> (8n * offset)) & 0xffn);
}

function asAddress(word: bigint): Address {
  return parseAddress(`0x${(word & ((1n << 160n) - 1n)).toString(16).padStart(40, "0")}`);
}

/** First slot of the elements of an array at `slot`. Source: Solidity, "Layout of State Variables in Storage". */
function arrayStart(slot: bigint): bigint {
  return bytesToBigInt(keccak256(hexToBytes(bigIntToHash(slot))));
}

function mappingSlot(key: bigint, slot: bigint): bigint {
  const place = concatBytes(hexToBytes(bigIntToHash(key)), hexToBytes(bigIntToHash(slot)));
  return bytesToBigInt(keccak256(place));
}
