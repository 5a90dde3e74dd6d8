/** `qnet conformance evm|rpc|fuzz`: public test suites against this node, and its EVMs against each other. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { message, parseEvmName } from "../fixtures/command.ts";
import { runFuzz } from "../fixtures/fuzzRun.ts";
import { runRpcSuite } from "../fixtures/rpcSuite.ts";
import { findSuite, sample, suiteFiles } from "../fixtures/suite.ts";
import { runSuite } from "../fixtures/suiteRun.ts";
import type { CommandIo } from "../io.ts";

const USAGE = `usage: qnet conformance evm [--sample FILES] [--seed N] [--jobs N] [--evm fast|reference]
       qnet conformance fuzz [--blocks] [--cases N] [--seed N] [--first N]
       qnet conformance rpc [options of test/tools/rpc-compat.mjs]
`;
const DEFAULT_SEED = 1;
const DEFAULT_FUZZ_CASES = 10_000;

/** Runs the command; returns its exit status: 0 everything passed, 1 something failed, 2 usage or no fixtures. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const [suite, ...rest] = args;
  try {
    if (suite === "evm") return await runEvm(rest);
    if (suite === "fuzz") return await fuzz(rest, io.stop);
    if (suite === "rpc") return await runRpcSuite(rest);
    process.stderr.write(USAGE);
    return 2;
  } catch (error) {
    process.stderr.write(`conformance: ${message(error)}\n${USAGE}`);
    return 2;
  }
}

async function runEvm(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      sample: { type: "string" },
      seed: { type: "string" },
      jobs: { type: "string" },
      evm: { type: "string" },
    },
  });
  const seed = count(values.seed, "--seed") ?? DEFAULT_SEED;
  const jobs = count(values.jobs, "--jobs") ?? availableParallelism();
  const wanted = count(values.sample, "--sample");
  const all = await suiteFiles(await findSuite());
  const files = wanted === undefined ? all : sample(all, wanted, seed);
  const what = wanted === undefined ? "" : ` (of ${all.length}, seed ${seed})`;
  process.stderr.write(`${files.length} files${what} in ${jobs} processes\n`);
  return (await runSuite(files, Math.max(1, jobs), parseEvmName(values.evm))) === 0 ? 0 : 1;
}

async function fuzz(args: string[], stop: AbortSignal): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      cases: { type: "string" },
      seed: { type: "string" },
      first: { type: "string" },
      blocks: { type: "boolean", default: false },
    },
  });
  const range = {
    blocks: values.blocks,
    seed: count(values.seed, "--seed") ?? DEFAULT_SEED,
    first: count(values.first, "--first") ?? 0,
    count: count(values.cases, "--cases") ?? DEFAULT_FUZZ_CASES,
  };
  return (await runFuzz(range, stop)) ? 0 : 1;
}

function count(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,9}$/.test(text)) throw new RangeError(`${option} ${text}: not a number`);
  return Number(text);
}
