/** Memory of one frame: grows in words of 32 bytes, which the frame pays for. Source: Yellow Paper, appendix H.1. */
import { type Bytes, EMPTY_BYTES } from "../../primitives/bytes.ts";
import { WORD_BYTES } from "./word.ts";

const WORD_GAS = 3;
const QUADRATIC_DIVISOR = 512;
const FIRST_BYTES = 1_024;
/** Buffers above this are not kept for the next frame at their depth. */
const MAX_KEPT_BYTES = 262_144;
/** Buffers above this are not kept from one transaction to another. */
const MAX_SPARE_BYTES = 16_384;

/** The bytes, zero until written. Reused from frame to frame after `reset`. */
export class Memory {
  bytes: Bytes = new Uint8Array(FIRST_BYTES);
  view = new DataView(this.bytes.buffer);
  /** Bytes in use, a multiple of 32: MSIZE */
  size = 0;
  #paid = 0;

  /** Gas for the memory to reach to `end`, beyond what has been paid. */
  costTo(end: number): number {
    const words = Math.ceil(end / WORD_BYTES);
    return WORD_GAS * words + Math.floor((words * words) / QUADRATIC_DIVISOR) - this.#paid;
  }

  /** Lets the memory reach to `end`, for which `cost` was paid. */
  growTo(end: number, cost: number): void {
    this.#paid += cost;
    this.size = Math.ceil(end / WORD_BYTES) * WORD_BYTES;
    if (this.size <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.size, 2 * this.bytes.length));
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** A copy of `length` bytes at `offset`, all of them within the size. */
  copy(offset: number, length: number): Bytes {
    return length === 0 ? EMPTY_BYTES : this.bytes.slice(offset, offset + length);
  }

  /** Writes `length` bytes at `offset`: those of `source` from `from` on, zeros after its end. */
  fill(offset: number, source: Bytes, from: number, length: number): void {
    const available = Math.max(0, Math.min(length, source.length - from));
    if (available > 0) this.bytes.set(source.subarray(from, from + available), offset);
    if (available < length) this.bytes.fill(0, offset + available, offset + length);
  }

  /** Empty again. */
  reset(): void {
    this.#empty(MAX_KEPT_BYTES);
  }

  /** Empty and small again. */
  shrink(): void {
    this.#empty(MAX_SPARE_BYTES);
  }

  #empty(keptBytes: number): void {
    if (this.bytes.length > keptBytes) {
      this.bytes = new Uint8Array(FIRST_BYTES);
      this.view = new DataView(this.bytes.buffer);
    } else if (this.size > 0) {
      this.bytes.fill(0, 0, this.size);
    }
    this.size = 0;
    this.#paid = 0;
  }
}
