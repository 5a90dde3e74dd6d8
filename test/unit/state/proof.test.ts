import assert from "node:assert/strict";
import { createMerkleProof, createMPT, verifyMerkleProof } from "@ethereumjs/mpt";
import { RLP } from "@ethereumjs/rlp";
import { keccak256 } from "../../../src/crypto/keccak.ts";
import { type Bytes, bigIntToBytes, equalBytes } from "../../../src/primitives/bytes.ts";
import {
  bigIntToHash,
  bytesToHex,
  type Hash,
  hexToBytes,
  parseAddress,
  ZERO_HASH,
} from "../../../src/primitives/hex.ts";
import { accountProof, verifyAccountProof, verifyStorageProof } from "../../../src/state/proof.ts";
import { State } from "../../../src/state/state.ts";
import { StateError } from "../../../src/state/stateError.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { MapStore } from "./mapStore.ts";

const addressOf = (n: number) => parseAddress(`0x${n.toString(16).padStart(40, "0")}`);
const slotKey = (n: number) => bigIntToHash(BigInt(n));

function build(accounts: number, slots: number) {
  const store = new MapStore();
  const state = new State(store, EMPTY_TRIE_ROOT);
  for (let i = 1; i <= accounts; i++)
    state.setAccount(addressOf(i), { ...EMPTY_ACCOUNT, balance: BigInt(i) });
  for (let i = 1; i <= slots; i++)
    state.setSlot(addressOf(1), slotKey(i), bigIntToBytes(BigInt(i) ** 40n).slice(0, 32));
  const changes = state.takeChanges();
  store.apply(changes);
  return { store, state, root: changes.root };
}

/** A check without any trie library: each node is hashed, decoded and followed by the nibbles of the hashed key. */
function followProof(root: Hash, key: Bytes, proof: readonly Bytes[]): Bytes | undefined {
  const path = bytesToHex(keccak256(key)).slice(2);
  let [next, at, used]: [unknown, number, number] = [hexToBytes(root), 0, 0];
  while (next instanceof Uint8Array ? next.length > 0 : next !== undefined) {
    let node: unknown = next;
    if (next instanceof Uint8Array) {
      const raw = proof[used++];
      assert.ok(
        raw !== undefined && equalBytes(keccak256(raw), next),
        "the node has the hash its parent names",
      );
      node = RLP.decode(raw);
    }
    assert.ok(Array.isArray(node));
    if (node.length === 17) {
      next = node[Number.parseInt(path.charAt(at++), 16)];
      continue;
    }
    const packed = bytesToHex(node[0]).slice(2);
    const part = packed.slice("13".includes(packed.charAt(0)) ? 1 : 2);
    assert.equal("23".includes(packed.charAt(0)), at + part.length === path.length);
    if (!path.startsWith(part, at)) break;
    at += part.length;
    if (at === path.length) {
      assert.equal(used, proof.length, "no node is left over");
      return node[1];
    }
    next = node[1];
  }
  assert.equal(used, proof.length, "no node is left over");
  return undefined;
}

describe("accountProof", () => {
  for (const [accounts, slots] of [
    [1, 1],
    [2, 3],
    [60, 40],
    [400, 300],
  ] as const) {
    it(`proves presence and absence among ${accounts} accounts and ${slots} slots`, async () => {
      const { store, state, root } = build(accounts, slots);
      for (const n of [1, 2, accounts, accounts + 1, 999, 1000, 1001, 1002]) {
        const proof = accountProof(store, root, addressOf(n), []);
        assert.deepEqual(proof.account, state.account(addressOf(n)));
        const value = followProof(root, hexToBytes(addressOf(n)), proof.accountProof);
        assert.equal(value !== undefined, n <= accounts);
        assert.deepEqual(
          await verifyAccountProof(root, addressOf(n), proof.accountProof),
          proof.account,
        );
      }
      const keys = [1, 2, slots, slots + 1, 5000, 5001, 5002].map(slotKey);
      const { account, storageProof } = accountProof(store, root, addressOf(1), keys);
      assert.ok(account !== undefined);
      for (const { key, value, proof } of storageProof) {
        assert.deepEqual(Uint8Array.from(value), Uint8Array.from(state.slot(addressOf(1), key)));
        const proven = followProof(account.storageRoot, hexToBytes(key), proof);
        assert.deepEqual(proven, value.length === 0 ? undefined : RLP.encode(value));
        assert.deepEqual(await verifyStorageProof(account.storageRoot, key, proof), value);
      }
    });
  }

  it("lists the nodes that @ethereumjs/mpt lists", async () => {
    const { store, state, root } = build(200, 0);
    const trie = await createMPT({ useKeyHashing: true });
    for (let i = 1; i <= 200; i++) {
      const account = state.account(addressOf(i)) ?? EMPTY_ACCOUNT;
      const fields = [account.nonce, account.balance].map(bigIntToBytes);
      const hashes = [account.storageRoot, account.codeHash].map(hexToBytes);
      await trie.put(hexToBytes(addressOf(i)), RLP.encode([...fields, ...hashes]));
    }
    for (const n of [1, 77, 200, 201]) {
      const key = hexToBytes(addressOf(n));
      const { accountProof: proof } = accountProof(store, root, addressOf(n), []);
      assert.deepEqual(
        proof.map((raw) => Uint8Array.from(raw)),
        await createMerkleProof(trie, key),
      );
      await verifyMerkleProof(key, [...proof], { useKeyHashing: true, root: hexToBytes(root) });
    }
  });

  it("has empty storage proofs for an account without storage and for no account", () => {
    const { store, root } = build(5, 0);
    for (const n of [1, 99]) {
      assert.deepEqual(accountProof(store, root, addressOf(n), [ZERO_HASH]).storageProof, [
        { key: ZERO_HASH, value: new Uint8Array(0), proof: [] },
      ]);
    }
    assert.deepEqual(accountProof(store, EMPTY_TRIE_ROOT, addressOf(1), []).accountProof, []);
  });

  it("throws on a missing node", () => {
    const { store, root } = build(60, 0);
    store.nodes.delete(root.slice(2));
    assert.throws(() => accountProof(store, root, addressOf(1), []), StateError);
  });
});

describe("verifyAccountProof", () => {
  it("rejects a proof under another root, a shortened one and a changed one", async () => {
    const { store, root } = build(60, 0);
    const { accountProof: proof } = accountProof(store, root, addressOf(1), []);
    assert.ok(proof.length > 1);
    await assert.rejects(verifyAccountProof(slotKey(5), addressOf(1), proof));
    await assert.rejects(verifyAccountProof(root, addressOf(1), proof.slice(0, -1)));
    await assert.rejects(verifyAccountProof(root, addressOf(1), []));
    const changed = proof.map((raw) => Uint8Array.from(raw));
    const last = changed.at(-1);
    assert.ok(last !== undefined);
    last[last.length - 1] = (last.at(-1) ?? 0) ^ 1;
    await assert.rejects(verifyAccountProof(root, addressOf(1), changed));
  });
});
