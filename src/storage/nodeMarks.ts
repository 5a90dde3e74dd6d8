/**
 * A set of trie nodes, of which it keeps half of each hash: 16 bytes in open addressing, no object per node. Two nodes of
 * one half would have to be searched for with 2^64 hashes; a mistake would only be possible in the half that is kept.
 */
import type { Bytes } from "../primitives/bytes.ts";

const WORDS = 4;
const FIRST_CAPACITY = 1 << 12;
/** Filled to this share the table doubles. */
const FULLEST = 0.6;

/** Marked nodes. */
export class NodeMarks {
  #slots = new Uint32Array(FIRST_CAPACITY * WORDS);
  #capacity = FIRST_CAPACITY;
  #size = 0;
  readonly #probe = new Uint32Array(WORDS);

  get size(): number {
    return this.#size;
  }

  /** Marks the node with this 32-byte hash; false: it was marked before. */
  add(hash: Bytes): boolean {
    const at = this.#find(hash);
    if (this.#isTaken(at)) return false;
    this.#slots.set(this.#probe, at);
    this.#size++;
    if (this.#size > this.#capacity * FULLEST) this.#grow();
    return true;
  }

  has(hash: Bytes): boolean {
    return this.#isTaken(this.#find(hash));
  }

  /** Place of the hash: where it is, or the free slot where it belongs. */
  #find(hash: Bytes): number {
    const view = new DataView(hash.buffer, hash.byteOffset, hash.length);
    for (let word = 0; word < WORDS; word++) this.#probe[word] = view.getUint32(4 * word);
    // an empty slot is all zero
    if (!this.#probe.some((word) => word !== 0)) this.#probe[0] = 1;
    return this.#slotOf(this.#probe, 0);
  }

  #slotOf(words: Uint32Array, from: number): number {
    const slots = this.#slots;
    let index = (words[from] ?? 0) & (this.#capacity - 1);
    for (;;) {
      const at = index * WORDS;
      if (!this.#isTaken(at) || sameWords(slots, at, words, from)) return at;
      index = (index + 1) & (this.#capacity - 1);
    }
  }

  #isTaken(at: number): boolean {
    const slots = this.#slots;
    return (slots[at] || slots[at + 1] || slots[at + 2] || slots[at + 3]) !== 0;
  }

  #grow(): void {
    const old = this.#slots;
    this.#capacity *= 2;
    this.#slots = new Uint32Array(this.#capacity * WORDS);
    for (let from = 0; from < old.length; from += WORDS) {
      if ((old[from] || old[from + 1] || old[from + 2] || old[from + 3]) === 0) continue;
      this.#slots.set(old.subarray(from, from + WORDS), this.#slotOf(old, from));
    }
  }
}

function sameWords(a: Uint32Array, at: number, b: Uint32Array, from: number): boolean {
  for (let word = 0; word < WORDS; word++) if (a[at + word] !== b[from + word]) return false;
  return true;
}
