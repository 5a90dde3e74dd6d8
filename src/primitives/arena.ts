/** Many small byte strings in few allocations. */
import type { Bytes } from "./bytes.ts";

const CHUNK_BYTES = 65_536;
/** Longer strings get memory of their own. */
const MAX_CUT_BYTES = CHUNK_BYTES >> 3;

/**
 * Cuts byte strings from chunks of 64 KiB: one allocation for hundreds of them, none of them on V8's own heap, from where
 * native code would have to move each (2 us). A chunk lives as long as the last string of it.
 */
export class Arena {
  #chunk = new Uint8Array(0);
  #used = 0;

  /** `length` zero bytes. */
  take(length: number): Bytes {
    if (length > MAX_CUT_BYTES) return new Uint8Array(length);
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#used = 0;
    }
    const bytes = new Uint8Array(this.#chunk.buffer, this.#used, length);
    this.#used += length;
    return bytes;
  }
}
