import assert from "node:assert/strict";
import { createMPT, type MerklePatriciaTrie } from "@ethereumjs/mpt";
import { RLP } from "@ethereumjs/rlp";
import fc from "fast-check";
import { keccak256, keccakHash } from "../../../src/crypto/keccak.ts";
import { type Bytes, bigIntToBytes, EMPTY_BYTES } from "../../../src/primitives/bytes.ts";
import {
  type Address,
  bigIntToHash,
  bytesToHash,
  type Hash,
  hexToBytes,
  parseAddress,
} from "../../../src/primitives/hex.ts";
import type { FlatKey, FlatView } from "../../../src/state/flatState.ts";
import { NodeCache } from "../../../src/state/nodeCache.ts";
import { State, type StateStore } from "../../../src/state/state.ts";
import { StateError } from "../../../src/state/stateError.ts";
import { EMPTY_ACCOUNT, EMPTY_CODE_HASH, EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { MapStore } from "./mapStore.ts";

const addressOf = (n: number): Address => parseAddress(`0x${n.toString(16).padStart(40, "0")}`);
const slotKey = (n: number): Hash => bigIntToHash(BigInt(n));

/** The naive model: plain maps, copied whole at each checkpoint. */
interface ModelAccount {
  nonce: bigint;
  balance: bigint;
  code: Bytes;
  storage: Map<number, Bytes>;
}
type Model = Map<number, ModelAccount>;

function cloneModel(model: Model): Model {
  return new Map([...model].map(([id, a]) => [id, { ...a, storage: new Map(a.storage) }]));
}

async function secureTrie(entries: Iterable<readonly [Bytes, Bytes]>): Promise<MerklePatriciaTrie> {
  const trie = await createMPT({ useKeyHashing: true });
  for (const [key, value] of entries) await trie.put(key, value);
  return trie;
}

async function modelRoot(model: Model): Promise<Hash> {
  const entries: [Bytes, Bytes][] = [];
  for (const [id, account] of model) {
    const slots = [...account.storage].map(
      ([key, value]) => [hexToBytes(slotKey(key)), RLP.encode(value)] as const,
    );
    const storage = await secureTrie(slots);
    entries.push([
      hexToBytes(addressOf(id)),
      RLP.encode([
        bigIntToBytes(account.nonce),
        bigIntToBytes(account.balance),
        storage.root(),
        keccak256(account.code),
      ]),
    ]);
  }
  return bytesToHash((await secureTrie(entries)).root());
}

const ACCOUNTS = 6;
const SLOTS = 5;
const account = fc.integer({ min: 0, max: ACCOUNTS - 1 });
const slot = fc.integer({ min: 0, max: SLOTS - 1 });
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("set" as const),
      account,
      n: fc.bigInt({ min: 0n, max: 1n << 100n }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant("slot" as const),
      account,
      slot,
      value: fc.oneof(fc.constant(EMPTY_BYTES), fc.uint8Array({ minLength: 1, maxLength: 32 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant("code" as const),
      account,
      code: fc.uint8Array({ maxLength: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("delete" as const), account }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("clear" as const), account }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("checkpoint" as const) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("commit" as const) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("revert" as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("transaction" as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("root" as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("copy" as const) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("block" as const), reopen: fc.boolean() }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const strip = (value: Bytes): Bytes =>
  value.subarray(
    value.findIndex((b) => b !== 0) >= 0 ? value.findIndex((b) => b !== 0) : value.length,
  );

class Pair {
  readonly store = new MapStore();
  state = new State(this.store, EMPTY_TRIE_ROOT);
  model: Model = new Map();
  saved: Model[] = [];
  original: Model = new Map();

  async apply(step: Step): Promise<void> {
    switch (step.op) {
      case "set": {
        const known = this.model.get(step.account) ?? {
          nonce: 0n,
          balance: 0n,
          code: EMPTY_BYTES,
          storage: new Map(),
        };
        this.model.set(step.account, { ...known, nonce: step.n & 7n, balance: step.n });
        const before = this.state.account(addressOf(step.account)) ?? EMPTY_ACCOUNT;
        this.state.setAccount(addressOf(step.account), {
          ...before,
          nonce: step.n & 7n,
          balance: step.n,
        });
        return;
      }
      case "slot": {
        const known = this.model.get(step.account);
        if (known === undefined) return;
        const value = strip(step.value);
        if (value.length === 0) known.storage.delete(step.slot);
        else known.storage.set(step.slot, value);
        this.state.setSlot(addressOf(step.account), slotKey(step.slot), step.value);
        return;
      }
      case "code": {
        const known = this.model.get(step.account);
        if (known === undefined) return;
        known.code = step.code;
        this.state.setCode(addressOf(step.account), step.code);
        return;
      }
      case "delete":
        this.model.delete(step.account);
        this.state.deleteAccount(addressOf(step.account));
        return;
      case "clear":
        this.model.get(step.account)?.storage.clear();
        this.state.clearStorage(addressOf(step.account));
        return;
      case "checkpoint":
        this.saved.push(cloneModel(this.model));
        this.state.checkpoint();
        return;
      case "commit":
        if (this.saved.pop() !== undefined) this.state.commit();
        return;
      case "revert": {
        const saved = this.saved.pop();
        if (saved === undefined) return;
        this.model = saved;
        this.state.revert();
        return;
      }
      case "transaction":
        this.original = cloneModel(this.model);
        this.state.beginTransaction();
        return;
      case "copy":
        await this.checkCopy();
        return;
      default:
        await this.close(step);
    }
  }

  async checkCopy(): Promise<void> {
    const copy = this.state.copy();
    assert.equal(copy.root(), await modelRoot(this.model));
    copy.setAccount(addressOf(0), { ...EMPTY_ACCOUNT, nonce: 99n });
    copy.setSlot(addressOf(0), slotKey(0), Uint8Array.of(99));
    copy.deleteAccount(addressOf(1));
    copy.takeChanges();
  }

  async close(step: Step): Promise<void> {
    while (this.saved.pop() !== undefined) this.state.commit();
    assert.equal(this.state.root(), await modelRoot(this.model));
    if (step.op !== "block") return;
    const changes = this.state.takeChanges();
    this.store.apply(changes);
    if (step.reopen) this.state = new State(this.store, changes.root, new NodeCache(1_000));
    this.original = cloneModel(this.model);
    this.state.beginTransaction();
  }

  check(): void {
    for (let id = 0; id < ACCOUNTS; id++) {
      const [got, want] = [this.state.account(addressOf(id)), this.model.get(id)];
      assert.equal(got?.balance, want?.balance);
      assert.equal(got?.nonce, want?.nonce);
      assert.deepEqual(this.state.code(addressOf(id)), want?.code ?? EMPTY_BYTES);
      assert.equal(this.state.hasStorage(addressOf(id)), (want?.storage.size ?? 0) > 0);
      for (let key = 0; key < SLOTS; key++) {
        const value = want?.storage.get(key) ?? EMPTY_BYTES;
        assert.deepEqual(
          Uint8Array.from(this.state.slot(addressOf(id), slotKey(key))),
          Uint8Array.from(value),
        );
      }
    }
  }
}

describe("State", () => {
  it("has the reads of a naive model and the roots of @ethereumjs/mpt under random work", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 120 }), async (steps) => {
        const pair = new Pair();
        for (const next of steps) {
          await pair.apply(next);
          pair.check();
        }
        await pair.close({ op: "block", reopen: true });
        pair.check();
      }),
      { numRuns: 80 },
    );
  });

  it("gives the values at the start of the transaction as original, across reverts and clears", () => {
    const state = new State(new MapStore(), EMPTY_TRIE_ROOT);
    const [a, k] = [addressOf(1), slotKey(1)];
    state.setAccount(a, EMPTY_ACCOUNT);
    state.setSlot(a, k, Uint8Array.of(1));
    state.beginTransaction();
    state.checkpoint();
    state.setSlot(a, k, Uint8Array.of(2));
    assert.deepEqual(state.originalSlot(a, k), Uint8Array.of(1));
    state.checkpoint();
    state.setSlot(a, k, Uint8Array.of(3));
    state.clearStorage(a);
    assert.equal(state.originalSlot(a, k).length, 0);
    state.revert();
    assert.deepEqual(state.slot(a, k), Uint8Array.of(2));
    assert.deepEqual(state.originalSlot(a, k), Uint8Array.of(1));
    state.commit();
    state.beginTransaction();
    assert.deepEqual(state.originalSlot(a, k), Uint8Array.of(2));
    state.root();
    state.beginTransaction();
    assert.deepEqual(state.originalSlot(a, k), Uint8Array.of(2));
  });

  it("stores no code of a reverted deployment, and each new code once", () => {
    const state = new State(new MapStore(), EMPTY_TRIE_ROOT);
    state.checkpoint();
    state.setCode(addressOf(1), Uint8Array.of(1, 2, 3));
    state.revert();
    state.setCode(addressOf(2), Uint8Array.of(4));
    state.setCode(addressOf(3), Uint8Array.of(4));
    const { code } = state.takeChanges();
    assert.deepEqual([...code.keys()], [keccakHash(Uint8Array.of(4))]);
    assert.equal(state.account(addressOf(1)), undefined);
  });

  it("reads nodes and code of the block being written while the next one runs", () => {
    const state = new State(new MapStore(), EMPTY_TRIE_ROOT, new NodeCache(0));
    for (let i = 1; i < 60; i++)
      state.setAccount(addressOf(i), { ...EMPTY_ACCOUNT, nonce: BigInt(i) });
    state.takeChanges();
    state.trimCaches();
    for (let i = 1; i < 60; i++) assert.equal(state.account(addressOf(i))?.nonce, BigInt(i));
  });

  it("reads no flat slot of before a clear, though all were zero already when it came", () => {
    const entries = new Map<FlatKey, Bytes>();
    let shown: Hash = EMPTY_TRIE_ROOT;
    const read = (root: Hash, key: FlatKey) =>
      root === shown ? (entries.get(key) ?? EMPTY_BYTES) : undefined;
    const flat: FlatView = { read };
    const tries = new MapStore();
    const store: StateStore = {
      getNode: (hash) => tries.getNode(hash),
      getCode: (hash) => tries.getCode(hash),
      flat,
    };
    const a = addressOf(1);
    const first = new State(store, EMPTY_TRIE_ROOT);
    first.setAccount(a, { ...EMPTY_ACCOUNT, nonce: 1n });
    for (let n = 0; n < 8; n++) first.setSlot(a, slotKey(n), Uint8Array.of(1 + n));
    const changes = first.takeChanges();
    tries.apply(changes);
    for (const [account, { value, slots }] of changes.flat) {
      entries.set(account, value);
      for (const [slot, stored] of slots ?? []) entries.set(account + slot, stored);
    }
    shown = changes.root;
    // without room for nodes every read goes past the trie to the flat entries
    const state = new State(store, changes.root, new NodeCache(0));
    assert.deepEqual(state.slot(a, slotKey(5)), Uint8Array.of(6));
    for (let n = 0; n < 8; n++) state.setSlot(a, slotKey(n), EMPTY_BYTES);
    state.root();
    state.clearStorage(a);
    for (let n = 20; n < 60; n++) state.setSlot(a, slotKey(n), Uint8Array.of(n));
    state.root();
    for (let n = 0; n < 8; n++) assert.deepEqual(state.slot(a, slotKey(n)), EMPTY_BYTES);
  });

  it("refuses the root inside of a checkpoint", () => {
    const state = new State(new MapStore(), EMPTY_TRIE_ROOT);
    state.checkpoint();
    assert.throws(() => state.root(), { name: "AssertionError" });
  });

  it("throws on missing code and on an unknown root instead of answering empty", () => {
    const store = new MapStore();
    const state = new State(store, EMPTY_TRIE_ROOT);
    state.setCode(addressOf(1), Uint8Array.of(9));
    const changes = state.takeChanges();
    store.add(changes.nodes);
    const code = (error: unknown) =>
      error instanceof StateError ? error.reason.code : String(error);
    assert.throws(
      () => new State(store, changes.root).code(addressOf(1)),
      (error) => code(error) === "MISSING_CODE",
    );
    assert.throws(
      () => new State(store, keccakHash(EMPTY_BYTES)).account(addressOf(1)),
      (error) => code(error) === "MISSING_NODE",
    );
  });

  it("iterates accounts and slots in the order of their hashes, from any point", () => {
    const store = new MapStore();
    const state = new State(store, EMPTY_TRIE_ROOT);
    for (let i = 0; i < 40; i++)
      state.setAccount(addressOf(i), { ...EMPTY_ACCOUNT, nonce: BigInt(i) });
    for (let i = 0; i < 40; i++) state.setSlot(addressOf(7), slotKey(i), Uint8Array.of(i));
    state.root();
    const hashes = [...state.accounts()].map(([hash]) => hash);
    const expected = Array.from({ length: 40 }, (_, i) =>
      keccakHash(hexToBytes(addressOf(i))),
    ).sort();
    assert.deepEqual(hashes, expected);
    assert.deepEqual(
      [...state.accounts(expected[10])].map(([hash]) => hash),
      expected.slice(10),
    );
    const root = state.account(addressOf(7))?.storageRoot ?? EMPTY_CODE_HASH;
    assert.equal([...state.slots(root)].length, 39);
    assert.deepEqual(
      [...state.slotsMet(addressOf(7))],
      Array.from({ length: 40 }, (_, i) => slotKey(i)),
    );
  });
});
