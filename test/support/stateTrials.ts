/**
 * Random histories of the state beside @ethereumjs/mpt: accounts and slots written, storage cleared, contracts destroyed and
 * made again within one block, empty accounts removed, checkpoints undone. After each block the root is compared, now and
 * then proofs, the flat state against its trie, a branch beside, and opening after a crash. Everything lies in a real database.
 */
import assert from "node:assert/strict";
import { keccakHash } from "../../src/crypto/keccak.ts";
import { type Bytes, EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import type { Hash } from "../../src/primitives/hex.ts";
import { NodeCache } from "../../src/state/nodeCache.ts";
import { accountProof } from "../../src/state/proof.ts";
import { State, type StateChanges } from "../../src/state/state.ts";
import type { Database } from "../../src/storage/database.ts";
import { type FlatLimits, FlatMoves } from "../../src/storage/flatMoves.ts";
import { databaseStateStore, stateChangeOps } from "../../src/storage/stateStore.ts";
import { verifyFlat } from "../../src/storage/verifyFlat.ts";
import { EMPTY_ACCOUNT, EMPTY_CODE_HASH, EMPTY_TRIE_ROOT } from "../../src/types/account.ts";
import { randomOf } from "./random.ts";
import { Model, type ModelAccount, Oracle, trialAddress, trialSlot } from "./stateModel.ts";

export interface TrialOptions {
  readonly seed: number;
  readonly operations: number;
  /** Operations of one block. */
  readonly perBlock: number;
  readonly accounts: number;
  readonly slots: number;
  readonly onBlock?: (done: TrialCounts) => void;
}

export interface TrialCounts {
  operations: number;
  blocks: number;
  reads: number;
  deletions: number;
  recreations: number;
  clears: number;
  reverts: number;
  proofs: number;
  flatChecks: number;
  crashes: number;
  branches: number;
  accounts: number;
  slots: number;
}

/** Small enough that every way of writing flat entries is met often. */
const LIMITS: FlatLimits = { fresh: 3_000, freshBlocks: 7, atOnce: 2_500 };
const PROOF_BLOCKS = 16;
const FLAT_BLOCKS = 24;
const CRASH_BLOCKS = 40;
const BRANCH_BLOCKS = 12;
/** Reads at each point of a block's way to the disk. */
const READS = 20;
const CACHE_BYTES = 2 * 1024 * 1024;

/** One history; `run` ends after its operations or throws at the first difference. */
export class StateTrial {
  readonly counts: TrialCounts = {
    operations: 0,
    blocks: 0,
    reads: 0,
    deletions: 0,
    recreations: 0,
    clears: 0,
    reverts: 0,
    proofs: 0,
    flatChecks: 0,
    crashes: 0,
    branches: 0,
    accounts: 0,
    slots: 0,
  };
  readonly #database: Database;
  readonly #options: TrialOptions;
  readonly #random: () => number;
  readonly #model = new Model();
  #flat: FlatMoves;
  #state: State;

  constructor(database: Database, options: TrialOptions) {
    this.#database = database;
    this.#options = options;
    this.#random = randomOf(options.seed);
    this.#flat = this.#openFlat();
    this.#state = this.#open(EMPTY_TRIE_ROOT);
  }

  async run(): Promise<TrialCounts> {
    const oracle = await Oracle.open();
    await this.#flat.catchUp(EMPTY_TRIE_ROOT);
    while (this.counts.operations < this.#options.operations) {
      for (let i = 0; i < this.#options.perBlock; i++) this.#operation();
      const expected = await oracle.apply(this.#model);
      const changes = this.#state.takeChanges();
      assert.equal(changes.root, expected, `root of block ${this.counts.blocks}`);
      await this.#store(changes);
      this.#model.endBlock();
      await this.#checks(oracle, changes.root);
      this.counts.blocks++;
      this.#options.onBlock?.(this.counts);
    }
    await this.#checkFlat(this.#state.root());
    return this.counts;
  }

  // -------------------------------------------------------------------------------------------- operations

  #operation(): void {
    this.counts.operations++;
    const id = this.#below(this.#options.accounts);
    const dice = this.#random();
    if (dice < 0.25) this.#setAccount(id);
    else if (dice < 0.7) this.#setSlot(id);
    else if (dice < 0.85) this.#read(id);
    else if (dice < 0.88) this.#destroy(id);
    else if (dice < 0.91) this.#recreate(id);
    else if (dice < 0.93) this.#removeEmpty(id);
    else if (dice < 0.95) this.#clear(id);
    else this.#undone(id);
  }

  #setAccount(id: number): void {
    const nonce = BigInt(this.#below(1_000));
    const balance = BigInt(this.#below(1 << 30)) ** 2n;
    const codeHash = this.#model.accounts.get(id)?.codeHash ?? EMPTY_CODE_HASH;
    this.#put(id, { nonce, balance, codeHash });
  }

  #put(id: number, account: ModelAccount): void {
    this.#model.setAccount(id, account);
    this.#state.setAccount(trialAddress(id), { ...account, storageRoot: EMPTY_TRIE_ROOT });
  }

  #setSlot(id: number): void {
    if (!this.#model.accounts.has(id)) this.#setAccount(id);
    const key = this.#below(this.#options.slots);
    const value = this.#random() < 0.3 ? EMPTY_BYTES : this.#value();
    this.#model.setSlot(id, key, value);
    this.#state.setSlot(trialAddress(id), trialSlot(key), value);
  }

  #value(): Bytes {
    const length = this.#random() < 0.5 ? 1 : 1 + this.#below(32);
    const value = Uint8Array.from({ length }, () => this.#below(256));
    value[0] = 1 + this.#below(255);
    return value;
  }

  #read(id: number): void {
    this.counts.reads++;
    const expected = this.#model.accounts.get(id);
    const account = this.#state.account(trialAddress(id));
    const { nonce, balance, codeHash } = account ?? {};
    assert.deepEqual(account && { nonce, balance, codeHash }, expected, `account ${id}`);
    const key = this.#below(this.#options.slots);
    const value = this.#model.storage.get(id)?.get(key) ?? EMPTY_BYTES;
    const found = this.#state.slot(trialAddress(id), trialSlot(key));
    assert.deepEqual(found, value, `slot ${key} of account ${id}`);
  }

  #destroy(id: number): void {
    this.counts.deletions++;
    this.#model.setAccount(id, undefined);
    this.#model.clear(id);
    this.#state.deleteAccount(trialAddress(id));
  }

  #recreate(id: number): void {
    this.counts.recreations++;
    this.#destroy(id);
    if (this.#random() < 0.3) this.#state.root();
    const code = Uint8Array.of(this.#below(256), this.#below(256), 0);
    this.#put(id, { nonce: 1n, balance: 0n, codeHash: keccakHash(code) });
    this.#state.setCode(trialAddress(id), code);
    for (let i = this.#below(6); i > 0; i--) this.#setSlot(id);
  }

  /** Touched and empty: EIP-161 removes it, with what storage it has. */
  #removeEmpty(id: number): void {
    this.#put(id, { nonce: 0n, balance: 0n, codeHash: EMPTY_CODE_HASH });
    this.#destroy(id);
  }

  #clear(id: number): void {
    if (!this.#model.accounts.has(id)) return;
    this.counts.clears++;
    this.#model.clear(id);
    this.#state.clearStorage(trialAddress(id));
  }

  /** A frame of some operations, kept or undone. */
  #undone(id: number): void {
    this.#model.checkpoint();
    this.#state.checkpoint();
    this.#setSlot(id);
    if (this.#random() < 0.4) this.#destroyInside(id);
    for (let i = this.#below(4); i > 0; i--) this.#setSlot(id);
    if (this.#random() < 0.7) {
      this.counts.reverts++;
      this.#model.revert();
      this.#state.revert();
    } else {
      this.#model.commit();
      this.#state.commit();
    }
    this.#read(id);
  }

  #destroyInside(id: number): void {
    if (this.#random() < 0.5) this.#destroy(id);
    else this.#clear(id);
  }

  // -------------------------------------------------------------------------------------------- blocks

  async #store(changes: StateChanges): Promise<void> {
    const flat = await this.#flat.prepare(changes.root, changes);
    // while the batch is under way the next block may begin
    const stored = this.#database.batch([...stateChangeOps(changes), ...flat], { sync: false });
    if (this.#random() < 0.5) this.#state.trimCaches();
    for (let i = 0; i < READS; i++) this.#read(this.#below(this.#options.accounts));
    this.#readBefore(changes.base);
    await stored;
    this.#flat.settle();
    if (this.#random() < 0.3) this.#state = this.#open(changes.root);
    for (let i = 0; i < READS; i++) this.#read(this.#below(this.#options.accounts));
  }

  /** Whoever still reads the state before sees nothing of the batch under way. */
  #readBefore(root: Hash): void {
    const before = this.#open(root);
    const trieOnly = new State(databaseStateStore(this.#database), root);
    for (let i = 0; i < READS; i++) {
      const address = trialAddress(this.#below(this.#options.accounts));
      const slot = trialSlot(this.#below(this.#options.slots));
      assert.deepEqual(before.account(address), trieOnly.account(address));
      assert.deepEqual(before.slot(address, slot), trieOnly.slot(address, slot));
    }
  }

  async #checks(oracle: Oracle, root: Hash): Promise<void> {
    const { blocks } = this.counts;
    if (blocks % PROOF_BLOCKS === 0) await this.#checkProof(oracle, root);
    if (blocks % BRANCH_BLOCKS === 5) await this.#branch(root);
    if (blocks % FLAT_BLOCKS === 3) await this.#checkFlat(root);
    if (blocks % CRASH_BLOCKS === 7) await this.#crash(root);
  }

  async #checkProof(oracle: Oracle, root: Hash): Promise<void> {
    for (let i = 0; i < 8; i++) {
      const id = this.#below(this.#options.accounts);
      const slot = this.#below(this.#options.slots);
      const expected = await oracle.proof(id, slot);
      const store = databaseStateStore(this.#database);
      const proof = accountProof(store, root, trialAddress(id), [trialSlot(slot)]);
      assert.deepEqual(proof.accountProof, expected.account, `proof of account ${id}`);
      assert.deepEqual(proof.storageProof[0]?.proof, expected.storage, `proof of slot ${slot}`);
      this.counts.proofs++;
    }
  }

  /** The head goes to a block beside, is read there, and comes back. */
  async #branch(root: Hash): Promise<void> {
    const beside = this.#open(root);
    for (let i = 0; i < 200; i++) {
      const address = trialAddress(this.#below(this.#options.accounts));
      if (this.#random() < 0.2) beside.deleteAccount(address);
      else {
        beside.setAccount(address, { ...EMPTY_ACCOUNT, balance: BigInt(i + 1) });
        beside.setSlot(address, trialSlot(this.#below(this.#options.slots)), this.#value());
      }
    }
    const changes = beside.takeChanges();
    await this.#moveTo(changes.root, changes);
    const address = trialAddress(this.#below(this.#options.accounts));
    const trieOnly = new State(databaseStateStore(this.#database), changes.root);
    assert.deepEqual(this.#open(changes.root).account(address), trieOnly.account(address));
    await this.#moveTo(root);
    this.counts.branches++;
  }

  async #moveTo(root: Hash, changes?: StateChanges): Promise<void> {
    const flat = await this.#flat.prepare(root, changes);
    const nodes = changes === undefined ? [] : stateChangeOps(changes);
    await this.#database.batch([...nodes, ...flat], { sync: false });
    this.#flat.settle();
  }

  /** Everything in memory is lost; what the columns show is some block before. */
  async #crash(root: Hash): Promise<void> {
    this.#flat = this.#openFlat();
    const how = await this.#flat.catchUp(root);
    assert.notEqual(how, "rebuilt", "the mark is of a state that is still there");
    this.#state = this.#open(root);
    this.counts.crashes++;
  }

  async #checkFlat(root: Hash): Promise<void> {
    await this.#flat.flush();
    const note = (problem: string) => assert.fail(problem);
    const report = await verifyFlat(this.#database, { note, turn: async () => {} });
    assert.equal(report?.root, root);
    assert.equal(report.rebuilt, root);
    assert.equal(report.accounts, this.#model.accounts.size);
    this.counts.flatChecks++;
    this.counts.accounts = report.accounts;
    this.counts.slots = report.slots;
  }

  #openFlat(): FlatMoves {
    return new FlatMoves(this.#database, databaseStateStore(this.#database), LIMITS);
  }

  #open(root: Hash): State {
    const store = { ...databaseStateStore(this.#database), flat: this.#flat.view };
    return new State(store, root, new NodeCache(CACHE_BYTES));
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}
