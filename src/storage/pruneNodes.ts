/**
 * Which trie nodes some states need, and the removal of all others. Nodes are found by walking from the roots, never by
 * counting: two contracts, or two times, may share a node, and a walk cannot forget one of them.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { type Hash, hexToBytes } from "../primitives/hex.ts";
import { Turns } from "../runtime/turns.ts";
import { decodeAccount } from "../state/accountCodec.ts";
import { BRANCH, type Child, decodeNode, LEAF, nodeKey, nodeKeyBytes } from "../state/trieNode.ts";
import { EMPTY_TRIE_ROOT } from "../types/account.ts";
import { columns, del, type WriteOp } from "./columns.ts";
import type { Database } from "./database.ts";
import { NodeMarks } from "./nodeMarks.ts";
import { StorageError } from "./storageError.ts";

/** Nodes between two looks at the clock. */
const STEPS = 64;
/** Deletions of one batch: a few ms, in which no block is stored. */
const SWEPT_TOGETHER = 2_048;

/** Marks every node below `roots`, in turns with other work. Throws StorageError DAMAGED on a missing node, and what `signal` says. */
export async function markStates(
  database: Database,
  roots: Iterable<Hash>,
  signal?: AbortSignal,
): Promise<NodeMarks> {
  const marks = new NodeMarks();
  const turns = new Turns();
  const walk = new Walk(database, marks);
  for (const root of roots) {
    walk.enter(root, false);
    for (let steps = 1; walk.step(); steps++) {
      if (steps % STEPS !== 0) continue;
      await turns.next();
      signal?.throwIfAborted();
    }
  }
  return marks;
}

interface Pending {
  readonly child: Child;
  /** Its leaves are slots, not accounts. */
  readonly inStorage: boolean;
}

class Walk {
  readonly #database: Database;
  readonly #marks: NodeMarks;
  readonly #stack: Pending[] = [];

  constructor(database: Database, marks: NodeMarks) {
    this.#database = database;
    this.#marks = marks;
  }

  enter(root: Hash, inStorage: boolean): void {
    if (root === EMPTY_TRIE_ROOT) return;
    this.#stack.push({ child: nodeKey(hexToBytes(root)), inStorage });
  }

  /** Visits one node; false when there is none left. */
  step(): boolean {
    const next = this.#stack.pop();
    if (next === undefined) return false;
    const { child, inStorage } = next;
    const node = typeof child === "string" ? this.#load(child) : child;
    if (node === undefined) return true;
    if (node.kind === LEAF) this.#leaf(node.value, inStorage);
    else if (node.kind === BRANCH) {
      for (const below of node.children)
        if (below !== undefined) this.#stack.push({ child: below, inStorage });
      if (node.value !== undefined) this.#leaf(node.value, inStorage);
    } else this.#stack.push({ child: node.child, inStorage });
    return true;
  }

  #leaf(value: Bytes, inStorage: boolean): void {
    if (!inStorage) this.enter(decodeAccount(value).storageRoot, true);
  }

  /** undefined: marked before, with all below it. */
  #load(key: string) {
    const hash = nodeKeyBytes(key);
    if (!this.#marks.add(hash)) return undefined;
    const raw = this.#database.get(columns.nodes, hash);
    if (raw !== undefined) return decodeNode(raw, key);
    const detail = `trie node 0x${Buffer.from(hash).toString("hex")} is missing`;
    throw new StorageError({ code: "DAMAGED", path: this.#database.path, detail });
  }
}

/** How the unmarked nodes go. */
export interface Sweep {
  readonly marks: NodeMarks;
  /** Nodes written since the roots were taken: asked again right before the removal. */
  readonly isYoung: (hash: Bytes) => boolean;
  /** Runs a task while no block is being stored. */
  readonly exclusive: (task: () => Promise<void>) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** Removes what is neither marked nor young; gives the number of nodes that went. */
export async function sweepNodes(database: Database, sweep: Sweep): Promise<number> {
  const { marks, isYoung, exclusive, signal } = sweep;
  let swept = 0;
  let garbage: Bytes[] = [];
  const remove = () =>
    exclusive(async () => {
      const operations: WriteOp[] = [];
      for (const hash of garbage) if (!isYoung(hash)) operations.push(del(columns.nodes, hash));
      await database.batch(operations, { sync: false });
      swept += operations.length;
    });
  const turns = new Turns();
  let steps = 0;
  for await (const [hash] of database.iterate(columns.nodes)) {
    if (++steps % STEPS === 0) {
      await turns.next();
      signal?.throwIfAborted();
    }
    if (marks.has(hash) || isYoung(hash)) continue;
    garbage.push(new Uint8Array(hash));
    if (garbage.length < SWEPT_TOGETHER) continue;
    await remove();
    garbage = [];
  }
  if (garbage.length > 0) await remove();
  if (swept > 0) await database.compact(columns.nodes);
  return swept;
}
