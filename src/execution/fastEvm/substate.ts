/**
 * What one transaction has touched: warm addresses and slots, transient storage, refunds, logs, creations and
 * destructions, each undone with the frame that caused it. Storage is read once per slot and written through to State.
 * Sources: Yellow Paper 6.1, EIPs 161, 1153, 2200, 2929, 6780.
 */
import { type Bytes, bigIntToBytes } from "../../primitives/bytes.ts";
import type { Address, Hash } from "../../primitives/hex.ts";
import type { State } from "../../state/state.ts";
import { type Account, EMPTY_ACCOUNT, isEmptyAccount } from "../../types/account.ts";
import type { Log } from "../../types/receipt.ts";
import { bytesToWord, MAX_WORD, toBig, type Word, wordToAddress, wordToHash } from "./word.ts";

/** A storage slot in one transaction. */
export interface Slot {
  readonly key: Hash;
  value: Word;
  /** Value when the transaction began */
  readonly original: Word;
  isWarm: boolean;
}

export type Slots = Map<Word, Slot>;

/** Addresses, as far as one can ask for them. */
export type AddressSet = Pick<ReadonlySet<Address>, "has">;
export const NO_ADDRESSES: AddressSet = new Set();

/** Address 0x03. */
const RIPEMD160 = wordToAddress(3);

type Undo =
  | { readonly kind: "slot"; readonly slot: Slot; readonly value: Word }
  | { readonly kind: "warmSlot"; readonly slot: Slot }
  | { readonly kind: "member"; readonly set: Set<Address>; readonly address: Address }
  | {
      readonly kind: "transient";
      readonly words: Map<Word, Word>;
      readonly key: Word;
      readonly value: Word;
    }
  | { readonly kind: "refund"; readonly refund: number };

/** Journaled side effects over one State. `begin` starts each transaction. */
export class Substate {
  readonly state: State;
  readonly logs: Log[] = [];
  /** Gas to give back, before the cap */
  refund = 0;
  readonly #warm = new Set<Address>();
  #alwaysWarm: AddressSet = NO_ADDRESSES;
  readonly #touched = new Set<Address>();
  readonly #created = new Set<Address>();
  readonly #destroyed = new Set<Address>();
  readonly #slots = new Map<Address, Slots>();
  readonly #transient = new Map<Address, Map<Word, Word>>();
  readonly #undos: Undo[] = [];
  readonly #logMarks: number[] = [];

  constructor(state: State) {
    this.state = state;
  }

  /** Forgets the transaction before. `alwaysWarm` stay warm whatever is undone. */
  begin(alwaysWarm: AddressSet): void {
    this.#alwaysWarm = alwaysWarm;
    this.logs.length = 0;
    this.refund = 0;
    this.#undos.length = 0;
    this.#logMarks.length = 0;
    for (const met of [this.#warm, this.#touched, this.#created, this.#destroyed]) met.clear();
    this.#slots.clear();
    this.#transient.clear();
  }

  /** Opens a checkpoint; the mark goes to `revert`. */
  checkpoint(): number {
    this.state.checkpoint();
    this.#logMarks.push(this.logs.length);
    return this.#undos.length;
  }

  /** Keeps what was done since the innermost checkpoint. */
  commit(): void {
    this.state.commit();
    this.#logMarks.pop();
  }

  /** Undoes what was done since the innermost checkpoint. */
  revert(mark: number): void {
    this.state.revert();
    this.logs.length = this.#logMarks.pop() ?? 0;
    while (this.#undos.length > mark) {
      const undo = this.#undos.pop();
      if (undo !== undefined) this.#undo(undo);
    }
  }

  /** The slots of an account, for `slot`. */
  slotsOf(address: Address): Slots {
    let slots = this.#slots.get(address);
    if (slots === undefined) {
      slots = new Map();
      this.#slots.set(address, slots);
    }
    return slots;
  }

  /** The slot under `key`, read from State at the first call. */
  slot(slots: Slots, address: Address, key: Word): Slot {
    const known = slots.get(key);
    if (known !== undefined) return known;
    const hash = wordToHash(key);
    const value = bytesToWord(this.state.slot(address, hash));
    const slot = { key: hash, value, original: value, isWarm: false };
    slots.set(key, slot);
    return slot;
  }

  /** Makes the slot warm; false when it was. */
  warmSlot(slot: Slot): boolean {
    if (slot.isWarm) return false;
    slot.isWarm = true;
    this.#undos.push({ kind: "warmSlot", slot });
    return true;
  }

  /** Sets a slot. */
  store(address: Address, slot: Slot, value: Word): void {
    if (slot.value === value) return;
    this.#undos.push({ kind: "slot", slot, value: slot.value });
    slot.value = value;
    this.state.setSlot(address, slot.key, bigIntToBytes(toBig(value)));
  }

  /** A word of the transient storage. Source: EIP-1153. */
  transient(address: Address, key: Word): Word {
    return this.#transient.get(address)?.get(key) ?? 0;
  }

  /** Sets a word of the transient storage. */
  storeTransient(address: Address, key: Word, value: Word): void {
    let words = this.#transient.get(address);
    if (words === undefined) {
      words = new Map();
      this.#transient.set(address, words);
    }
    this.#undos.push({ kind: "transient", words, key, value: words.get(key) ?? 0 });
    words.set(key, value);
  }

  /** Adds to the refund, or takes from it. */
  addRefund(gas: number): void {
    if (gas === 0) return;
    this.#undos.push({ kind: "refund", refund: this.refund });
    this.refund += gas;
  }

  /** Makes addresses warm for the whole transaction; before its first checkpoint. */
  warmFromStart(addresses: readonly Address[]): void {
    for (const address of addresses) this.#warm.add(address);
  }

  /** Makes the address warm; false when it was. */
  warm(address: Address): boolean {
    return !this.#alwaysWarm.has(address) && this.#join(this.#warm, address);
  }

  /** Whether the address is warm. */
  isWarm(address: Address): boolean {
    return this.#warm.has(address) || this.#alwaysWarm.has(address);
  }

  /** The contract was created in this transaction. */
  noteCreated(address: Address): void {
    this.#join(this.#created, address);
  }

  wasCreated(address: Address): boolean {
    return this.#created.has(address);
  }

  /** The account is to be deleted at the end; false when that was known. */
  destroy(address: Address): boolean {
    return this.#join(this.#destroyed, address);
  }

  /** Accounts to delete after the transaction. Under EIP-6780 only those that it created. */
  destroyed(onlyCreated: boolean): Address[] {
    const all = [...this.#destroyed];
    return onlyCreated ? all.filter((address) => this.#created.has(address)) : all;
  }

  /** Wei of an account. */
  balance(address: Address): bigint {
    return this.state.account(address)?.balance ?? 0n;
  }

  /** No account, or one that EIP-161 counts as none. */
  isEmpty(address: Address): boolean {
    const account = this.state.account(address);
    return account === undefined || isEmptyAccount(account);
  }

  /** Gives the account another balance, creating it if need be. */
  setBalance(address: Address, balance: bigint): void {
    const account = { ...(this.state.account(address) ?? EMPTY_ACCOUNT), balance };
    this.state.setAccount(address, account);
    this.touch(address, account);
  }

  /** Moves value; false when the recipient would have more than 2^256 - 1, and nothing was credited. */
  transfer(from: Address, to: Address, value: bigint): boolean {
    this.setBalance(from, this.balance(from) - value);
    const balance = this.balance(to) + value;
    if (balance > MAX_WORD) return false;
    this.setBalance(to, balance);
    return true;
  }

  /** Notes an account that must not stay if it is empty at the end. Source: EIP-161. */
  touch(address: Address, account: Account | undefined): void {
    if (account === undefined || isEmptyAccount(account)) this.#join(this.#touched, address);
  }

  /** Deletes the empty accounts among those touched. */
  deleteEmpty(): void {
    for (const address of this.#touched) {
      const account = this.state.account(address);
      if (account !== undefined && isEmptyAccount(account)) this.state.deleteAccount(address);
    }
  }

  /** Code of an account. */
  code(address: Address): Bytes {
    return this.state.code(address);
  }

  #join(set: Set<Address>, address: Address): boolean {
    if (set.has(address)) return false;
    set.add(address);
    this.#undos.push({ kind: "member", set, address });
    return true;
  }

  #undo(undo: Undo): void {
    switch (undo.kind) {
      case "slot":
        undo.slot.value = undo.value;
        return;
      case "warmSlot":
        undo.slot.isWarm = false;
        return;
      case "member":
        // mainnet block 2,675,119: a touch of this precompile outlives its frame
        if (undo.set !== this.#touched || undo.address !== RIPEMD160) undo.set.delete(undo.address);
        return;
      case "transient":
        undo.words.set(undo.key, undo.value);
        return;
      case "refund":
        this.refund = undo.refund;
        return;
    }
  }
}
