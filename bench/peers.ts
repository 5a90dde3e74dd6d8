/** A node to be measured and its peer: started on a free port, loaded with a tool of bench/load, stopped. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "..");
const RUN_TIMEOUT_MS = 600_000;

export type Peer = "qnet" | "anvil";

/** Starts a development chain of `peer`, runs a load tool with its arguments against it and returns the tool's JSON report. */
export async function loadBeside(
  peer: Peer,
  options: string,
  load: string,
  timeoutMs = RUN_TIMEOUT_MS,
): Promise<unknown> {
  const port = await freePort();
  const common = `--port ${port} --silent ${options}`;
  const node =
    peer === "anvil"
      ? `${anvilBinary()} ${common}`
      : `${process.execPath} ${root}/cli/main.ts dev ${common}`;
  const tool = `${process.execPath} ${root}/bench/load/${load} --url $URL --pid $NPID --quiet`;
  const script = `${root}/bench/load/with-node.sh`;
  const output = await capture(script, [String(port), "/dev/stderr", node, "--", tool], timeoutMs);
  const line = output.split("\n").findLast((each) => each.startsWith("{"));
  if (line === undefined) throw new Error(`the load tool printed no report:\n${output}`);
  return JSON.parse(line);
}

/** The number at a path such as `inclusion.tps`. */
export function numberAt(json: unknown, path: string): number {
  const value = path
    .split(".")
    .reduce<unknown>(
      (at, part) => (typeof at === "object" && at !== null ? Reflect.get(at, part) : undefined),
      json,
    );
  if (typeof value !== "number") throw new Error(`no ${path} in the report`);
  return value;
}

/** The program itself: the command in .bin is a wrapper, whose CPU time and memory say nothing. */
function anvilBinary(): string {
  const name = `@foundry-rs/anvil-${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  return join(
    dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)),
    "bin",
    "anvil",
  );
}

function capture(command: string, args: readonly string[], timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: timeoutMs,
    });
    let output = "";
    child.stdout.on("data", (data) => {
      output += String(data);
    });
    child.on("error", reject);
    child.on("exit", (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${command} ended with ${code}`)),
    );
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        address !== null && typeof address === "object"
          ? resolve(address.port)
          : reject(new Error("no port")),
      );
    });
  });
}
