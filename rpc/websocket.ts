/** JSON-RPC over WebSocket: one request at a time per connection, pings, and an end for those who do not read. */

import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import type { Logger } from "../src/runtime/log.ts";
import { isAllowedSocketOrigin, isTrustedHost } from "./access.ts";
import type { Caller, Identify } from "./callers.ts";
import { ClientQueue } from "./clientQueue.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { HttpRules } from "./http.ts";

/** Limits of WebSocket connections. */
export const socketLimits = {
  /** Bytes of one message from a client where the operator sets nothing else. */
  messageBytes: 5 << 20,
  /** Bytes waiting to be read by a client; more closes with 1013. */
  sendBufferBytes: 8 << 20,
  /** Connections of one server. */
  connections: 1_000,
  pingIntervalMs: 30_000,
} as const;

/** Close codes of RFC 6455 and its registry. */
const close = { goingAway: 1001, tryAgainLater: 1013 } as const;

export interface SocketDeps {
  readonly dispatcher: Dispatcher;
  readonly rules: HttpRules;
  /** Name of the option that lists origins of pages. */
  readonly originsOption: string;
  readonly identify: Identify;
  /** Bytes of one message from a client; more closes with 1009. Default 5 MiB. */
  readonly bodyBytes?: number;
  readonly log: Logger;
}

/** The WebSocket side of a server. */
export interface SocketServer {
  /** Takes the upgrades of an HTTP server. */
  attach(http: Server): void;
  /** Says goodbye to every client. */
  close(): void;
}

/** One client. */
class Client {
  readonly #socket: WebSocket;
  readonly #queue: ClientQueue;
  /** Whether a pong or a message came since the last ping. */
  isAlive = true;

  constructor(socket: WebSocket, caller: Caller, deps: SocketDeps) {
    this.#socket = socket;
    const line = {
      send: (message: string) => this.#send(message),
      pause: () => socket.pause(),
      resume: () => {
        // nothing could be heard of it meanwhile
        this.isAlive = true;
        socket.resume();
      },
    };
    this.#queue = new ClientQueue(line, caller, deps);
    socket.on("pong", () => {
      this.isAlive = true;
    });
    socket.on("error", (error) => deps.log.debug("A WebSocket connection failed", { error }));
    socket.on("close", () => this.#queue.end());
    socket.on("message", (message) => {
      this.isAlive = true;
      this.#queue.receive(textOf(message));
    });
  }

  #send(message: string): boolean {
    const socket = this.#socket;
    if (socket.readyState !== WebSocket.OPEN) return false;
    if (socket.bufferedAmount > socketLimits.sendBufferBytes) {
      socket.close(close.tryAgainLater, "too slow");
      this.#queue.end();
      return false;
    }
    socket.send(message);
    return true;
  }
}

function textOf(message: RawData): string {
  if (Array.isArray(message)) return Buffer.concat(message).toString("utf8");
  return new TextDecoder().decode(message);
}

function refuseUpgrade(socket: Duplex, status: string, body: string): void {
  socket.on("error", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Reason to refuse an upgrade, if there is one. */
function refusal(
  request: IncomingMessage,
  { rules, originsOption }: SocketDeps,
): string | undefined {
  if (!isTrustedHost(request.headers.host, rules)) {
    return `invalid host specified: to trust this name, add it to --${rules.vhostsOption}`;
  }
  if (!isAllowedSocketOrigin(request.headers.origin, rules.corsDomains)) {
    return `origin not allowed: to trust this page, add it to --${originsOption}`;
  }
  return undefined;
}

/** Serves JSON-RPC over the WebSocket upgrades of the HTTP servers attached to it. */
export function createSocketServer(deps: SocketDeps): SocketServer {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: deps.bodyBytes ?? socketLimits.messageBytes,
    perMessageDeflate: false,
  });
  const clients = new Map<WebSocket, Client>();
  const pings = setInterval(() => {
    for (const [socket, client] of clients) {
      if (!client.isAlive && !socket.isPaused) socket.terminate();
      client.isAlive = false;
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    }
  }, socketLimits.pingIntervalMs);
  pings.unref();

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const refused = refusal(request, deps);
    if (refused !== undefined) {
      refuseUpgrade(socket, "403 Forbidden", refused);
      return;
    }
    // between here and the handshake the socket has no listener of its own
    const ignore = () => socket.destroy();
    socket.on("error", ignore);
    const ip = request.socket.remoteAddress ?? "";
    const identity = await deps.identify({ ip, headers: request.headers, url: request.url ?? "/" });
    if (identity.caller === undefined) {
      refuseUpgrade(socket, "401 Unauthorized", identity.problem);
      return;
    }
    const { caller } = identity;
    if (clients.size >= socketLimits.connections) {
      refuseUpgrade(socket, "503 Service Unavailable", "too many WebSocket connections");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened) => {
      socket.off("error", ignore);
      clients.set(opened, new Client(opened, caller, deps));
      opened.on("close", () => clients.delete(opened));
    });
  }

  return {
    attach(http) {
      http.on("upgrade", (request, socket, head) => void upgrade(request, socket, head));
    },
    close() {
      clearInterval(pings);
      for (const socket of clients.keys()) socket.close(close.goingAway, "the node is stopping");
      sockets.close();
    },
  };
}
