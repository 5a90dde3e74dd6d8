/** `qnet tx-test`: TransactionTests JSON, one record per fork. */
import { runFixtureCommand } from "../fixtures/command.ts";
import { runTransactionTests } from "../fixtures/txTest.ts";

/** Runs the command; returns its exit status: 0 all well, 1 a case failed, 2 usage or internal error. */
export function run(args: readonly string[]): Promise<number> {
  return runFixtureCommand("tx-test", args, runTransactionTests);
}
