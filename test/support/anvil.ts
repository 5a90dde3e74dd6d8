/** A running anvil, the peer that traces are compared with. */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const PROGRAM = join(root, "node_modules/.bin/anvil");
const START_LIMIT_MS = 20_000;

export interface Anvil extends AsyncDisposable {
  call(method: string, ...params: readonly unknown[]): Promise<unknown>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function post(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  const reply: unknown = await response.json();
  if (typeof reply !== "object" || reply === null) throw new TypeError("no reply");
  if ("error" in reply) throw reply.error;
  return "result" in reply ? reply.result : undefined;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once("exit", resolve));
}

/** Starts anvil on a genesis; `folder` takes the genesis file. */
export async function startAnvil(genesis: unknown, folder: string): Promise<Anvil> {
  const file = join(folder, "genesis.json");
  writeFileSync(file, JSON.stringify(genesis));
  const port = await freePort();
  const flags = ["--init", file, "--port", String(port), "--hardfork", "osaka", "--silent"];
  const child = spawn(PROGRAM, [...flags, "--chain-id", "31337", "--steps-tracing"]);
  const url = `http://127.0.0.1:${port}`;
  const start = performance.now();
  for (;;) {
    try {
      await post(url, "eth_chainId", []);
      break;
    } catch (error) {
      if (performance.now() - start > START_LIMIT_MS) {
        child.kill("SIGKILL");
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return {
    call: (method, ...params) => post(url, method, params),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended(child);
    },
  };
}
