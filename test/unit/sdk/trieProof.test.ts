import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesToHex, type GetProofReturnType, type Hex, keccak256 } from "viem";
import { verifyAccount } from "../../../sdk/finality.ts";
import { ProofError, readTrieProof } from "../../../sdk/trieProof.ts";
import { bigIntToBytes } from "../../../src/primitives/bytes.ts";
import { bigIntToHash, hexToBytes, parseAddress } from "../../../src/primitives/hex.ts";
import { accountProof } from "../../../src/state/proof.ts";
import { State } from "../../../src/state/state.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { MapStore } from "../state/mapStore.ts";

const addressOf = (n: number) => parseAddress(`0x${n.toString(16).padStart(40, "0")}`);

/** A state of 300 accounts; the first has 100 slots, small and large. */
function build() {
  const store = new MapStore();
  const state = new State(store, EMPTY_TRIE_ROOT);
  for (let i = 1; i <= 300; i++)
    state.setAccount(addressOf(i), { ...EMPTY_ACCOUNT, nonce: BigInt(i % 5), balance: BigInt(i) });
  for (let i = 1; i <= 100; i++)
    state.setSlot(addressOf(1), bigIntToHash(BigInt(i)), bigIntToBytes(BigInt(i) ** 20n));
  const changes = state.takeChanges();
  store.apply(changes);
  return { store, root: changes.root };
}

/** The proof as eth_getProof of viem returns it. */
function viemProof({ store, root }: ReturnType<typeof build>, account: number, slots: number[]) {
  const proof = accountProof(
    store,
    root,
    addressOf(account),
    slots.map((slot) => bigIntToHash(BigInt(slot))),
  );
  return {
    address: proof.address,
    accountProof: proof.accountProof.map((node) => bytesToHex(node)),
    storageProof: proof.storageProof.map(({ key, proof: nodes }) => ({
      key,
      value: 0n,
      proof: nodes.map((node) => bytesToHex(node)),
    })),
  } as unknown as GetProofReturnType;
}

describe("verifyAccount", () => {
  const built = build();

  it("reads accounts and slots that exist, and that do not, from proofs of the node", () => {
    for (const account of [1, 2, 150, 300, 301, 9999]) {
      const slots = [1, 7, 100, 101];
      const read = verifyAccount(built.root, viemProof(built, account, slots));
      const exists = account <= 300;
      assert.deepEqual(
        [read.exists, read.balance, read.nonce],
        [exists, exists ? BigInt(account) : 0n, exists ? account % 5 : 0],
      );
      const values = slots.map((slot) => (account === 1 && slot <= 100 ? BigInt(slot) ** 20n : 0n));
      assert.deepEqual([...read.storage.values()], values);
    }
  });

  it("refuses a proof of another root, another account, and with nodes missing or to spare", () => {
    const proof = viemProof(built, 5, []);
    const refuse = (change: Partial<GetProofReturnType>, root: Hex = built.root) =>
      assert.throws(() => verifyAccount(root, { ...proof, ...change }), ProofError);
    refuse({}, keccak256("0x01"));
    refuse({ accountProof: proof.accountProof.slice(0, -1) });
    refuse({ accountProof: proof.accountProof.slice(1) });
    refuse({ accountProof: [] });
    refuse({ accountProof: [...proof.accountProof, "0x80"] });
    refuse({ address: addressOf(6) });
  });

  it("refuses or reads the same when any byte of a node changes", () => {
    const proof = viemProof(built, 7, []);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (node, at, flip) => {
        const nodes = proof.accountProof.map((hex) => hexToBytes(hex as Hex));
        const chosen = nodes[node % nodes.length] as Uint8Array;
        chosen[at % chosen.length] = (chosen[at % chosen.length] ?? 0) ^ flip;
        const changed = { ...proof, accountProof: nodes.map((bytes) => bytesToHex(bytes)) };
        assert.throws(() => verifyAccount(built.root, changed), ProofError);
      }),
    );
  });
});

describe("readTrieProof", () => {
  it("takes no proof for an empty trie alone", () => {
    assert.equal(readTrieProof(EMPTY_TRIE_ROOT, new Uint8Array(32), []), undefined);
    assert.throws(() => readTrieProof(keccak256("0x01"), new Uint8Array(32), []), ProofError);
  });
});
