/**
 * Replies that never change, as the text in which they go out: blocks, transactions, receipts and logs by the hash of their
 * block, fees of past blocks by that of the head. What a caller asks for is looked up in the chain first, so a text is found only through a block that is there, and
 * says only what follows from that block. Bounded by the memory that the texts take.
 */
import { BoundedCache } from "../src/runtime/cache.ts";
import type { Json } from "./codec.ts";

/** JSON that is text already: the whole result of a call, put into the reply as it is. */
export class JsonText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const MAX_ENTRIES = 65_536;
const MAX_BYTES = 32 * 1024 * 1024;
/** Of an entry, beside its characters: key, string heads, the list of the cache. */
const ENTRY_OVERHEAD_BYTES = 256;

/** Texts by key; a key names what is shown and in which form. */
export class TextCache {
  readonly #texts = new BoundedCache<string, JsonText>({
    entries: MAX_ENTRIES,
    bytes: MAX_BYTES,
    // JSON of ours has no characters beyond latin1: one byte each
    sizeOf: ({ text }) => text.length + ENTRY_OVERHEAD_BYTES,
  });

  /** Text under `key`, made by `make` when it is not there. Throws RangeError where the text is longer than a string may be. */
  get(key: string, make: () => Json): JsonText {
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const made = new JsonText(JSON.stringify(make()));
    this.#texts.set(key, made);
    return made;
  }
}
