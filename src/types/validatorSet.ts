/**
 * Who must sign an epoch's checkpoint. One set outside a hand-off; during one, quorums in the old set and in the new one.
 * Source: docs/consensus.md §2 (validatorsHash), §3 (configuration).
 */
import { keccak256 } from "../crypto/keccak.ts";
import type { Hash } from "../primitives/hex.ts";
import { FixedWriter } from "./fixedBytes.ts";
import { merkleRoot } from "./merkle.ts";
import { fail } from "./rlp.ts";

/** A member of a configuration: of the old set, of the new one, or of both. */
export interface Member {
  readonly id: number;
  /** gwei in the set that is left, 0 for a newcomer */
  readonly stakeOld: bigint;
  /** gwei in the set that is entered, 0 for one who leaves; outside a hand-off the same as stakeOld */
  readonly stakeNew: bigint;
  /** keccak256 of the public key that signs in this configuration */
  readonly keyHash: Hash;
}

/** Members by ascending id. */
export type Members = readonly Member[];

const LEAF_BYTES = 52;
/** One set serves many epochs, and each macro header names it three times. */
const validatorsHashes = new WeakMap<Members, Hash>();

/** A weight of at least two thirds of the whole. */
export function isQuorum(weight: bigint, total: bigint): boolean {
  return 3n * weight >= 2n * total;
}

/** Whether these members hold a quorum in the old set and in the new one. `signers` may repeat; strangers do not count. */
export function hasQuorum(members: Members, signers: ReadonlySet<number>): boolean {
  let [old, oldTotal, young, youngTotal] = [0n, 0n, 0n, 0n];
  for (const { id, stakeOld, stakeNew } of members) {
    oldTotal += stakeOld;
    youngTotal += stakeNew;
    if (!signers.has(id)) continue;
    old += stakeOld;
    young += stakeNew;
  }
  return oldTotal > 0n && isQuorum(old, oldTotal) && isQuorum(young, youngTotal);
}

/** Merkle root over H(id:u32 ‖ stakeOld:u64 ‖ stakeNew:u64 ‖ keyHash) of the members, by id. Throws DecodeError on another order. */
export function hashValidators(members: Members): Hash {
  let known = validatorsHashes.get(members);
  if (known === undefined) {
    known = rootOf(members);
    validatorsHashes.set(members, known);
  }
  return known;
}

function rootOf(members: Members): Hash {
  requireOrder(members, "validators");
  return merkleRoot(
    members.map((member) =>
      keccak256(
        new FixedWriter(LEAF_BYTES, "validators")
          .u32(member.id)
          .amount(member.stakeOld)
          .amount(member.stakeNew)
          .hash(member.keyHash).bytes,
      ),
    ),
  );
}

/** Refuses members that do not ascend by id. Throws DecodeError. */
export function requireOrder(members: readonly { readonly id: number }[], where: string): void {
  for (let i = 1; i < members.length; i++) {
    const [before, id] = [members[i - 1]?.id ?? 0, members[i]?.id ?? 0];
    if (id <= before) fail("BAD_FIELD", { where, expected: `an id above ${before}`, got: `${id}` });
  }
}
