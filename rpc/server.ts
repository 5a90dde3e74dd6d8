/**
 * The JSON-RPC server: HTTP and WebSocket on one port, a second WebSocket port when asked for.
 * methods/index.ts lists what can be called, access.ts decides what is open, dispatch.ts runs it.
 */

import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { NodeError } from "../src/primitives/errors.ts";
import type { Logger } from "../src/runtime/log.ts";
import { openMethods } from "./access.ts";
import type { RpcLimits, RpcNode } from "./context.ts";
import { createContext } from "./createContext.ts";
import { createDispatcher, type DispatchLimits } from "./dispatch.ts";
import { createHttpApp } from "./http.ts";
import { allMethods } from "./methods/index.ts";
import { createSocketServer, type SocketServer } from "./websocket.ts";

/** Time in which the head of a request, and the whole request, must arrive; how long an idle connection stays. */
const httpTimeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
} as const;
/** Connections of one listener. */
const MAX_CONNECTIONS = 4_096;
/** How long connections may finish their request when the server closes. */
const CLOSE_GRACE_MS = 500;

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
}

/** A running server. */
export interface RpcServer {
  /** `http://127.0.0.1:8545` */
  readonly httpUrl: string;
  /** `ws://127.0.0.1:8545`; the WebSocket port's own when there is one */
  readonly wsUrl: string;
  readonly port: number;
  /** Stops listening, ends subscriptions and connections. */
  close(): Promise<void>;
}

export type ServerReason =
  | { readonly code: "PORT_BUSY"; readonly host: string; readonly port: number }
  | {
      readonly code: "CANNOT_LISTEN";
      readonly host: string;
      readonly port: number;
      readonly cause: string;
    };

/** The server cannot take its address. */
export class ServerError extends NodeError<ServerReason> {}

const dispatchDefaults: DispatchLimits = {
  batchCalls: 1_000,
  batchReplyBytes: 25_000_000,
  requestTimeoutMs: 30_000,
};

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

function listen(listener: RequestListener, host: string, port: number): Promise<Server> {
  const server = createServer(httpTimeouts, listener);
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const cause = codeOf(error);
      reject(
        cause === "EADDRINUSE"
          ? new ServerError({ code: "PORT_BUSY", host, port }, { cause: error })
          : new ServerError({ code: "CANNOT_LISTEN", host, port, cause }, { cause: error }),
      );
    });
    // exclusive: two nodes must not share a port unnoticed
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

/** An address family that this machine does not have. */
function isMissingAddress(error: unknown): boolean {
  return (
    error instanceof ServerError &&
    error.reason.code === "CANNOT_LISTEN" &&
    ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(error.reason.cause)
  );
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not a TCP server");
  return address;
}

/** Listens on every host; takes back what was opened when one is refused. */
async function listenAll(
  listener: RequestListener,
  hosts: readonly string[],
  wanted: number,
  log: Logger,
): Promise<Server[]> {
  const servers: Server[] = [];
  let port = wanted;
  for (const host of hosts) {
    try {
      const server = await listen(listener, host, port);
      servers.push(server);
      port = addressOf(server).port;
    } catch (error) {
      if (servers.length > 0 && isMissingAddress(error)) {
        log.debug("An address to listen on does not exist here", { host });
        continue;
      }
      for (const server of servers) server.close();
      throw error;
    }
  }
  return servers;
}

function urlOf(scheme: string, server: Server): string {
  const { address, port, family } = addressOf(server);
  const host = family === "IPv6" ? `[${address}]` : address;
  return `${scheme}://${host}:${port}`;
}

/** Runs `close` of each server; connections get a moment to finish what they do. */
async function closeAll(servers: readonly Server[], sockets: SocketServer): Promise<void> {
  sockets.close();
  const closed = servers.map(
    (server) =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS).unref();
      }),
  );
  await Promise.all(closed);
}

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
  };
  const sockets = createSocketServer({ dispatcher, rules, log });
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    context.close();
    await closeAll(servers, sockets);
  };
  try {
    const app = createHttpApp({ dispatcher, rules, log });
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
    return { httpUrl: urlOf("http", first), wsUrl, port: addressOf(first).port, close };
  } catch (error) {
    await close();
    throw error;
  }
}
