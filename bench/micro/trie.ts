/** Microseconds per key of the state: first fill, then blocks of random changes, warm and with a cold cache. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, bigIntToHash, parseAddress } from "../../src/primitives/hex.ts";
import { NodeCache } from "../../src/state/nodeCache.ts";
import { orderedTrieRoot } from "../../src/state/orderedTrie.ts";
import { State, type StateChanges } from "../../src/state/state.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { databaseStateStore, stateChangeOps } from "../../src/storage/stateStore.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../../src/types/account.ts";

const BLOCKS = 20;

/** `args`: number of accounts (default 100,000), changes a block (default 5,000). On LevelDB in the system's temporary directory. */
export async function trieBench(args: readonly string[]): Promise<string> {
  const accounts = Number(args[0] ?? 100_000);
  const changes = Number(args[1] ?? 5_000);
  const path = mkdtempSync(join(tmpdir(), "qnet-bench-"));
  try {
    await using database = await openDatabase({ path });
    return (await measure(database, accounts, changes)).join("\n");
  } finally {
    rmSync(path, { recursive: true });
  }
}

async function measure(database: Database, accounts: number, changes: number): Promise<string[]> {
  const store = databaseStateStore(database);
  const state = new State(store, EMPTY_TRIE_ROOT);
  const random = numbers(accounts);
  const filled = await block(database, accounts, () => {
    for (let i = 0; i < accounts; i++) {
      state.setAccount(addressOf(i), { ...EMPTY_ACCOUNT, balance: 10n ** 18n });
    }
    return state.takeChanges();
  });
  const warm = await blocks(database, changes, () => changeBlock(state, changes, random));
  const reopened = new State(store, state.root(), new NodeCache());
  const cold = await block(database, changes, () => changeBlock(reopened, changes, random));
  const slots = await blocks(database, changes, () => slotBlock(reopened, changes, random));
  const values = Array.from({ length: changes }, (_, i) => new Uint8Array(120).fill(i));
  const ordered: number[] = [];
  for (let i = 0; i < BLOCKS; i++) ordered.push(timed(changes, () => orderedTrieRoot(values)).us);
  return [
    row(`fill of ${accounts} accounts`, [filled]),
    row(`block of ${changes} changed accounts, warm`, warm),
    row("the same with empty caches", [cold]),
    row(`block of ${changes} changed slots of one contract`, slots),
    `ordered trie of ${changes} values of 120 bytes: ${median(ordered)} us per value`,
  ];
}

/** us per item: change, root and hash; store the new nodes in one synced batch. */
interface Cost {
  readonly change: number;
  readonly store: number;
  readonly nodes: number;
}

async function block(database: Database, items: number, work: () => StateChanges): Promise<Cost> {
  const { us, result } = timed(items, work);
  const start = performance.now();
  await database.batch(stateChangeOps(result));
  const store = Math.round(((performance.now() - start) * 10_000) / items) / 10;
  return { change: us, store, nodes: result.nodes.size };
}

async function blocks(
  database: Database,
  items: number,
  work: () => StateChanges,
): Promise<Cost[]> {
  const costs: Cost[] = [];
  for (let i = 0; i < BLOCKS; i++) costs.push(await block(database, items, work));
  return costs;
}

function row(name: string, costs: readonly Cost[]): string {
  const of = (key: keyof Cost) => median(costs.map((cost) => cost[key]));
  return `${name}: ${of("change")} us each with root, ${of("store")} us each to store; ${of("nodes")} nodes a block`;
}

function changeBlock(state: State, count: number, random: () => number) {
  for (let i = 0; i < count; i++) {
    const address = addressOf(random());
    const account = state.account(address) ?? EMPTY_ACCOUNT;
    state.setAccount(address, {
      ...account,
      nonce: account.nonce + 1n,
      balance: account.balance - 21_000n,
    });
  }
  return state.takeChanges();
}

function slotBlock(state: State, count: number, random: () => number) {
  const contract = addressOf(0);
  for (let i = 0; i < count; i++) {
    state.setSlot(
      contract,
      bigIntToHash(BigInt(random())),
      Uint8Array.of(1 + (i % 255), 7, 7, 7, 7),
    );
  }
  return state.takeChanges();
}

function addressOf(n: number): Address {
  return parseAddress(`0x${(n + 0x1_0000_0000).toString(16).padStart(40, "a")}`);
}

/** Linear congruence: the same sequence in every run. */
function numbers(below: number): () => number {
  let seed = 42;
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed % below;
  };
}

function timed<T>(items: number, work: () => T): { us: number; result: T } {
  const start = performance.now();
  const result = work();
  const us = Math.round(((performance.now() - start) * 10_000) / items) / 10;
  return { us, result };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

if (import.meta.main) console.log(await trieBench(process.argv.slice(2)));
