/** An account's bytes in the state trie: RLP of [nonce, balance, storageRoot, codeHash]. Source: Yellow Paper, section 4.1. */
import { type Bytes, bigIntToBytes, bytesToBigInt } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import { type Account, EMPTY_CODE_HASH, EMPTY_TRIE_ROOT } from "../types/account.ts";
import { StateError } from "./stateError.ts";

const HASH_BYTES = 32;
const HASH_ITEM_BYTES = 1 + HASH_BYTES;
const EMPTY_ROOT_BYTES = hexToBytes(EMPTY_TRIE_ROOT);
const EMPTY_CODE_BYTES = hexToBytes(EMPTY_CODE_HASH);

/** Bytes of `account`. */
export function encodeAccount(account: Account): Bytes {
  const nonce = bigIntToBytes(account.nonce);
  const balance = bigIntToBytes(account.balance);
  const payload = itemSize(nonce) + itemSize(balance) + 2 * HASH_ITEM_BYTES;
  const out = new Uint8Array(2 + payload);
  out[0] = 0xf8;
  out[1] = payload;
  let at = writeItem(out, 2, nonce);
  at = writeItem(out, at, balance);
  at = writeHash(out, at, hashBytes(account.storageRoot, EMPTY_TRIE_ROOT, EMPTY_ROOT_BYTES));
  writeHash(out, at, hashBytes(account.codeHash, EMPTY_CODE_HASH, EMPTY_CODE_BYTES));
  return out;
}

function itemSize(value: Bytes): number {
  return value.length === 1 && (value[0] ?? 0) < 0x80 ? 1 : 1 + value.length;
}

function writeItem(out: Bytes, start: number, value: Bytes): number {
  let at = start;
  if (itemSize(value) !== 1 || value.length === 0) out[at++] = 0x80 + value.length;
  out.set(value, at);
  return at + value.length;
}

function writeHash(out: Bytes, at: number, hash: Bytes): number {
  out[at] = 0x80 + HASH_BYTES;
  out.set(hash, at + 1);
  return at + HASH_ITEM_BYTES;
}

function hashBytes(hash: Hash, empty: Hash, emptyBytes: Bytes): Bytes {
  return hash === empty ? emptyBytes : hexToBytes(hash);
}

/** Account from its bytes. Throws StateError BAD_VALUE. */
export function decodeAccount(raw: Bytes): Account {
  const nonceAt = raw[0] === 0xf8 && raw[1] === raw.length - 2 ? 2 : refuse("not one list");
  const nonce = readItem(raw, nonceAt);
  const balanceAt = itemEnd(raw, nonceAt);
  const balance = readItem(raw, balanceAt);
  const rootAt = itemEnd(raw, balanceAt);
  const codeAt = rootAt + HASH_ITEM_BYTES;
  if (raw.length !== codeAt + HASH_ITEM_BYTES) refuse("not four items");
  return {
    nonce: bytesToBigInt(nonce),
    balance: bytesToBigInt(balance),
    storageRoot: readHash(raw, rootAt, EMPTY_TRIE_ROOT, EMPTY_ROOT_BYTES),
    codeHash: readHash(raw, codeAt, EMPTY_CODE_HASH, EMPTY_CODE_BYTES),
  };
}

function itemEnd(raw: Bytes, at: number): number {
  const first = raw[at] ?? 0xff;
  if (first < 0x80) return at + 1;
  return first <= 0x80 + HASH_BYTES ? at + 1 + first - 0x80 : refuse("a number above 32 bytes");
}

function readItem(raw: Bytes, at: number): Bytes {
  return raw.subarray((raw[at] ?? 0xff) < 0x80 ? at : at + 1, itemEnd(raw, at));
}

function readHash(raw: Bytes, at: number, empty: Hash, emptyBytes: Bytes): Hash {
  if (raw[at] !== 0x80 + HASH_BYTES) refuse("a hash that is not 32 bytes");
  for (let i = 0; i < HASH_BYTES; i++) {
    if (raw[at + 1 + i] !== emptyBytes[i])
      return bytesToHash(raw.subarray(at + 1, at + HASH_ITEM_BYTES));
  }
  return empty;
}

function refuse(detail: string): never {
  throw new StateError({ code: "BAD_VALUE", detail });
}
