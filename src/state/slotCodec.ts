/** A storage slot's bytes in its trie: RLP of the value without leading zeros. Source: Yellow Paper, section 4.1. */
import { type Bytes, stripZeros } from "../primitives/bytes.ts";
import { StateError } from "./stateError.ts";

const SLOT_BYTES = 32;

/** Bytes of a value that is not zero and has no leading zeros. */
export function encodeSlot(value: Bytes): Bytes {
  if (value.length === 1 && (value[0] ?? 0) < 0x80) return value;
  const out = new Uint8Array(1 + value.length);
  out[0] = 0x80 + value.length;
  out.set(value, 1);
  return out;
}

/** Value from its bytes. Throws StateError BAD_VALUE. */
export function decodeSlot(raw: Bytes): Bytes {
  const first = raw[0] ?? 0xff;
  if (raw.length === 1 && first < 0x80) return raw;
  if (raw.length > SLOT_BYTES + 1 || first !== 0x80 + raw.length - 1) {
    throw new StateError({ code: "BAD_VALUE", detail: "a slot that is not one number" });
  }
  return stripZeros(raw.subarray(1));
}
