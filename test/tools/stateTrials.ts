/**
 * Long random histories of the state beside @ethereumjs/mpt (test/support/stateTrials.ts):
 *   node test/tools/stateTrials.ts [--operations 5000000] [--seed N] [--per-block 2000] [--accounts 3000] [--slots 60]
 * Ends with status 0 and the counts, or at the first difference with the seed that repeats it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDatabase } from "../../src/storage/database.ts";
import { StateTrial, type TrialCounts } from "../support/stateTrials.ts";

const TOLD_BLOCKS = 50;

const { values } = parseArgs({
  options: {
    operations: { type: "string", default: "5000000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    "per-block": { type: "string", default: "2000" },
    accounts: { type: "string", default: "3000" },
    slots: { type: "string", default: "60" },
  },
});
const seed = Number(values.seed);
const folder = mkdtempSync(join(tmpdir(), "qnet-trials-"));
const onBlock = (counts: TrialCounts) => {
  if (counts.blocks % TOLD_BLOCKS === 0) console.error(JSON.stringify(counts));
};
try {
  await using database = await openDatabase({ path: folder });
  const trial = new StateTrial(database, {
    seed,
    operations: Number(values.operations),
    perBlock: Number(values["per-block"]),
    accounts: Number(values.accounts),
    slots: Number(values.slots),
    onBlock,
  });
  console.log(JSON.stringify({ seed, differences: 0, ...(await trial.run()) }));
} catch (error) {
  console.error(`seed ${seed}:`, error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
