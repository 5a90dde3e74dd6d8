/** A seeded sample of the public EVM suite; `npm run conformance -- evm` runs all of it. */
import assert from "node:assert/strict";
import { relative } from "node:path";
import { findSuite, type SuiteKind, sample, suiteFiles } from "../../cli/fixtures/suite.ts";
import { runSuiteFile } from "../../cli/fixtures/suiteCases.ts";

/** Another seed for another sample: QNET_TEST_SEED=7 npm test */
const SEED = Number(process.env["QNET_TEST_SEED"] ?? 1);
const FILES: Readonly<Record<SuiteKind, number>> = {
  state: 40,
  block: 12,
  tx: 20,
  rlp: 3,
  trie: 6,
};

describe(`public EVM suite, sample of seed ${SEED}`, () => {
  it("is found and passes", async function () {
    this.timeout(120_000);
    let directory: string;
    try {
      directory = await findSuite();
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
      return this.skip();
    }
    const all = await suiteFiles(directory);
    for (const kind of ["state", "block", "tx", "rlp", "trie"] as const) {
      const files = all.filter((file) => file.kind === kind);
      for (const file of sample(files, FILES[kind], SEED)) {
        const name = relative(directory, file.path);
        const failed = (await runSuiteFile(file)).filter((one) => !one.passed);
        assert.deepEqual(failed, [], `seed ${SEED}: ${name}`);
      }
    }
  });
});
