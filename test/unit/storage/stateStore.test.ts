import assert from "node:assert/strict";
import { bigIntToHash, parseAddress, ZERO_HASH } from "../../../src/primitives/hex.ts";
import { NodeCache } from "../../../src/state/nodeCache.ts";
import { State } from "../../../src/state/state.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { databaseStateStore, stateChangeOps } from "../../../src/storage/stateStore.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";

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
});
