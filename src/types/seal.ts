/** The leader's signed statement that a block is its block of that slot. Source: docs/consensus.md §2. */
import type { Bytes } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import { FixedReader, FixedWriter } from "./fixedBytes.ts";
import { fail } from "./rlp.ts";

/** Bytes of the body, which is what is signed (kind 0x01). */
export const SEAL_BODY_BYTES = 56;

export interface Seal {
  /** of the block */
  readonly number: number;
  readonly slot: number;
  /** place among the slot's blocks, from 0 */
  readonly seq: number;
  readonly tick: number;
  /** validator id */
  readonly proposer: number;
  readonly blockHash: Hash;
}

/** Body of a seal: number:u64 ‖ slot:u64 ‖ seq:u8 ‖ tick:u8 ‖ flags:u16 (0) ‖ proposer:u32 ‖ blockHash. */
export function encodeSeal(seal: Seal): Bytes {
  return new FixedWriter(SEAL_BODY_BYTES, "seal")
    .u64(seal.number)
    .u64(seal.slot)
    .u8(seal.seq)
    .u8(seal.tick)
    .u16(0)
    .u32(seal.proposer)
    .hash(seal.blockHash).bytes;
}

/** Seal from its body. Throws DecodeError. */
export function decodeSeal(body: Bytes, where = "seal"): Seal {
  const reader = new FixedReader(body, where, SEAL_BODY_BYTES);
  const [number, slot, seq, tick] = [reader.u64(), reader.u64(), reader.u8(), reader.u8()];
  const flags = reader.u16();
  if (flags !== 0)
    fail("BAD_FIELD", { where: `${where}.flags`, expected: "0", got: String(flags) });
  return { number, slot, seq, tick, proposer: reader.u32(), blockHash: reader.hash() };
}
