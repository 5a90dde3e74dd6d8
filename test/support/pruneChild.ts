/**
 * The process that test/crash/pruneCrash.test.ts kills: it opens a chain that keeps few states and makes blocks which write
 * to twin contracts, some of them beside the head, while old states are removed. Lines on stdout: `loaded`, after `go` on
 * stdin `ready`, and `removing <number>` when another batch of removals is handed to the database.
 * Arguments: directory, seed.
 */
import { writeSync } from "node:fs";
import { enableCompileCache } from "node:module";

enableCompileCache();
const { openTestChain } = await import("./chains.ts");
const { randomOf } = await import("./random.ts");
const { mineTwinWrite, TWIN_SLOTS, twinGenesis } = await import("./twins.ts");
const { LEAST_HISTORY } = await import("../../src/chain/stateHistory.ts");
const { columns } = await import("../../src/storage/columns.ts");
const { openDatabase } = await import("../../src/storage/database.ts");

const [path = "", seed = "1"] = process.argv.slice(2);
const STDOUT = 1;
/** Of a block's writes: with them a round of removals begins after fewer than a hundred blocks. */
const MOST_SLOTS = 700;
const MOST_BEHIND = 4;

writeSync(STDOUT, "loaded\n");
await new Promise((resolve) => process.stdin.once("data", resolve));

const database = await openDatabase({ path });
const batch = database.batch.bind(database);
let removals = 0;
database.batch = (ops, options) => {
  const removes = ops[0]?.type === "del" && ops[0].key[0] === columns.nodes.prefix;
  if (removes) writeSync(STDOUT, `removing ${++removals}\n`);
  return batch(ops, options);
};
const { chain } = await openTestChain(twinGenesis(TWIN_SLOTS), {
  database,
  stateHistory: LEAST_HISTORY,
});
const random = randomOf(Number(seed));
const below = (limit: number) => Math.floor(random() * limit);
writeSync(STDOUT, "ready\n");
for (;;) {
  let parent = chain.head;
  if (random() < 0.1) {
    const hash = chain.canonicalHash(parent.header.number - BigInt(below(MOST_BEHIND)));
    const header = hash && chain.header(hash);
    if (hash !== undefined && header !== undefined) parent = { hash, header };
  }
  const write = {
    both: random() < 0.5,
    from: below(TWIN_SLOTS - MOST_SLOTS),
    count: 1 + below(MOST_SLOTS),
    value: random() < 0.2 ? 0 : 1 + below(1_000_000),
  };
  await mineTwinWrite(chain, write, parent);
}
