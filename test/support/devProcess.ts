/**
 * A development node as its user starts it: `node cli/main.ts dev` in a process of its own, on a free port of the loopback.
 * With QNET_TEST_RPC_URL the tests meet that server instead, so that anybody can see a test pass on another node, say
 * `anvil --port 8600 & QNET_TEST_RPC_URL=http://127.0.0.1:8600 npx mocha "test/tooling/*.test.ts"`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { repositoryRoot, temporaryFolder, toolEnvironment } from "./runTool.ts";

const START_TIMEOUT_MS = 15_000;
const START_POLL_MS = 10;
const STOP_TIMEOUT_MS = 5_000;

export interface DevProcess extends AsyncDisposable {
  readonly url: string;
  readonly wsUrl: string;
  /** A server that QNET_TEST_RPC_URL named, not this project's node */
  readonly isPeer: boolean;
  /** Calls one method and gives its result; an error object is thrown as it is. */
  call(method: string, ...params: readonly unknown[]): Promise<unknown>;
  /** Posts a body, text or value, and gives the whole response. */
  post(body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
}

/** Key of each of the first accounts of the test mnemonic; the addresses stand beside them in `accounts`. */
export const keys = [
  "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
] as const;
export const accounts = [
  "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
  "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
  "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
] as const;

/** Starts `qnet dev` with `args` more, or meets the server of QNET_TEST_RPC_URL, whose state is put back at the end. */
export async function startDevProcess(args: readonly string[] = []): Promise<DevProcess> {
  const peer = process.env["QNET_TEST_RPC_URL"];
  if (peer !== undefined) return meetPeer(peer);
  const folder = await temporaryFolder();
  const config = join(folder.path, "node.json");
  const child = spawn(
    process.execPath,
    ["cli/main.ts", "dev", "--port", "0", "--silent", "--config-out", config, ...args],
    { cwd: repositoryRoot, env: toolEnvironment(folder.path), stdio: ["ignore", "pipe", "pipe"] },
  );
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed = (printed + text).slice(-10_000);
    });
  }
  try {
    const { http, ws } = await addressesOf(child, config);
    return {
      ...clientOf(http),
      wsUrl: ws,
      isPeer: false,
      async [Symbol.asyncDispose]() {
        await stop(child);
        await folder[Symbol.asyncDispose]();
      },
    };
  } catch (cause) {
    child.kill("SIGKILL");
    await folder[Symbol.asyncDispose]();
    throw new Error(`the node did not start\n${printed}`, { cause });
  }
}

/** Waits for the file that the node writes when its listeners are up. */
async function addressesOf(
  child: ChildProcess,
  file: string,
): Promise<{ http: string; ws: string }> {
  const signal = AbortSignal.timeout(START_TIMEOUT_MS);
  while (!signal.aborted) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const text = await readFile(file, "utf8").catch(() => "");
    // a file that is not whole yet does not end its object
    if (text.trimEnd().endsWith("}")) return JSON.parse(text);
    await sleep(START_POLL_MS);
  }
  throw new Error(`no address within ${START_TIMEOUT_MS} ms`);
}

/** Asks the process to end; a node that does not end by itself, or ends with a failure, fails the test. */
async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  if (child.exitCode === null && child.signalCode === null) await ended;
  clearTimeout(timer);
  if (child.exitCode !== 0) {
    throw new Error(`the node ended with ${child.exitCode ?? child.signalCode} when asked to stop`);
  }
}

async function meetPeer(url: string): Promise<DevProcess> {
  const client = clientOf(url);
  const snapshot = await client.call("evm_snapshot");
  return {
    ...client,
    wsUrl: url.replace(/^http/, "ws"),
    isPeer: true,
    async [Symbol.asyncDispose]() {
      await client.call("evm_revert", snapshot);
      // anvil keeps the pool through a revert
      const version = String(await client.call("web3_clientVersion"));
      if (version.startsWith("anvil")) await client.call("anvil_dropAllTransactions");
    },
  };
}

function clientOf(url: string): Pick<DevProcess, "url" | "call" | "post"> {
  const post: DevProcess["post"] = (body, headers = {}) =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return {
    url,
    post,
    async call(method, ...params) {
      const response = await post({ jsonrpc: "2.0", id: 1, method, params });
      const reply: unknown = await response.json();
      if (typeof reply !== "object" || reply === null) throw new TypeError("no reply");
      if ("error" in reply) throw reply.error;
      return "result" in reply ? reply.result : undefined;
    },
  };
}
