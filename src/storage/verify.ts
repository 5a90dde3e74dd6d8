/** Checking and measuring a database that no node has open: `db verify` and `db stats`. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { keccakHash } from "../crypto/keccak.ts";
import { bytesToHex, type Hash } from "../primitives/hex.ts";
import { decodeAccount } from "../state/accountCodec.ts";
import { auditTrie } from "../state/auditTrie.ts";
import { GenerationalCache } from "../state/nodeCache.ts";
import { decodeSlot } from "../state/slotCodec.ts";
import type { StateStore } from "../state/state.ts";
import { EMPTY_CODE_HASH } from "../types/account.ts";
import type { Header } from "../types/header.ts";
import { columns } from "./columns.ts";
import type { Database } from "./database.ts";
import { databaseFiles } from "./lock.ts";
import { uncheckedStateStore } from "./stateStore.ts";
import { errorCode, errorText } from "./storageError.ts";
import {
  blockProblems,
  type DatabaseProblem,
  pointerProblems,
  readPointer,
} from "./verifyBlocks.ts";
import { type FlatReport, verifyFlat } from "./verifyFlat.ts";

export interface VerifyOptions {
  /** How many blocks to check, back from the head; all by default. */
  readonly depth?: number;
  /** State roots to check beside the head's, such as one edited by hand. */
  readonly stateRoots?: readonly Hash[];
  readonly signal?: AbortSignal;
  /** Called now and then with what has been counted so far. */
  readonly onProgress?: (counts: VerifyCounts) => void;
}

export interface VerifyCounts {
  blocks: number;
  nodes: number;
  accounts: number;
  slots: number;
  codes: number;
}

export interface VerifyReport {
  readonly counts: Readonly<VerifyCounts>;
  /** undefined: there is no flat state here, it is made at the next start. */
  readonly flat: FlatReport | undefined;
  /** The first `MAX_PROBLEMS`. */
  readonly problems: readonly DatabaseProblem[];
  /** How many there are in all. */
  readonly problemCount: number;
}

/** Problems kept in a report; later ones are counted. */
export const MAX_PROBLEMS = 100;
/** Work between two turns of the event loop. */
const STEPS_PER_TURN = 2_000;
/** Storage roots and codes remembered as checked; forgetting one means checking it again. */
const REMEMBERED_ROOTS = 500_000;

/**
 * Walks the canonical chain back from the head, then every node, account, slot and code of the head's state, and
 * recomputes each hash; makes the root of the flat state from its entries alone. Damage is reported, not thrown. Rejects when `signal` aborts.
 */
export async function verifyDatabase(
  database: Database,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const run = new Verification(database, options);
  const head = await run.checkBlocks();
  const roots = new Set([
    ...(head === undefined ? [] : [head.stateRoot]),
    ...(options.stateRoots ?? []),
  ]);
  for (const root of roots) await run.checkState(root);
  return run.report(await run.checkFlat());
}

class Verification {
  readonly #database: Database;
  readonly #options: VerifyOptions;
  readonly #store: StateStore;
  readonly #counts: VerifyCounts = { blocks: 0, nodes: 0, accounts: 0, slots: 0, codes: 0 };
  readonly #problems: DatabaseProblem[] = [];
  readonly #checked = new GenerationalCache<Hash, true>(REMEMBERED_ROOTS);
  #problemCount = 0;
  #steps = 0;

  constructor(database: Database, options: VerifyOptions) {
    this.#database = database;
    this.#options = options;
    this.#store = uncheckedStateStore(database);
  }

  report(flat: FlatReport | undefined): VerifyReport {
    const problemCount = this.#problemCount;
    return { counts: this.#counts, flat, problems: this.#problems, problemCount };
  }

  checkFlat(): Promise<FlatReport | undefined> {
    return verifyFlat(this.#database, {
      note: (problem) => this.#note({ block: undefined, problem }),
      turn: () => this.#turn(),
    });
  }

  /** Gives the header of the head, if it can be read. */
  async checkBlocks(): Promise<Header | undefined> {
    const database = this.#database;
    for (const problem of pointerProblems(database)) this.#note(problem);
    const head = readPointer(database, "head");
    const number = head === undefined ? undefined : database.get(columns.numbers, head);
    if (number === undefined) return undefined;
    for await (const [above] of database.iterate(columns.canonical, { gt: number, limit: 1 })) {
      this.#note({ block: above, problem: "is canonical but above the head" });
    }
    const last = number - BigInt(this.#options.depth ?? Number.MAX_SAFE_INTEGER);
    let child: Header | undefined;
    let headHeader: Header | undefined;
    for (let at = number; at >= 0n && at > last; at--) {
      const { header, problems } = blockProblems(database, at, child);
      for (const problem of problems) this.#note(problem);
      this.#counts.blocks++;
      if (at === number) headHeader = header;
      child = header;
      await this.#turn();
    }
    return headHeader;
  }

  async checkState(root: Hash): Promise<void> {
    for (const step of auditTrie(this.#store, root)) {
      if (step.kind === "node") this.#counts.nodes++;
      else if (step.kind === "value") await this.#checkAccount(step.key, step.value);
      else
        this.#note({
          block: undefined,
          problem: `state ${root}: node ${step.hash} at ${step.path || "the root"} ${said[step.problem]}`,
        });
      await this.#turn();
    }
  }

  async #checkAccount(key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#counts.accounts++;
    const where = `account with hashed address ${bytesToHex(key)}`;
    try {
      const { codeHash, storageRoot } = decodeAccount(value);
      this.#checkCode(codeHash, where);
      if (this.#isNew(storageRoot)) await this.#checkStorage(storageRoot, where);
    } catch (error) {
      if (this.#options.signal?.aborted) throw error;
      this.#note({ block: undefined, problem: `${where}: ${errorText(error)}` });
    }
  }

  #checkCode(hash: Hash, where: string): void {
    if (hash === EMPTY_CODE_HASH || !this.#isNew(hash)) return;
    this.#counts.codes++;
    const code = this.#store.getCode(hash);
    if (code === undefined)
      this.#note({ block: undefined, problem: `${where}: code ${hash} is missing` });
    else if (keccakHash(code) !== hash) {
      this.#note({
        block: undefined,
        problem: `${where}: code stored under ${hash} has another hash`,
      });
    }
  }

  async #checkStorage(root: Hash, where: string): Promise<void> {
    for (const step of auditTrie(this.#store, root)) {
      if (step.kind === "node") this.#counts.nodes++;
      else if (step.kind === "value") {
        this.#counts.slots++;
        decodeSlot(step.value);
      } else {
        this.#note({
          block: undefined,
          problem: `${where}: storage node ${step.hash} at ${step.path || "the root"} ${said[step.problem]}`,
        });
      }
      await this.#turn();
    }
  }

  #isNew(hash: Hash): boolean {
    if (this.#checked.get(hash) !== undefined) return false;
    this.#checked.set(hash, true);
    return true;
  }

  #note(problem: DatabaseProblem): void {
    this.#problemCount++;
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push(problem);
  }

  async #turn(): Promise<void> {
    if (++this.#steps % STEPS_PER_TURN !== 0) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#options.signal?.throwIfAborted();
    this.#options.onProgress?.({ ...this.#counts });
  }
}

const said = {
  missing: "is missing",
  "wrong hash": "has another hash",
  malformed: "is malformed",
} as const;

/** What a database holds. */
export interface DatabaseStats {
  readonly path: string;
  readonly columns: readonly {
    readonly name: string;
    readonly entries: number;
    readonly bytes: number;
  }[];
  /** Sum of the files' sizes; undefined in memory. Differs from the columns': compression, and what compaction has yet to drop. */
  readonly diskBytes: number | undefined;
}

/** Counts entries and bytes of every column by reading all of them. */
export async function databaseStats(database: Database): Promise<DatabaseStats> {
  const rows: { name: string; entries: number; bytes: number }[] = [];
  for (const column of Object.values(columns)) {
    rows.push({ name: column.name, ...(await database.measure(column)) });
  }
  const diskBytes = database.onDisk
    ? await directoryBytes(databaseFiles(database.path).level)
    : undefined;
  return { path: database.path, columns: rows, diskBytes };
}

async function directoryBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(path)) bytes += await fileBytes(join(path, name));
  return bytes;
}

/** Compaction may remove a file while we look at it. */
async function fileBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return 0;
    throw error;
  }
}
