/** `qnet t8n`: geth's state transition tool. */
import { readFile } from "node:fs/promises";
import type { EvmName } from "../../src/execution/evm.ts";
import { NodeError } from "../../src/primitives/errors.ts";
import { HexError } from "../../src/primitives/hex.ts";
import { type ForkSchedule, rulesForName } from "../../src/types/forks.ts";
import { type Genesis, GenesisError, parseGenesisText } from "../../src/types/genesis.ts";
import { message, parseEvmName } from "../fixtures/command.ts";
import { FixtureError } from "../fixtures/json.ts";
import { emptyState, fillState } from "../fixtures/memoryState.ts";
import { readT8nEnv } from "../fixtures/t8nEnv.ts";
import { T8N_STATUS, T8nError } from "../fixtures/t8nError.ts";
import { parseT8nOptions, readT8nInputs, type T8nOptions } from "../fixtures/t8nOptions.ts";
import { dumpAlloc, makeBasedir, resultJson, writeT8nOutputs } from "../fixtures/t8nOutput.ts";
import { runT8n } from "../fixtures/t8nRun.ts";
import { traceFactory } from "../fixtures/t8nTrace.ts";
import { transactionsOfJson, transactionsOfRlp } from "../fixtures/t8nTransactions.ts";

/** Runs the command; returns its exit status (evm.md: 0, 1, 2, 3, 4, 10, 11, 12). */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await transition(parseT8nOptions(args));
    return 0;
  } catch (error) {
    const status = statusOf(error);
    if (status === undefined) throw error;
    process.stderr.write(`ERROR(${status}): ${message(error)}\n`);
    return status;
  }
}

/** Undefined: a fault of this program. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof T8nError) return T8N_STATUS[error.reason.code];
  // A value that is not of the kind its field wants.
  if (error instanceof FixtureError || error instanceof HexError) return T8N_STATUS.JSON;
  return error instanceof NodeError ? T8N_STATUS.CONFIG : undefined;
}

async function transition(options: T8nOptions): Promise<void> {
  const reward = readReward(options["state.reward"]);
  const schedule = await readSchedule(options);
  makeBasedir(options["output.basedir"]);
  const inputs = await readT8nInputs(options);
  const number = inputs.env.get("currentNumber").optional()?.quantity() ?? 0n;
  const timestamp = inputs.env.get("currentTimestamp").optional()?.quantity() ?? 0n;
  // the name of a merged fork means its rules; of a genesis' chain the block itself says whether it is merged
  const given = inputs.env.get("currentDifficulty").optional()?.quantity() ?? 0n;
  const difficulty = schedule.terminalTotalDifficulty === 0n ? 0n : given;
  const rules = schedule.rules({ number, timestamp, difficulty });
  const block = readT8nEnv(inputs.env, rules);
  const transactions =
    inputs.txsRlp !== undefined
      ? transactionsOfRlp(inputs.txsRlp)
      : inputs.txs?.exists
        ? transactionsOfJson(inputs.txs, rules)
        : [];
  const state = emptyState();
  fillState(state, inputs.alloc);
  state.root();
  const { miner } = block.env;
  const evm = readEvm(options.evm);
  const trace = traceFactory(options, { state, rules, miner });
  const outcome = await runT8n({ state, rules, block, transactions, reward, trace, evm });
  await writeT8nOutputs(options, {
    alloc: dumpAlloc(state),
    result: resultJson(outcome, block, rules),
    included: outcome.included,
  });
}

function readEvm(name: string): EvmName {
  try {
    return parseEvmName(name);
  } catch (cause) {
    throw new T8nError("USAGE", message(cause), { cause });
  }
}

function readReward(text: string): bigint | "none" {
  if (!/^-?[0-9]+$/.test(text)) throw new T8nError("USAGE", `--state.reward ${text}: not a number`);
  const reward = BigInt(text);
  return reward < 0n ? "none" : reward;
}

async function readSchedule(options: T8nOptions): Promise<ForkSchedule> {
  const file = options["state.genesis"];
  if (file !== "") return (await readGenesis(file)).config.forks;
  const chainId = options["state.chainid"];
  if (!/^[0-9]+$/.test(chainId)) {
    throw new T8nError("USAGE", `--state.chainid ${chainId}: not a number`);
  }
  const schedule = rulesForName(options["state.fork"], BigInt(chainId));
  if (schedule === undefined) {
    throw new T8nError("CONFIG", `unsupported fork ${options["state.fork"]}`);
  }
  return schedule;
}

async function readGenesis(file: string): Promise<Genesis> {
  let content: string;
  try {
    content = await readFile(file, "utf8");
  } catch (cause) {
    throw new T8nError("FILE", `failed reading genesis file: ${String(cause)}`, { cause });
  }
  try {
    return parseGenesisText(content);
  } catch (error) {
    if (!(error instanceof GenesisError && error.cause instanceof SyntaxError)) throw error;
    throw new T8nError("JSON", `failed unmarshalling ${file}: ${error.message}`, { cause: error });
  }
}
