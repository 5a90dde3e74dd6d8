/**
 * The JSON-RPC server: HTTP and WebSocket on one port, a second WebSocket port when asked for.
 * methods/index.ts lists what can be called, access.ts decides what is open, dispatch.ts runs it.
 */

import type { RequestListener, Server } from "node:http";
import { openMethods } from "./access.ts";
import type { RpcLimits, RpcNode } from "./context.ts";
import { createContext } from "./createContext.ts";
import { createDispatcher, type DispatchLimits } from "./dispatch.ts";
import { type EngineOptions, type EngineServer, startEngineServer } from "./engineServer.ts";
import { withFastPath } from "./fastHttp.ts";
import { createHttpApp } from "./http.ts";
import { addressOf, closeServers, listenAll, urlOf } from "./listen.ts";
import { allMethods } from "./methods/index.ts";
import { createSocketServer } from "./websocket.ts";

export interface RpcServerOptions extends Partial<RpcLimits> {
  /** Addresses to listen on, all with the same port. The first must work; the others may be missing on this machine. */
  readonly hosts: readonly string[];
  /** 0 takes a free port. */
  readonly port: number;
  /** Port for WebSocket alone; upgrades are served on `port` anyway. */
  readonly wsPort?: number;
  /** Open namespaces. */
  readonly api: readonly string[];
  readonly corsDomains?: readonly string[];
  readonly vhosts?: readonly string[];
  /** Trust names of private zones and container names too. */
  readonly privateNames?: boolean;
  readonly dispatch?: Partial<DispatchLimits>;
  /** Serve the Engine API too, on a port of its own. */
  readonly engine?: EngineOptions;
}

/** A running server. */
export interface RpcServer {
  /** `http://127.0.0.1:8545` */
  readonly httpUrl: string;
  /** `ws://127.0.0.1:8545`; the WebSocket port's own when there is one */
  readonly wsUrl: string;
  readonly port: number;
  /** `http://127.0.0.1:8551`; undefined where the Engine API is not served */
  readonly engineUrl: string | undefined;
  /** Stops listening, ends subscriptions and connections. */
  close(): Promise<void>;
}

const dispatchDefaults: DispatchLimits = {
  batchCalls: 1_000,
  batchReplyBytes: 25_000_000,
  requestTimeoutMs: 30_000,
};

const onlySockets: RequestListener = (_request, response) => {
  response.writeHead(426, { "content-type": "text/plain", upgrade: "websocket" });
  response.end("this port serves WebSocket only\n");
};

/** Starts serving `node`. Throws ServerError when an address cannot be had; nothing stays open then. */
export async function startRpcServer(node: RpcNode, options: RpcServerOptions): Promise<RpcServer> {
  const { log } = node;
  const open = openMethods(allMethods, { api: options.api, dev: node.dev !== undefined });
  const context = createContext(node, {
    limits: options,
    methods: [...open.values()],
  });
  const limits = { ...dispatchDefaults, ...options.dispatch };
  const dispatcher = createDispatcher({ all: allMethods, open, context, log }, limits);
  const rules = {
    corsDomains: options.corsDomains ?? [],
    vhosts: options.vhosts ?? ["localhost"],
    privateNames: options.privateNames ?? false,
    vhostsOption: "http.vhosts",
  };
  const sockets = createSocketServer({ dispatcher, rules, log });
  const servers: Server[] = [];
  let engine: EngineServer | undefined;
  const close = async (): Promise<void> => {
    context.close();
    sockets.close();
    await Promise.all([closeServers(servers), engine?.close()]);
  };
  try {
    const app = withFastPath(createHttpApp({ dispatcher, rules, log }), { dispatcher, rules, log });
    servers.push(...(await listenAll(app, options.hosts, options.port, log)));
    const [first] = servers;
    if (first === undefined) throw new RangeError("no address to listen on");
    let wsUrl = urlOf("ws", first);
    if (options.wsPort !== undefined) {
      const extra = await listenAll(onlySockets, options.hosts, options.wsPort, log);
      servers.push(...extra);
      if (extra[0] !== undefined) wsUrl = urlOf("ws", extra[0]);
    }
    for (const server of servers) sockets.attach(server);
    if (options.engine !== undefined) engine = await startEngineServer(node, options.engine);
    const { port } = addressOf(first);
    return { httpUrl: urlOf("http", first), wsUrl, port, engineUrl: engine?.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}
