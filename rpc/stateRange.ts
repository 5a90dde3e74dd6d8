/** Parts of a state in the order of its tries, as geth's debug methods show them. */
import type { Preimages } from "../src/chain/preimages.ts";
import { type Bytes, bytesToBigInt } from "../src/primitives/bytes.ts";
import { type Address, bigIntToHash, bytesToHex, type Hash } from "../src/primitives/hex.ts";
import type { State } from "../src/state/state.ts";
import { EMPTY_CODE_HASH, EMPTY_TRIE_ROOT } from "../src/types/account.ts";
import type { Json } from "./codec.ts";

/** Slots or accounts of one reply, at most. */
export const MAX_SLOTS = 1_024;
export const MAX_ACCOUNTS = 256;

/** Slots of an account from a hashed slot on; `nextKey` is where the rest begins. */
export function storageRange(
  state: State,
  preimages: Preimages,
  address: Address,
  from: { readonly key: Hash; readonly limit: number },
): Json {
  state.root();
  const root = state.account(address)?.storageRoot ?? EMPTY_TRIE_ROOT;
  const storage: Record<string, Json> = {};
  const limit = Math.min(from.limit, MAX_SLOTS);
  let shown = 0;
  if (root === EMPTY_TRIE_ROOT) return { storage, nextKey: null };
  for (const [hashed, value] of state.slots(root, from.key)) {
    if (shown++ === limit) return { storage, nextKey: hashed };
    const key = preimages.find(hashed);
    storage[hashed] = { key: key === undefined ? null : bytesToHex(key), value: wordOf(value) };
  }
  return { storage, nextKey: null };
}

function wordOf(value: Bytes): Hash {
  return bigIntToHash(bytesToBigInt(value));
}

/** What a dump of accounts shows. */
export interface DumpOptions {
  /** Hashed address to begin with. */
  readonly from: Hash;
  readonly limit: number;
  readonly withCode: boolean;
  readonly withStorage: boolean;
}

/**
 * Accounts from a hashed address on, by address, or by `pre(<hash>)` where the address was never noted. Each shows at most
 * MAX_SLOTS slots; `next` is where the rest begins.
 */
export function accountRange(state: State, preimages: Preimages, options: DumpOptions): Json {
  const accounts: Record<string, Json> = {};
  const limit = Math.min(options.limit, MAX_ACCOUNTS);
  let shown = 0;
  let next: Hash | undefined;
  for (const [hashed, account] of state.accounts(options.from)) {
    if (shown++ === limit) {
      next = hashed;
      break;
    }
    const { balance, nonce, storageRoot, codeHash } = account;
    const name = preimages.find(hashed);
    const address = name === undefined ? undefined : bytesToHex(name);
    accounts[address ?? `pre(${hashed})`] = {
      balance: balance.toString(),
      nonce: Number(nonce),
      root: storageRoot,
      codeHash,
      code:
        options.withCode && codeHash !== EMPTY_CODE_HASH
          ? bytesToHex(state.codeByHash(codeHash))
          : undefined,
      storage: options.withStorage ? slotsOf(state, preimages, storageRoot) : undefined,
      address,
      key: hashed,
    };
  }
  return { root: state.root(), accounts, next };
}

function slotsOf(state: State, preimages: Preimages, root: Hash): Json {
  const slots: Record<string, Json> = {};
  if (root === EMPTY_TRIE_ROOT) return slots;
  let shown = 0;
  for (const [hashed, value] of state.slots(root)) {
    if (shown++ === MAX_SLOTS) break;
    const key = preimages.find(hashed);
    slots[key === undefined ? hashed : bytesToHex(key)] = bytesToHex(value);
  }
  return slots;
}
