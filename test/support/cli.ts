/** Runs commands in this process, with streams that remember. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CommandIo } from "../../cli/io.ts";
import { run } from "../../cli/run.ts";

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Streams and surroundings of a command; `stop` never comes unless given. */
export function commandIo(surroundings: Partial<CommandIo> = {}): {
  readonly io: CommandIo;
  readonly out: string[];
  readonly err: string[];
} {
  const out: string[] = [];
  const err: string[] = [];
  const sink = (target: string[]) => ({
    write: (text: string | Uint8Array) =>
      target.push(typeof text === "string" ? text : Buffer.from(text).toString("latin1")) > 0,
  });
  const { signal } = new AbortController();
  const io = { stdout: sink(out), stderr: sink(err), env: {}, stop: signal, ...surroundings };
  return { io, out, err };
}

/** Runs one command line. */
export async function runCommand(
  args: readonly string[],
  surroundings: Partial<CommandIo> = {},
): Promise<CommandResult> {
  const { io, out, err } = commandIo(surroundings);
  const status = await run(args, io);
  return { status, stdout: out.join(""), stderr: err.join("") };
}

/** A folder of its own that goes with `using`. */
export function temporaryFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "qnet-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** The same with `--lightkdf` in the environment: a strong one costs 256 MiB and half a second for each file. */
export function runLight(
  args: readonly string[],
  surroundings: Partial<CommandIo> = {},
): Promise<CommandResult> {
  return runCommand(args, { ...surroundings, env: { QNET_LIGHTKDF: "true" } });
}
