/** A plain chain with two contracts whose storage is the same, blocks that write to them, and which nodes their states need. */
import assert from "node:assert/strict";
import type { Chain } from "../../src/chain/chain.ts";
import type { ChainHead } from "../../src/chain/chainEvents.ts";
import { keccakHash } from "../../src/crypto/keccak.ts";
import type { Bytes } from "../../src/primitives/bytes.ts";
import {
  bigIntToHash,
  bytesToHash,
  type Hash,
  hexToBytes,
  parseAddress,
} from "../../src/primitives/hex.ts";
import { decodeAccount } from "../../src/state/accountCodec.ts";
import {
  type BranchNode,
  type Child,
  decodeNode,
  EXTENSION,
  type ExtensionNode,
  LEAF,
  type NodeKey,
  nodeKey,
  nodeKeyBytes,
  type TrieNode,
} from "../../src/state/trieNode.ts";
import { columns } from "../../src/storage/columns.ts";
import type { Database } from "../../src/storage/database.ts";
import { EMPTY_TRIE_ROOT } from "../../src/types/account.ts";
import { type Genesis, parseGenesis } from "../../src/types/genesis.ts";
import { buildTestBlock, networkText, TEST_ADDRESSES, testTransaction } from "./chains.ts";

/** for (i = 0; i < calldata[32..64]; i++) sstore(calldata[0..32] + i, calldata[64..96] · (i + 1)) */
const FILL_CODE = "0x5f5b806020351115601e578060010160403502815f3501556001016001565b00";
export const TWINS = [
  parseAddress(`0x${"a1".repeat(20)}`),
  parseAddress(`0x${"b2".repeat(20)}`),
] as const;
/** What each slot of the twins is in the genesis. */
export const TWIN_VALUE = 7;
/** Slots of each twin where blocks write at random. */
export const TWIN_SLOTS = 2_000;
/** The most that one transaction may have (EIP-7825), about. */
const GAS = 16_000_000n;

/** The genesis; each twin has this many slots. */
export function twinGenesis(slots: number): Genesis {
  const json = JSON.parse(networkText("devnet"));
  delete json.config.qnet;
  const value = bigIntToHash(BigInt(TWIN_VALUE));
  const storage = Object.fromEntries(
    Array.from({ length: slots }, (_, slot) => [bigIntToHash(BigInt(slot)), value]),
  );
  const twin = { balance: "0x0", nonce: "0x1", code: FILL_CODE, storage };
  const [first, second] = TWINS;
  const alloc = { ...json.alloc, [first]: twin, [second]: twin };
  return parseGenesis({ ...json, gasLimit: "0x3938700", alloc });
}

/** What a block writes: a run of slots of the first twin, or of both alike. */
export interface TwinWrite {
  readonly both: boolean;
  readonly from: number;
  readonly count: number;
  /** Of the first slot; each next one has as much more. 0 empties them. */
  readonly value: number;
}

/** Makes a block on `parent` that writes, and imports it: it becomes the head. */
export async function mineTwinWrite(
  chain: Chain,
  write: TwinWrite,
  parent: ChainHead = chain.head,
): Promise<void> {
  const [sender] = TEST_ADDRESSES;
  assert.ok(sender);
  const nonce = Number(chain.stateAt(parent.hash).account(sender)?.nonce);
  const word = (value: number) => bigIntToHash(BigInt(value)).slice(2);
  const data = hexToBytes(`0x${word(write.from)}${word(write.count)}${word(write.value)}`);
  const transactions = TWINS.slice(0, write.both ? 2 : 1).map((to, index) =>
    testTransaction(chain, 0, nonce + index, { to, data, value: 0n, gasLimit: GAS }),
  );
  const built = await buildTestBlock(chain, transactions, { parent });
  for (const receipt of built.result.receipts)
    assert.equal(receipt.outcome, 1, "the write succeeds");
  await chain.importBlock(built.block, built);
}

/** Hashes of all nodes below these roots, by a walk of its own that checks every hash and finds nothing missing. */
export function reachable(
  database: Database,
  roots: Iterable<Hash>,
  leaves: "accounts" | "slots" = "accounts",
): Set<Hash> {
  const found = new Set<Hash>();
  const storageRoots = new Set<Hash>();
  for (const value of leavesBelow(database, roots, found))
    if (leaves === "accounts") storageRoots.add(decodeAccount(value).storageRoot);
  for (const _ of leavesBelow(database, storageRoots, found));
  return found;
}

/** Values of the leaves that no node of `found` leads to; the nodes go into it. */
function* leavesBelow(
  database: Database,
  roots: Iterable<Hash>,
  found: Set<Hash>,
): Generator<Bytes, void> {
  const stack: Child[] = [];
  for (const root of roots) if (root !== EMPTY_TRIE_ROOT) stack.push(nodeKey(hexToBytes(root)));
  for (let child = stack.pop(); child !== undefined; child = stack.pop()) {
    const node = typeof child === "string" ? newNode(database, child, found) : child;
    if (node?.kind === LEAF) yield node.value;
    else if (node !== undefined) stack.push(...childrenOf(node));
  }
}

function childrenOf(node: BranchNode | ExtensionNode): readonly Child[] {
  if (node.kind === EXTENSION) return [node.child];
  return node.children.filter((child) => child !== undefined);
}

/** The stored node, which has its hash; undefined when it was met before. */
function newNode(database: Database, key: NodeKey, found: Set<Hash>): TrieNode | undefined {
  const hash = bytesToHash(nodeKeyBytes(key));
  if (found.has(hash)) return undefined;
  found.add(hash);
  const raw = database.get(columns.nodes, nodeKeyBytes(key));
  assert.ok(raw, `node ${hash} is there`);
  assert.equal(keccakHash(raw), hash);
  return decodeNode(raw, key);
}

/** Hashes of all stored nodes. */
export async function storedNodes(database: Database): Promise<Set<Hash>> {
  const stored = new Set<Hash>();
  for await (const [hash] of database.iterate(columns.nodes)) stored.add(bytesToHash(hash));
  return stored;
}
