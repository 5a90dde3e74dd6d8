/** What a random history of the state must come to: plain maps, and the tries of @ethereumjs/mpt. */
import { createMerkleProof, createMPT, type MerklePatriciaTrie } from "@ethereumjs/mpt";
import type { Bytes } from "../../src/primitives/bytes.ts";
import {
  type Address,
  bigIntToHash,
  bytesToHash,
  type Hash,
  hexToBytes,
  parseAddress,
} from "../../src/primitives/hex.ts";
import { encodeAccount } from "../../src/state/accountCodec.ts";
import { encodeSlot } from "../../src/state/slotCodec.ts";
import { EMPTY_TRIE_ROOT } from "../../src/types/account.ts";

export interface ModelAccount {
  readonly nonce: bigint;
  readonly balance: bigint;
  readonly codeHash: Hash;
}

/** Brings back what one write to the model changed. */
type Undo = () => void;

/** Address of the account with this number. */
export const trialAddress = (id: number): Address =>
  parseAddress(`0x${(id + 1).toString(16).padStart(40, "0")}`);
/** Key of the slot with this number. */
export const trialSlot = (id: number): Hash => bigIntToHash(BigInt(id));

/** Plain maps, with an undo list. */
export class Model {
  readonly accounts = new Map<number, ModelAccount>();
  readonly storage = new Map<number, Map<number, Bytes>>();
  readonly touched = new Map<number, Set<number>>();
  /** Accounts whose storage was emptied in this block. */
  readonly emptied = new Set<number>();
  readonly #undos: Undo[] = [];
  readonly #marks: number[] = [];

  checkpoint(): void {
    this.#marks.push(this.#undos.length);
  }

  commit(): void {
    this.#marks.pop();
  }

  revert(): void {
    const mark = this.#marks.pop() ?? 0;
    while (this.#undos.length > mark) this.#undos.pop()?.();
  }

  setAccount(id: number, next: ModelAccount | undefined): void {
    const before = this.accounts.get(id);
    this.#undos.push(() => put(this.accounts, id, before));
    put(this.accounts, id, next);
    this.#touch(id);
  }

  setSlot(id: number, key: number, value: Bytes): void {
    let slots = this.storage.get(id);
    if (slots === undefined) {
      slots = new Map();
      this.storage.set(id, slots);
    }
    const area = slots;
    const before = area.get(key);
    this.#undos.push(() => put(area, key, before));
    put(area, key, value.length === 0 ? undefined : value);
    this.#touch(id).add(key);
  }

  clear(id: number): void {
    const before = this.storage.get(id);
    this.#undos.push(() => put(this.storage, id, before));
    this.storage.delete(id);
    this.#touch(id);
    // an undone clear leaves the name here: its storage is only compared anew
    this.emptied.add(id);
  }

  endBlock(): void {
    this.touched.clear();
    this.emptied.clear();
    this.#undos.length = 0;
  }

  #touch(id: number): Set<number> {
    let keys = this.touched.get(id);
    if (keys === undefined) {
      keys = new Set();
      this.touched.set(id, keys);
    }
    return keys;
  }
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

/** The tries of @ethereumjs/mpt, brought from block to block. */
export class Oracle {
  readonly #accounts: MerklePatriciaTrie;
  readonly #storage = new Map<number, MerklePatriciaTrie>();

  constructor(accounts: MerklePatriciaTrie) {
    this.#accounts = accounts;
  }

  static async open(): Promise<Oracle> {
    return new Oracle(await createMPT({ useKeyHashing: true, useNodePruning: true }));
  }

  async apply(model: Model): Promise<Hash> {
    for (const [id, keys] of model.touched) {
      const account = model.accounts.get(id);
      if (account === undefined || model.emptied.has(id)) this.#storage.delete(id);
      const key = hexToBytes(trialAddress(id));
      if (account === undefined) await this.#accounts.del(key);
      else {
        const storageRoot = await this.#applyStorage(model, id, keys);
        await this.#accounts.put(key, encodeAccount({ ...account, storageRoot }));
      }
    }
    return bytesToHash(this.#accounts.root());
  }

  async #applyStorage(model: Model, id: number, keys: ReadonlySet<number>): Promise<Hash> {
    const slots = model.storage.get(id);
    let trie = this.#storage.get(id);
    if (trie === undefined) {
      if (slots === undefined || slots.size === 0) return EMPTY_TRIE_ROOT;
      trie = await createMPT({ useKeyHashing: true, useNodePruning: true });
      this.#storage.set(id, trie);
      for (const [key, value] of slots)
        await trie.put(hexToBytes(trialSlot(key)), encodeSlot(value));
      return bytesToHash(trie.root());
    }
    for (const key of keys) {
      const value = slots?.get(key);
      if (value === undefined) await trie.del(hexToBytes(trialSlot(key)));
      else await trie.put(hexToBytes(trialSlot(key)), encodeSlot(value));
    }
    return bytesToHash(trie.root());
  }

  async proof(id: number, slot: number): Promise<{ account: Bytes[]; storage: Bytes[] }> {
    const trie = this.#storage.get(id);
    const account = await createMerkleProof(this.#accounts, hexToBytes(trialAddress(id)));
    const isEmpty = trie === undefined || bytesToHash(trie.root()) === EMPTY_TRIE_ROOT;
    const storage = isEmpty ? [] : await createMerkleProof(trie, hexToBytes(trialSlot(slot)));
    return { account, storage };
  }
}
