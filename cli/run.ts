/**
 * The executable: finds the command, gives it the process' streams, turns its error into a line and an exit status, and
 * carries signals. The first SIGINT or SIGTERM asks the command to end, the second ends the process.
 */
import { loaders } from "./commands.ts";
import { type CommandName, type Definition, definitions } from "./definitions.ts";
import { describeFailure, EXIT, exitStatusOf, UsageError } from "./exit.ts";
import { commandHelp, overview } from "./help.ts";
import type { CommandIo } from "./io.ts";
import { askSecret } from "./terminal.ts";

/** Time after which a process whose command has ended is ended too, should a handle keep it alive. */
const LINGER_MS = 1_000;

/** Runs this process' command line and sets its exit status. */
export async function main(): Promise<void> {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(EXIT.general);
    process.stderr.write(`Got ${signal}, shutting down; a second signal forces\n`);
    stop.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  // a reader that goes away (`qnet export - | head`) is no fault of ours
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(EXIT.ok);
  });
  const { stdout, stderr, env } = process;
  const ask = process.stdin.isTTY ? askSecret : undefined;
  process.exitCode = await run(process.argv.slice(2), {
    stdout,
    stderr,
    env,
    stop: stop.signal,
    askSecret: ask,
    onReload: (task) => void process.on("SIGHUP", task),
  });
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** Runs one command line; returns the exit status. Errors are told on stderr. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  try {
    return await dispatch(args, io);
  } catch (error) {
    io.stderr.write(`Fatal: ${describeFailure(error)}\n`);
    return exitStatusOf(error);
  }
}

async function dispatch(args: readonly string[], io: CommandIo): Promise<number> {
  const [first = "dev", ...rest] = args;
  if (first === "--version" || first === "-V") return dispatch(["version", ...rest], io);
  if (first === "--help" || first === "-h" || first === "help") {
    const topic = rest[0] === undefined ? undefined : findCommand(rest[0]);
    io.stdout.write(topic === undefined ? overview(definitions) : commandHelp(topic));
    return EXIT.ok;
  }
  // flags alone belong to the default command: `qnet --block-time 1`
  const command = findCommand(first.startsWith("-") ? "dev" : first);
  const own = first.startsWith("-") ? args : rest;
  if (own.some((argument) => argument === "--help" || argument === "-h")) {
    io.stdout.write(commandHelp(command));
    return EXIT.ok;
  }
  const { run: start } = await loaders[command.name]();
  return start(own, io);
}

function findCommand(name: string): Definition & { readonly name: CommandName } {
  const found = definitions.find((command) => command.name === name);
  if (found !== undefined) return found;
  throw new UsageError(`there is no command "${name}"; qnet --help lists all`);
}
