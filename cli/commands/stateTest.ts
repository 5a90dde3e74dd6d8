/** `qnet state-test`: state-test JSON of ethereum/tests and EEST, one record per case. */
import { runFixtureCommand } from "../fixtures/command.ts";
import { runStateTests } from "../fixtures/stateTest.ts";

/** Runs the command; returns its exit status: 0 all well, 1 a case failed, 2 usage or internal error. */
export function run(args: readonly string[]): Promise<number> {
  return runFixtureCommand("state-test", args, runStateTests);
}
