/** `qnet block-test`: blockchain-test JSON of ethereum/tests and EEST, one record per test. */

import { runBlockTests } from "../fixtures/blockTest.ts";
import { runFixtureCommand } from "../fixtures/command.ts";

/** Runs the command; returns its exit status: 0 all well, 1 a case failed, 2 usage or internal error. */
export function run(args: readonly string[]): Promise<number> {
  return runFixtureCommand("block-test", args, runBlockTests);
}
