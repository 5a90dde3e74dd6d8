/** A JSON-RPC server of a test node, and plain clients for it. */
import { WebSocket } from "ws";
import { type RpcServer, type RpcServerOptions, startRpcServer } from "../../rpc/server.ts";
import { plainGenesis } from "./chains.ts";
import { startTestNode, type TestNode } from "./rpcNode.ts";

const ALL_NAMESPACES = ["eth", "net", "web3", "txpool", "debug", "qnet"];

export interface TestServer extends AsyncDisposable {
  readonly node: TestNode;
  readonly server: RpcServer;
  /** Posts a body, text or value, and gives the whole response. */
  post(body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Posts a value and parses the reply. */
  ask(body: unknown): Promise<unknown>;
  /** Calls one method and gives its result; an error is thrown as it is. */
  call(method: string, ...params: readonly unknown[]): Promise<unknown>;
}

/** Serves `node`, or a new one on a plain genesis with funded test keys. */
export async function startTestServer(
  options: Partial<RpcServerOptions> = {},
  given?: TestNode,
): Promise<TestServer> {
  const node = given ?? (await startTestNode(plainGenesis()));
  const server = await startRpcServer(node, {
    hosts: ["127.0.0.1"],
    port: 0,
    api: ALL_NAMESPACES,
    ...options,
  });
  const post = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    fetch(server.httpUrl, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const ask = async (body: unknown) => (await post(body)).json();
  return {
    node,
    server,
    post,
    ask,
    async call(method, ...params) {
      const reply = await ask({ jsonrpc: "2.0", id: 1, method, params });
      if (typeof reply !== "object" || reply === null) throw new TypeError("no reply");
      if ("error" in reply) throw reply.error;
      return "result" in reply ? reply.result : undefined;
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await node[Symbol.asyncDispose]();
    },
  };
}

/** A WebSocket client that keeps what it receives. */
export interface TestSocket extends Disposable {
  readonly socket: WebSocket;
  send(body: unknown): void;
  /** The next message that was not taken yet. */
  next(): Promise<Record<string, unknown>>;
  /** Calls one method and gives its result, or throws its error; for use while no notification is due. */
  call(method: string, ...params: readonly unknown[]): Promise<unknown>;
}

/** Opens a WebSocket; rejects when the server refuses it. */
export async function openTestSocket(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestSocket> {
  const socket = new WebSocket(url, { headers });
  const received: Record<string, unknown>[] = [];
  const waiting: ((message: Record<string, unknown>) => void)[] = [];
  socket.on("message", (raw) => {
    const message = JSON.parse(String(raw));
    const wake = waiting.shift();
    if (wake === undefined) received.push(message);
    else wake(message);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve());
    socket.once("error", reject);
  });
  const send = (body: unknown) =>
    socket.send(typeof body === "string" ? body : JSON.stringify(body));
  const next = () => {
    const message = received.shift();
    if (message !== undefined) return Promise.resolve(message);
    return new Promise<Record<string, unknown>>((resolve) => waiting.push(resolve));
  };
  return {
    socket,
    send,
    next,
    async call(method, ...params) {
      send({ jsonrpc: "2.0", id: 1, method, params });
      const reply = await next();
      if ("error" in reply) throw reply["error"];
      return reply["result"];
    },
    [Symbol.dispose]() {
      socket.terminate();
    },
  };
}
