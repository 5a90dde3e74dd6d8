/**
 * Our synchronous State in the shape @ethereumjs/evm asks for. Roots, proofs and caches stay with State:
 * the interpreter only reads, writes and nests.
 */
import type { AccountFields, StateManagerInterface } from "@ethereumjs/common";
import { Account as EvmAccount, type Address as EvmAddress } from "@ethereumjs/util";
import type { Bytes } from "../primitives/bytes.ts";
import {
  type Address,
  bytesToAddress,
  bytesToHash,
  type Hash,
  hexToBytes,
} from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import { type Account, EMPTY_ACCOUNT, EMPTY_CODE_HASH, EMPTY_TRIE_ROOT } from "../types/account.ts";

/** The account as the interpreter mutates it; `source` is what State held when it was read. */
class AccountView extends EvmAccount {
  readonly source: Account;

  constructor(source: Account) {
    super(
      source.nonce,
      source.balance,
      source.storageRoot === EMPTY_TRIE_ROOT ? undefined : hexToBytes(source.storageRoot),
      source.codeHash === EMPTY_CODE_HASH ? undefined : hexToBytes(source.codeHash),
    );
    this.source = source;
  }
}

/** Adapts a State for one EVM. Every method answers at once; the promises are the library's wish. */
export class StateAdapter implements StateManagerInterface {
  readonly #state: State;
  readonly originalStorageCache: StateManagerInterface["originalStorageCache"];

  constructor(state: State) {
    this.#state = state;
    this.originalStorageCache = {
      get: async (address: EvmAddress, key: Bytes) =>
        state.originalSlot(addressOf(address), slotKey(key)),
      clear: () => state.beginTransaction(),
    };
  }

  async getAccount(address: EvmAddress): Promise<EvmAccount | undefined> {
    const account = this.#state.account(addressOf(address));
    return account === undefined ? undefined : new AccountView(account);
  }

  async putAccount(address: EvmAddress, account?: EvmAccount): Promise<void> {
    const key = addressOf(address);
    if (account === undefined) return this.#state.deleteAccount(key);
    // Code and storage have their own writers: the interpreter changes nonce and balance only.
    const held = this.#state.account(key) ?? EMPTY_ACCOUNT;
    this.#state.setAccount(key, { ...held, nonce: account.nonce, balance: account.balance });
  }

  async deleteAccount(address: EvmAddress): Promise<void> {
    this.#state.deleteAccount(addressOf(address));
  }

  async modifyAccountFields(address: EvmAddress, fields: AccountFields): Promise<void> {
    const key = addressOf(address);
    const held = this.#state.account(key) ?? EMPTY_ACCOUNT;
    this.#state.setAccount(key, {
      ...held,
      nonce: fields.nonce ?? held.nonce,
      balance: fields.balance ?? held.balance,
    });
  }

  async putCode(address: EvmAddress, code: Bytes): Promise<void> {
    this.#state.setCode(addressOf(address), code);
  }

  async getCode(address: EvmAddress): Promise<Bytes> {
    return this.#state.code(addressOf(address));
  }

  async getCodeSize(address: EvmAddress): Promise<number> {
    return this.#state.code(addressOf(address)).length;
  }

  async getStorage(address: EvmAddress, key: Bytes): Promise<Bytes> {
    return this.#state.slot(addressOf(address), slotKey(key));
  }

  async putStorage(address: EvmAddress, key: Bytes, value: Bytes): Promise<void> {
    this.#state.setSlot(addressOf(address), slotKey(key), value);
  }

  async clearStorage(address: EvmAddress): Promise<void> {
    this.#state.clearStorage(addressOf(address));
  }

  async checkpoint(): Promise<void> {
    this.#state.checkpoint();
  }

  async commit(): Promise<void> {
    this.#state.commit();
  }

  async revert(): Promise<void> {
    this.#state.revert();
  }

  async getStateRoot(): Promise<Bytes> {
    return hexToBytes(this.#state.root());
  }

  setStateRoot(): Promise<void> {
    return Promise.reject(new TypeError("a State is opened at its root, it does not move"));
  }

  hasStateRoot(): Promise<boolean> {
    return Promise.reject(new TypeError("roots are looked up in the store, not through the EVM"));
  }

  clearCaches(): void {}

  shallowCopy(): StateManagerInterface {
    return new StateAdapter(this.#state.copy());
  }
}

function addressOf(address: EvmAddress): Address {
  return bytesToAddress(address.bytes);
}

function slotKey(key: Bytes): Hash {
  return bytesToHash(key);
}
