/**
 * JSON-RPC over a Unix socket, as geth's IPC: JSON values one after another, replies each with a newline. The file's mode
 * lets nobody but its owner connect, so that whoever does is trusted.
 */
import { chmodSync, existsSync } from "node:fs";
import { lstat, unlink } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Logger } from "../src/runtime/log.ts";
import type { Caller } from "./callers.ts";
import { ClientQueue } from "./clientQueue.ts";
import { type Dispatcher, failureText } from "./dispatch.ts";
import { JsonStream, type JsonStreamProblem } from "./jsonStream.ts";
import { CLOSE_GRACE_MS, ServerError } from "./listen.ts";

/** Bytes of a socket's path: sun_path less its final zero. Sources: unix(7); macOS, unix(4). */
const MAX_PATH_BYTES = process.platform === "darwin" ? 103 : 107;
/** Connections of one socket. */
const MAX_CONNECTIONS = 256;
/** Bytes waiting to be read by a client; more ends the connection. */
const MAX_SEND_BUFFER_BYTES = 8 << 20;
/** How long somebody who listens already may take to answer. */
const PROBE_TIMEOUT_MS = 1_000;
/** Bytes of one request where the operator sets nothing else. */
const DEFAULT_BODY_BYTES = 5 << 20;
const OWNER_ONLY = 0o600;
/** Takes every right from group and others. */
const OWNER_ONLY_UMASK = 0o077;

/** The owner of the file, with everything that is open and without a limit of rate. */
const owner: Caller = { id: "ipc", isTrusted: true, unitsPerSecond: 0 };

export interface IpcDeps {
  readonly dispatcher: Dispatcher;
  /** Bytes of one request. */
  readonly bodyBytes?: number;
  readonly log: Logger;
}

/** A listening socket. */
export interface IpcServer {
  readonly path: string;
  /** Stops listening, removes the file, ends the connections. */
  close(): Promise<void>;
}

/** Listens at `path`. Throws ServerError IPC_BUSY, CANNOT_LISTEN_IPC. */
export async function startIpcServer(path: string, deps: IpcDeps): Promise<IpcServer> {
  const length = Buffer.byteLength(path);
  if (length > MAX_PATH_BYTES)
    refuse(path, `its name has ${length} bytes, a socket's may have ${MAX_PATH_BYTES}`);
  await removeStale(path);
  const sockets = new Set<Socket>();
  // a client that has said everything may still wait for replies
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    serveClient(socket, deps);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, path);
  server.on("error", (error) => deps.log.warn("An IPC connection could not be taken", { error }));
  return {
    path,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroySoon();
        setTimeout(() => {
          for (const socket of sockets) socket.destroy();
        }, CLOSE_GRACE_MS).unref();
      }),
  };
}

/** Removes the socket that a process has left behind which ended without a goodbye. Throws ServerError. */
async function removeStale(path: string): Promise<void> {
  let isSocket: boolean;
  try {
    isSocket = (await lstat(path)).isSocket();
  } catch (error) {
    if (codeOf(error) !== "ENOENT") refuse(path, textOf(error), error);
    // libuv would call a missing folder "permission denied"
    if (!existsSync(dirname(path))) refuse(path, `there is no folder ${dirname(path)}`);
    return;
  }
  if (!isSocket) refuse(path, "there is a file of that name that is no socket");
  if (await isAnswered(path)) throw busy(path);
  await unlink(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createConnection({ path, timeout: PROBE_TIMEOUT_MS });
    const settle = (answered: boolean) => {
      probe.destroy();
      resolve(answered);
    };
    probe.once("connect", () => settle(true));
    // its queue of connections is full
    probe.once("timeout", () => settle(true));
    probe.once("error", (error) => {
      if (["ECONNREFUSED", "ENOENT"].includes(codeOf(error))) settle(false);
      else if (codeOf(error) === "EAGAIN") settle(true);
      else reject(cannotListen(path, error.message, error));
    });
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      reject(
        codeOf(error) === "EADDRINUSE"
          ? busy(path, error)
          : cannotListen(path, error.message, error),
      );
    });
    // the file comes into being inside of `listen`: at no time may others connect
    const before = process.umask(OWNER_ONLY_UMASK);
    try {
      server.listen({ path, exclusive: true });
    } finally {
      process.umask(before);
    }
    server.once("listening", () => {
      chmodSync(path, OWNER_ONLY);
      resolve();
    });
  });
}

function serveClient(socket: Socket, { dispatcher, bodyBytes, log }: IpcDeps): void {
  const maxBytes = bodyBytes ?? DEFAULT_BODY_BYTES;
  const stream = new JsonStream(maxBytes);
  const send = (message: string): boolean => {
    if (!socket.writable) return false;
    if (socket.writableLength > MAX_SEND_BUFFER_BYTES) {
      log.debug("An IPC client does not read", { waitingBytes: socket.writableLength });
      socket.destroy();
      return false;
    }
    socket.write(`${message}\n`);
    return true;
  };
  const line = { send, pause: () => socket.pause(), resume: () => socket.resume() };
  const queue = new ClientQueue(line, owner, { dispatcher, log });
  const goodbye = async (last?: string): Promise<void> => {
    await queue.idle();
    if (last !== undefined) send(last);
    socket.destroySoon();
  };
  socket.on("data", (chunk) => {
    const { texts, problem } = stream.push(chunk);
    for (const text of texts) queue.receive(text);
    if (problem === undefined) return;
    // where the next value begins cannot be told
    socket.removeAllListeners("data").removeAllListeners("end").pause();
    void goodbye(problemText(problem, maxBytes));
  });
  socket.on("end", () => void goodbye());
  socket.on("error", (error) => log.debug("An IPC connection failed", { error }));
  socket.on("close", () => queue.end());
}

function problemText(problem: JsonStreamProblem, maxBytes: number): string {
  if (problem === "not JSON-RPC") return failureText({ code: "PARSE_ERROR" });
  const text = `request too large, want at most ${maxBytes} bytes`;
  return failureText({ code: "INVALID_REQUEST", text });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function busy(path: string, cause?: unknown): ServerError {
  const message = `IPC socket ${path} is in use by another program; choose another --ipcpath`;
  return new ServerError({ code: "IPC_BUSY", path }, { cause, message });
}

function cannotListen(path: string, problem: string, cause?: unknown): ServerError {
  const message = `IPC socket ${path} cannot be opened: ${problem}`;
  return new ServerError({ code: "CANNOT_LISTEN_IPC", path, problem }, { cause, message });
}

function refuse(path: string, problem: string, cause?: unknown): never {
  throw cannotListen(path, problem, cause);
}
