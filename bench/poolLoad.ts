/** The transaction pool at several sizes: taking one transaction in, choosing those of a block, following a block. */
import { parseArgs } from "node:util";
import { buildBlock } from "../src/chain/buildBlock.ts";
import { Chain } from "../src/chain/chain.ts";
import { networkRules } from "../src/chain/networkRules.ts";
import { HeadView } from "../src/consensus/headView.ts";
import { ZERO_ADDRESS } from "../src/primitives/hex.ts";
import { systemClock } from "../src/runtime/clock.ts";
import { silentLogger } from "../src/runtime/log.ts";
import { Metrics } from "../src/runtime/metrics.ts";
import { WorkerPool } from "../src/runtime/workers.ts";
import { openDatabase } from "../src/storage/database.ts";
import { TxPool } from "../src/txpool/pool.ts";
import { parseGenesisText } from "../src/types/genesis.ts";
import { median, table } from "./report.ts";
import { draftOnHead, genesisText, transfer } from "./transfers.ts";

/** Transactions taken in, chosen and included in each round. */
const PER_ROUND = 1_000;
const PER_SENDER = 10;

interface Round {
  readonly add: number;
  readonly select: number;
  readonly follow: number;
}

/** A row for each size: microseconds of wall time per transaction. */
export async function poolLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      sizes: { type: "string", default: "500,5000,50000" },
      runs: { type: "string", default: "9" },
    },
  });
  // the first one in a process would be cold
  await measure(PER_ROUND, 2);
  const rows: (readonly (string | number)[])[] = [];
  for (const size of values.sizes.split(",").map(Number)) {
    const rounds = await measure(size, Number(values.runs));
    const of = (key: keyof Round) => median(rounds.map((round) => round[key])).toFixed(1);
    const row = [size, size / PER_SENDER, of("add"), of("select"), of("follow")];
    console.error(row.join(" "));
    rows.push(row);
  }
  return [
    `Executable transfers that wait, ${PER_SENDER} of each sender, senders known. In each of ${values.runs} rounds ${PER_ROUND} more come in, a block takes the ${PER_ROUND} best, and the pool follows it. Microseconds per transaction, medians.`,
    "",
    table(["pool", "senders", "add us", "select us", "follow the block us"], rows),
  ].join("\n");
}

async function measure(size: number, runs: number): Promise<Round[]> {
  const senders = (size + PER_ROUND) / PER_SENDER;
  const genesis = parseGenesisText(genesisText(senders));
  const log = silentLogger;
  await using database = await openDatabase();
  const chain = await Chain.open(database, genesis, { ...networkRules(genesis.config), log });
  const recovery = new WorkerPool({ log }, { threads: 1 });
  const head = new HeadView({ chain, clock: systemClock });
  const dependencies = { head, recovery, log, clock: systemClock, metrics: new Metrics() };
  const pool = new TxPool(dependencies, { globalSlots: size + PER_ROUND, accountSlots: PER_ROUND });
  let followMs = 0;
  chain.on("head", (event): undefined => {
    const startMs = performance.now();
    pool.onHead(event);
    followMs = performance.now() - startMs;
  });
  let sent = 0;
  const fill = async (count: number): Promise<number> => {
    const transfers = Array.from({ length: count }, () =>
      transfer(genesis, sent++, ZERO_ADDRESS, senders),
    );
    const startMs = performance.now();
    for (const { transaction } of transfers) await pool.addTransaction(transaction, "peer");
    return performance.now() - startMs;
  };
  await fill(size);
  const rounds: Round[] = [];
  for (let run = 0; run < runs; run++) {
    const addMs = await fill(PER_ROUND);
    const startMs = performance.now();
    const chosen = Iterator.from(pool.select()).take(PER_ROUND).toArray();
    const selectMs = performance.now() - startMs;
    const built = await buildBlock(chain, draftOnHead(chain), chosen, { clock: systemClock });
    await chain.importBlock(built.block, built);
    if (pool.stats().pending !== size) throw new Error("the block took something else");
    const micros = (ms: number) => (ms * 1_000) / PER_ROUND;
    rounds.push({ add: micros(addMs), select: micros(selectMs), follow: micros(followMs) });
  }
  await recovery.stop();
  await chain.close();
  return rounds;
}
