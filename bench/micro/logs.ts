/** eth_getLogs over a long chain: an index of a million blocks, of which few or many matter. On LevelDB. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BlockStore } from "../../src/chain/blockStore.ts";
import { type LogQuery, putLogIndex, searchLogs } from "../../src/chain/logIndex.ts";
import { type Address, bigIntToHash, parseAddress } from "../../src/primitives/hex.ts";
import { columns, put, type WriteOp } from "../../src/storage/columns.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { encodeBody, makeBlock } from "../../src/types/block.ts";
import { bloomOf } from "../../src/types/bloom.ts";
import { encodeReceiptsForStorage, type Log, type Receipt } from "../../src/types/receipt.ts";
import {
  buildTestBlock,
  openTestChain,
  plainGenesis,
  testTransaction,
} from "../../test/support/chains.ts";
import { table } from "../report.ts";

const BLOCKS_PER_BATCH = 5_000;
/** Addresses that log all the time, one of them in each block. */
const BUSY = 64;
/** Blocks at the end that are there whole. */
const TAIL = 5_000;
const RUNS = 5;

const addressOf = (n: number): Address => parseAddress(`0x${n.toString(16).padStart(40, "a")}`);
const logOf = (address: Address, topic: number): Log => ({
  address,
  topics: [bigIntToHash(BigInt(topic))],
  data: new Uint8Array(32),
});
const receiptOf = (logs: readonly Log[]): Receipt => ({
  type: 2,
  outcome: 1,
  cumulativeGasUsed: 50_000n,
  logsBloom: bloomOf(logs),
  logs: [...logs],
});

/** `args`: numbers of blocks (default 10,000, 100,000 and 1,000,000). */
export async function logsBench(args: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const blocks of (args[0] ?? "10000,100000,1000000").split(",").map(Number)) {
    const path = mkdtempSync(join(tmpdir(), "qnet-bench-"));
    try {
      await using database = await openDatabase({ path });
      await fill(database, blocks);
      parts.push(await measure(database, BigInt(blocks)));
    } finally {
      rmSync(path, { recursive: true });
    }
  }
  return parts.join("\n\n");
}

/** The index says of every block that it holds a log of a busy address; block 777,777 (or the middle) one of a rare address too. */
async function fill(database: Database, blocks: number): Promise<void> {
  await using test = await openTestChain(plainGenesis());
  const { block: model } = await buildTestBlock(test.chain, [testTransaction(test.chain, 0, 0)]);
  const rare = rareBlock(blocks);
  let operations: WriteOp[] = [];
  for (let number = 1; number <= blocks; number++) {
    const logs = [logOf(addressOf(number % BUSY), number % 3)];
    if (number === rare) logs.push(logOf(addressOf(1_000_000), 7));
    const receipts = [receiptOf(logs)];
    for (const operation of putLogIndex(BigInt(number), receipts)) operations.push(operation);
    // the blocks themselves only where a query below finds them: a million would take an hour
    if (number === rare || number > blocks - TAIL) {
      const header = { ...model.header, number: BigInt(number), logsBloom: bloomOf(logs) };
      const block = makeBlock(header, model);
      operations.push(
        put(columns.canonical, BigInt(number), block.hash),
        put(columns.headers, block.hash, header),
        put(columns.bodies, block.hash, encodeBody(block)),
        put(columns.receipts, block.hash, encodeReceiptsForStorage(receipts)),
      );
    }
    if (number % BLOCKS_PER_BATCH !== 0 && number < blocks) continue;
    await database.batch(operations, { sync: false });
    operations = [];
  }
}

function rareBlock(blocks: number): number {
  return Math.floor(blocks * 0.777777);
}

async function measure(database: Database, head: bigint): Promise<string> {
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => addressOf(from + n));
  const whole = { fromBlock: 1n, toBlock: head, topics: [] };
  const tail = { fromBlock: head - BigInt(TAIL) + 1n, toBlock: head, topics: [] };
  const topic = [[bigIntToHash(7n)]];
  const cases: readonly (readonly [string, LogQuery])[] = [
    ["one address, one hit, all blocks", { ...whole, addresses: [addressOf(1_000_000)] }],
    ["one topic, one hit, all blocks", { ...whole, addresses: [], topics: topic }],
    ["a busy address and a rare topic, no hit", { ...whole, addresses: many(1, 1), topics: topic }],
    [
      "1,000 addresses of which one logs, all blocks",
      { ...whole, addresses: many(999_001, 1_000) },
    ],
    ["1,000 addresses, 64 of them busy, 5,000 blocks", { ...tail, addresses: many(0, 1_000) }],
    ["any log, 5,000 blocks", { ...tail, addresses: [] }],
  ];
  const rows: (string | number)[][] = [];
  for (const [name, query] of cases) {
    const times: number[] = [];
    let found = 0;
    for (let run = 0; run < RUNS; run++) {
      // a store of its own each time: what is measured is the database, not the cache of blocks
      const store = new BlockStore(database);
      const start = performance.now();
      found = 0;
      for await (const _ of searchLogs({ database, store }, query)) found++;
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    rows.push([name, found, (times[0] ?? 0).toFixed(1), (times[RUNS >> 1] ?? 0).toFixed(1)]);
  }
  return `${head} blocks, each with a log of one of ${BUSY} busy addresses.\n\n${table(["query", "logs", "ms, best", "ms, median"], rows)}`;
}
