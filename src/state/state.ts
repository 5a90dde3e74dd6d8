/**
 * Accounts, storage and code at one root, with changes on top.
 *
 * Reads go to the account's cell (a cache), to trie nodes in memory, to the flat entries if the store has those of this
 * root, then to the trie. Writes stay in the cells, journaled while a checkpoint is open; `root` puts them into the storage
 * tries and the account trie in one pass and hashes each changed node once. `takeChanges` hands the new nodes and codes to
 * the caller, who stores them in the block's batch. Everything is synchronous. Whatever the store lacks throws StateError;
 * after such a throw the State must be thrown away.
 */
import { keccak256, keccakHash } from "../crypto/keccak.ts";
import { type Bytes, EMPTY_BYTES, stripZeros } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { type Address, bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import { type Account, EMPTY_ACCOUNT, EMPTY_CODE_HASH, EMPTY_TRIE_ROOT } from "../types/account.ts";
import { decodeAccount, encodeAccount } from "./accountCodec.ts";
import { FlatLog, noteSlot } from "./flatLog.ts";
import { type FlatChanges, type FlatView, flatKey } from "./flatState.ts";
import { NodeBuffer, type NodeStore } from "./nodeBuffer.ts";
import { NodeCache } from "./nodeCache.ts";
import { AccountCell, byTrieKey, Journal, StorageArea } from "./overlay.ts";
import { decodeSlot, encodeSlot } from "./slotCodec.ts";
import { StateError } from "./stateError.ts";
import { NOT_CACHED, Trie } from "./trie.ts";

/** What a State reads: trie nodes and contract code by hash. */
export interface StateStore extends NodeStore {
  getCode(hash: Hash): Bytes | undefined;
  /** Accounts and slots of the newest state beside its trie, where they are kept. */
  readonly flat?: FlatView;
}

/** Everything that must be stored for `root` to be readable, given that the root before it was. */
export interface StateChanges {
  readonly root: Hash;
  /** Root that the changes go on from: of the take before, or as opened. */
  readonly base: Hash;
  /** New trie nodes by hash, in hex without 0x. */
  readonly nodes: Map<string, Bytes>;
  /** New contract code by hash. */
  readonly code: Map<Hash, Bytes>;
  /** Accounts that were written, and which of their slots. */
  readonly written: ReadonlyMap<Address, readonly Hash[]>;
  /** How the flat entries change from `base` to `root`; empty where the store has none. */
  readonly flat: FlatChanges;
}

/** Accounts kept as cells between blocks; above it all are forgotten, which costs reads and nothing else. */
const MAX_CACHED_ACCOUNTS = 65_536;
/** Read slots kept between blocks, over all accounts. */
const MAX_CACHED_SLOTS = 262_144;
const NO_SLOTS: readonly Hash[] = [];
const NO_FLAT_CHANGES: FlatChanges = new Map();

/** World state: mutable, single-owner. For a concurrent reader open another State, or `copy`. */
export class State {
  readonly #store: StateStore;
  readonly #cache: NodeCache;
  readonly #journal = new Journal();
  readonly #buffer: NodeBuffer;
  readonly #trie: Trie;
  #cells = new Map<Address, AccountCell>();
  #listed: AccountCell[] = [];
  #cachedSlots = 0;
  /** Code set since the last root; reverted deployments included. */
  #newCode = new Map<Hash, Bytes>();
  #freshCode = new Map<Hash, Bytes>();
  #takenCode = new Map<Hash, Bytes>();
  #written = new Map<Address, readonly Hash[]>();
  #transaction = 0;
  /** Root whose state everything has that is not in a cell. */
  #base: Hash;
  #takenRoot: Hash;
  readonly #flatLog: FlatLog | undefined;

  /** Opens the state at `root`; a root the store does not have shows at the first read. `buffer` is for `copy`. */
  constructor(
    store: StateStore,
    root: Hash,
    cache: NodeCache = new NodeCache(),
    buffer: NodeBuffer = new NodeBuffer(store),
  ) {
    this.#store = store;
    this.#cache = cache;
    this.#buffer = buffer;
    this.#trie = new Trie(buffer, root, cache);
    this.#base = root;
    this.#takenRoot = root;
    if (store.flat !== undefined) this.#flatLog = new FlatLog();
  }

  // -------------------------------------------------------------------------------------------- accounts

  /** The account, or undefined. `storageRoot` is up to date only after `root`. */
  account(address: Address): Account | undefined {
    return this.#cell(address).account;
  }

  /** Creates or replaces the account; its `storageRoot` is ignored, storage changes through slots only. */
  setAccount(address: Address, account: Account): void {
    this.#journal.setAccount(this.#list(this.#cell(address)), account);
  }

  /** Removes account, code reference and storage; the account may be created again, with empty storage. */
  deleteAccount(address: Address): void {
    const cell = this.#list(this.#cell(address));
    this.#journal.setAccount(cell, undefined);
    this.#journal.setStorage(cell, cell.storage.emptied());
  }

  // -------------------------------------------------------------------------------------------- code

  /** Code of the account; empty when it has none or does not exist. Throws StateError MISSING_CODE. */
  code(address: Address): Bytes {
    const account = this.account(address);
    return account === undefined ? EMPTY_BYTES : this.codeByHash(account.codeHash);
  }

  /** Code with this keccak256. Throws StateError MISSING_CODE. */
  codeByHash(hash: Hash): Bytes {
    if (hash === EMPTY_CODE_HASH) return EMPTY_BYTES;
    const known =
      this.#cache.code.get(hash) ??
      this.#newCode.get(hash) ??
      this.#freshCode.get(hash) ??
      this.#takenCode.get(hash);
    if (known !== undefined) return known;
    const stored = this.#store.getCode(hash);
    if (stored === undefined) throw new StateError({ code: "MISSING_CODE", hash });
    this.#cache.code.set(hash, stored);
    return stored;
  }

  /** Gives the account this code, creating the account if need be. `code` is kept, not copied. */
  setCode(address: Address, code: Bytes): void {
    const codeHash = code.length === 0 ? EMPTY_CODE_HASH : keccakHash(code);
    if (code.length > 0) this.#newCode.set(codeHash, code);
    this.setAccount(address, { ...(this.account(address) ?? EMPTY_ACCOUNT), codeHash });
  }

  // -------------------------------------------------------------------------------------------- storage

  /** Value of a storage slot, big-endian without leading zeros; empty is zero. */
  slot(address: Address, key: Hash): Bytes {
    return this.#slotOf(this.#cell(address), key);
  }

  /** Sets a storage slot; `value` is a number of at most 32 bytes, leading zeros allowed. Kept, not copied. */
  setSlot(address: Address, key: Hash, value: Bytes): void {
    const cell = this.#list(this.#cell(address));
    const area = cell.storage;
    if (area.original(this.#transaction, key) === undefined) {
      area.noteOriginal(this.#transaction, key, this.#slotOf(cell, key));
    }
    this.#journal.setSlot(area, key, stripZeros(value));
  }

  /** The slot's value when the transaction began (EIP-2200 "original value"). */
  originalSlot(address: Address, key: Hash): Bytes {
    const cell = this.#cell(address);
    return cell.storage.original(this.#transaction, key) ?? this.#slotOf(cell, key);
  }

  /** Sets every slot of the account to zero. */
  clearStorage(address: Address): void {
    const cell = this.#list(this.#cell(address));
    this.#journal.setStorage(cell, cell.storage.emptied());
  }

  /** True when the account has any slot that is not zero, written or stored (EIP-7610 asks). */
  hasStorage(address: Address): boolean {
    const area = this.#cell(address).storage;
    if (area.written.size === 0) return area.root !== EMPTY_TRIE_ROOT;
    const trie = new Trie(this.#buffer.copy(), area.root, this.#cache);
    this.#putSlots(trie, area);
    return trie.rootHash() !== EMPTY_TRIE_ROOT;
  }

  // -------------------------------------------------------------------------------------------- checkpoints

  /** Marks the start of a transaction: present values become the original ones. */
  beginTransaction(): void {
    this.#transaction++;
  }

  /** Open checkpoints. */
  get depth(): number {
    return this.#journal.depth;
  }

  /** Opens a checkpoint, closed by one `commit` or `revert`. */
  checkpoint(): void {
    this.#journal.checkpoint();
  }

  /** Keeps the changes of the innermost checkpoint. */
  commit(): void {
    this.#journal.commit();
  }

  /** Undoes the changes of the innermost checkpoint. */
  revert(): void {
    this.#journal.revert();
  }

  // -------------------------------------------------------------------------------------------- root and changes

  /** State root with all changes; only outside of checkpoints. Later changes continue from it. */
  root(): Hash {
    assert(this.depth === 0, "the root is asked for outside of all checkpoints");
    const cells = this.#listed.sort(byTrieKey);
    this.#listed = [];
    for (const cell of cells) {
      cell.listed = false;
      this.#flush(cell);
    }
    this.#newCode = new Map();
    return this.#trie.rootHash();
  }

  /** New nodes and codes since the last take, ready to be stored in one batch; computes the root. */
  takeChanges(): StateChanges {
    const root = this.root();
    const code = this.#freshCode;
    this.#takenCode = code;
    this.#freshCode = new Map();
    const flat = this.#flatLog?.take() ?? NO_FLAT_CHANGES;
    const nodes = this.#buffer.take();
    const changes = { root, base: this.#takenRoot, nodes, code, written: this.#written, flat };
    this.#written = new Map();
    this.#base = root;
    this.#takenRoot = root;
    if (this.#cells.size > MAX_CACHED_ACCOUNTS || this.#cachedSlots > MAX_CACHED_SLOTS) {
      this.trimCaches();
    }
    return changes;
  }

  /** Forgets what was only read; done by itself when the cells grow beyond their limits. */
  trimCaches(): void {
    assert(this.depth === 0, "the journal refers to cells only inside of checkpoints");
    this.#cells = new Map();
    this.#cachedSlots = 0;
    for (const cell of this.#listed) this.#cells.set(cell.address, cell);
    this.#base = this.#trie.rootHash();
  }

  /** An independent State with the same content, without checkpoints. Costs as much as there are changes since `root`. */
  copy(): State {
    const root = this.#trie.rootHash();
    const copy = new State(this.#store, root, this.#cache, this.#buffer.copy());
    copy.#newCode = new Map(this.#newCode);
    copy.#freshCode = new Map(this.#freshCode);
    copy.#takenCode = this.#takenCode;
    for (const cell of this.#listed) {
      const storage = cell.storage.copy();
      const twin = new AccountCell(cell.address, cell.trieKey, { account: cell.account, storage });
      copy.#cells.set(cell.address, copy.#list(twin));
    }
    return copy;
  }

  // -------------------------------------------------------------------------------------------- iteration

  /** Accounts by hashed address, in its order, from `from` on; as of the last `root`. */
  *accounts(from?: Hash): Generator<readonly [addressHash: Hash, account: Account]> {
    for (const [key, value] of this.#trie.entries(
      from === undefined ? undefined : hexToBytes(from),
    )) {
      yield [bytesToHash(key), decodeAccount(value)];
    }
  }

  /** Slots under a storage root by hashed slot key, in its order, from `from` on. Values as `slot` gives them. */
  *slots(storageRoot: Hash, from?: Hash): Generator<readonly [slotHash: Hash, value: Bytes]> {
    const trie = new Trie(this.#buffer, storageRoot, this.#cache);
    for (const [key, value] of trie.entries(from === undefined ? undefined : hexToBytes(from))) {
      yield [bytesToHash(key), decodeSlot(value)];
    }
  }

  /** Addresses this State has met since its caches were last trimmed. */
  addressesMet(): IterableIterator<Address> {
    return this.#cells.keys();
  }

  /** Slots of an account this State has met since its caches were last trimmed. */
  slotsMet(address: Address): ReadonlySet<Hash> {
    const storage = this.#cells.get(address)?.storage;
    return new Set([...(storage?.read.keys() ?? []), ...(storage?.written.keys() ?? [])]);
  }

  // -------------------------------------------------------------------------------------------- private

  #cell(address: Address): AccountCell {
    const known = this.#cells.get(address);
    if (known !== undefined) return known;
    const trieKey = this.#hashedKey(address);
    const raw = this.#leaf(this.#trie, trieKey);
    const account = raw === undefined || raw.length === 0 ? undefined : decodeAccount(raw);
    const storage = new StorageArea(account?.storageRoot ?? EMPTY_TRIE_ROOT);
    const cell = new AccountCell(address, trieKey, { account, storage });
    cell.leaf = raw;
    this.#cells.set(address, cell);
    return cell;
  }

  #list(cell: AccountCell): AccountCell {
    if (!cell.listed) {
      cell.listed = true;
      this.#listed.push(cell);
    }
    return cell;
  }

  /**
   * Value in the account trie or in that of an account's storage: from its nodes as far as they are in memory, else by one
   * read of the flat entry, else by a walk.
   */
  #leaf(trie: Trie, key: Bytes, owner?: AccountCell): Bytes | undefined {
    const { flat } = this.#store;
    if (flat === undefined || owner?.storage.isCleared === true) return trie.get(key);
    const held = trie.peek(key);
    if (held !== NOT_CACHED) return held;
    const entry = owner === undefined ? flatKey(key) : flatKey(owner.trieKey, key);
    return flat.read(this.#base, entry) ?? trie.get(key);
  }

  #hashedKey(text: Address | Hash): Bytes {
    const known = this.#cache.hashedKeys.get(text);
    if (known !== undefined) return known;
    const hashed = keccak256(hexToBytes(text));
    this.#cache.hashedKeys.set(text, hashed);
    return hashed;
  }

  #slotOf(cell: AccountCell, key: Hash): Bytes {
    const area = cell.storage;
    const known = area.known(key);
    if (known !== undefined) return known;
    if (area.root === EMPTY_TRIE_ROOT) return EMPTY_BYTES;
    const raw = this.#leaf(this.#trieOf(area), this.#hashedKey(key), cell);
    const value = raw === undefined || raw.length === 0 ? EMPTY_BYTES : decodeSlot(raw);
    area.remember(key, value);
    this.#cachedSlots++;
    return value;
  }

  #flush(cell: AccountCell): void {
    const { account } = cell;
    if (account === undefined) {
      cell.storage = cell.storage.emptied();
      this.#flatLog?.account(cell, EMPTY_BYTES);
      this.#trie.put(cell.trieKey, EMPTY_BYTES);
      return;
    }
    this.#noteWritten(cell);
    const { written } = cell.storage;
    const storageRoot = this.#flushStorage(cell.storage);
    if (account.storageRoot !== storageRoot) cell.account = { ...account, storageRoot };
    const code = this.#newCode.get(account.codeHash);
    if (code !== undefined) {
      this.#freshCode.set(account.codeHash, code);
      this.#cache.code.set(account.codeHash, code);
    }
    const raw = encodeAccount(cell.account ?? account);
    this.#trie.put(cell.trieKey, raw, cell.leaf);
    cell.leaf = raw;
    if (this.#flatLog === undefined) return;
    const change = this.#flatLog.account(cell, raw);
    for (const [key, value] of written) noteSlot(change, this.#hashedKey(key), value);
  }

  #noteWritten({ address, storage }: AccountCell): void {
    const slots = storage.written.size === 0 ? NO_SLOTS : [...storage.written.keys()];
    const before = this.#written.get(address) ?? NO_SLOTS;
    this.#written.set(address, before.length === 0 ? slots : [...before, ...slots]);
  }

  #flushStorage(area: StorageArea): Hash {
    if (area.written.size === 0) return area.root;
    const trie = this.#trieOf(area);
    this.#putSlots(trie, area);
    this.#cachedSlots += area.written.size;
    area.settle(trie.rootHash());
    return area.root;
  }

  #trieOf(area: StorageArea): Trie {
    area.trie ??= new Trie(this.#buffer, area.root, this.#cache);
    return area.trie;
  }

  #putSlots(trie: Trie, area: StorageArea): void {
    for (const [key, value] of area.written) {
      const before = area.read.get(key);
      const leaf = before === undefined || before.length === 0 ? undefined : encodeSlot(before);
      trie.put(this.#hashedKey(key), value.length === 0 ? EMPTY_BYTES : encodeSlot(value), leaf);
    }
  }
}
