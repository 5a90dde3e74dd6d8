import assert from "node:assert/strict";
import { bigIntToHash, parseAddress, ZERO_HASH } from "../../../src/primitives/hex.ts";
import { NodeCache } from "../../../src/state/nodeCache.ts";
import { State } from "../../../src/state/state.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { databaseStateStore, stateChangeOps } from "../../../src/storage/stateStore.ts";
import { StorageError } from "../../../src/storage/storageError.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { temporaryFolder } from "../../support/cli.ts";

describe("databaseStateStore", () => {
  it("reads every root that was stored, the old ones beside the new", async () => {
    await using database = await openDatabase();
    const store = databaseStateStore(database);
    const address = parseAddress(`0x${"ab".repeat(20)}`);
    const state = new State(store, EMPTY_TRIE_ROOT);
    const roots = [];
    for (let n = 1; n <= 5; n++) {
      state.setAccount(address, { ...EMPTY_ACCOUNT, nonce: BigInt(n) });
      state.setCode(address, Uint8Array.of(n));
      state.setSlot(address, bigIntToHash(1n), Uint8Array.of(n));
      const changes = state.takeChanges();
      roots.push(changes.root);
      await database.batch(stateChangeOps(changes));
    }
    for (const [index, root] of roots.entries()) {
      const old = new State(store, root, new NodeCache(0));
      assert.equal(old.account(address)?.nonce, BigInt(index + 1));
      assert.deepEqual(old.code(address), Uint8Array.of(index + 1));
      assert.deepEqual(old.slot(address, bigIntToHash(1n)), Uint8Array.of(index + 1));
    }
    assert.equal(store.getCode(ZERO_HASH), undefined);
  });

  it("refuses what is on disk under another hash", async () => {
    using folder = temporaryFolder();
    await using database = await openDatabase({ path: folder.path });
    const store = databaseStateStore(database);
    const address = parseAddress(`0x${"ab".repeat(20)}`);
    const state = new State(store, EMPTY_TRIE_ROOT);
    state.setCode(address, Uint8Array.of(0x5f, 0x5f, 0xf3));
    const changes = state.takeChanges();
    const damaged = stateChangeOps(changes).map((op) => {
      if (op.type !== "put") return op;
      const value = Uint8Array.from(op.value);
      value[value.length - 1] = (value.at(-1) ?? 0) ^ 1;
      return { ...op, value };
    });
    await database.batch(damaged);
    const isDamage = (error: unknown) =>
      error instanceof StorageError && error.reason.code === "DAMAGED";
    const [codeHash] = changes.code.keys();
    assert.throws(() => store.getCode(codeHash ?? ZERO_HASH), isDamage);
    assert.throws(() => new State(store, changes.root).account(address), isDamage);
  });
});
