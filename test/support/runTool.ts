/** Runs a command-line tool of node_modules as its user would, in a clean environment. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

export const repositoryRoot = join(import.meta.dirname, "../..");

/** Foundry's tools: npm holds a script that starts the program but does not pass on its exit code. */
const PROGRAMS: ReadonlySet<string> = new Set(["cast", "forge"]);
const TOOL_TIMEOUT_MS = 60_000;
/** Characters of output kept of each stream: a tool that prints without end must not fill the memory. */
const MAX_OUTPUT = 1 << 20;

export interface ToolResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Environment of a tool: this Node and node_modules/.bin first, nothing of the user's own settings, no prompts. */
export function toolEnvironment(home: string): Record<string, string> {
  const path = [dirname(process.execPath), join(repositoryRoot, "node_modules/.bin")];
  return {
    PATH: [...path, process.env["PATH"] ?? ""].join(delimiter),
    HOME: home,
    TMPDIR: tmpdir(),
    NO_COLOR: "1",
    NO_PROXY: "*",
    FOUNDRY_DISABLE_NIGHTLY_WARNING: "1",
    HARDHAT_DISABLE_TELEMETRY_PROMPT: "true",
    HARDHAT_IGNITION_CONFIRM_DEPLOYMENT: "false",
  };
}

/** A folder of its own that is removed with everything in it. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "qnet-tooling-"));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

function executable(tool: string): string {
  if (!PROGRAMS.has(tool)) return join(repositoryRoot, "node_modules/.bin", tool);
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const program = `@foundry-rs/${tool}-${process.platform}-${architecture}/bin/${tool}`;
  return createRequire(import.meta.url).resolve(program);
}

/** Runs `tool` to its end; a non-zero exit is a result, a missing tool or a timeout is an error with the output so far. */
export async function runTool(
  tool: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  await using home = await temporaryFolder();
  const timeoutMs = options.timeoutMs ?? TOOL_TIMEOUT_MS;
  const child = spawn(executable(tool), args, {
    cwd: options.cwd ?? repositoryRoot,
    env: { ...toolEnvironment(home.path), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      if (output[name].length < MAX_OUTPUT) output[name] += text;
    });
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  try {
    const code = await new Promise<number | undefined>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exit) => resolve(exit ?? undefined));
    });
    if (code === undefined) {
      throw new Error(
        `${tool} ${args[0]} was ended (limit ${timeoutMs} ms)\n${output.stdout}${output.stderr}`,
      );
    }
    return { code, ...output };
  } finally {
    clearTimeout(timer);
  }
}

/** Output of a run that must end with exit code 0; else an error with all it printed. */
export async function toolOutput(
  tool: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await runTool(tool, args, options);
  if (code !== 0) {
    throw new Error(`${tool} ${args.join(" ")} ended with ${code}\n${stdout}${stderr}`);
  }
  return stdout;
}
