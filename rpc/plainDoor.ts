/**
 * A door in front of node:http: it looks at what a connection brings, answers plain requests that are there whole with
 * one read and one write, and hands a connection that brings anything else to node:http for good, with the bytes that came.
 * So there is nothing here for slow senders, chunks, upgrades, errors of syntax or pipelines: node:http has its rules and
 * its timeouts for them. What is answered, and to whom, is decided in plainRequest.ts for both (decisions/0063).
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import { systemClock } from "../src/runtime/clock.ts";
import { headSize, type RequestHead, readHead } from "./plainHead.ts";
import type { PlainAnswerer } from "./plainRequest.ts";
import type { Outgoing } from "./reply.ts";

/** The two waits of HttpTimeouts that concern connections without a request, in ms. */
export interface DoorTimeouts {
  readonly keepAliveTimeout: number;
  /** How often connections are looked at. */
  readonly connectionsCheckingInterval: number;
}

/** A connection that has not sent anything yet is looked at so often before node:http gets it. */
const LOOKS_AT_SILENT = 2;

type Listen = (socket: Socket) => void;

const REASONS: ReadonlyMap<number, string> = new Map([
  [200, "OK"],
  [204, "No Content"],
  [400, "Bad Request"],
  [401, "Unauthorized"],
  [500, "Internal Server Error"],
]);

/** The connections of one HTTP server until they bring something that is not plain. */
export class PlainDoor {
  readonly #answerer: PlainAnswerer;
  readonly #timeouts: DoorTimeouts;
  readonly #held = new Set<HeldConnection>();
  readonly #looking: NodeJS.Timeout;
  #isClosing = false;

  constructor(answerer: PlainAnswerer, timeouts: DoorTimeouts) {
    this.#answerer = answerer;
    this.#timeouts = timeouts;
    this.#looking = setInterval(() => this.#look(), timeouts.connectionsCheckingInterval).unref();
  }

  /** Takes the connections of `server` from now on; it gets those that are handed on. */
  attach(server: Server): void {
    const listeners = server.listeners("connection");
    server.removeAllListeners("connection");
    const handOn: Listen = (socket) => {
      for (const listener of listeners) listener.call(server, socket);
    };
    server.on("connection", (socket) => this.#hold(socket, handOn));
  }

  /** Ends connections that wait for a request, and the others after their reply or when `graceMs` are over. */
  close(graceMs: number): void {
    this.#isClosing = true;
    clearInterval(this.#looking);
    for (const connection of this.#held) connection.endSoon();
    setTimeout(() => {
      for (const connection of this.#held) connection.destroy();
    }, graceMs).unref();
  }

  #hold(socket: Socket, handOn: Listen): void {
    const connection = new HeldConnection(socket, {
      answerer: this.#answerer,
      keepAliveSeconds: Math.floor(this.#timeouts.keepAliveTimeout / 1_000),
      handOn,
      gone: () => this.#held.delete(connection),
    });
    this.#held.add(connection);
    if (this.#isClosing) connection.endSoon();
  }

  #look(): void {
    const { keepAliveTimeout, connectionsCheckingInterval } = this.#timeouts;
    const looks = Math.ceil(keepAliveTimeout / connectionsCheckingInterval);
    for (const connection of this.#held) connection.look(looks);
  }
}

interface Holder {
  readonly answerer: PlainAnswerer;
  readonly keepAliveSeconds: number;
  readonly handOn: Listen;
  readonly gone: () => void;
}

/** One connection. At most one request is answered at a time; what comes meanwhile waits in the socket. */
class HeldConnection {
  readonly #socket: Socket;
  readonly #holder: Holder;
  readonly #ip: string;
  /** Clients send the same head again and again, but for the length. */
  #headText = "";
  #head: RequestHead | undefined;
  /** A request is being answered, or its reply not taken yet. */
  #isBusy = false;
  #isServed = false;
  #isLast = false;
  /** Times that it was looked at since its last request. */
  #looks = 0;
  /** What follows the request that is being answered. */
  #rest: Buffer | undefined;

  constructor(socket: Socket, holder: Holder) {
    this.#socket = socket;
    this.#holder = holder;
    this.#ip = socket.remoteAddress ?? "";
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("drain", this.#onDrain);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
  }

  /** Ends the connection once nothing is being answered. */
  endSoon(): void {
    this.#isLast = true;
    if (!this.#isBusy) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends it after `looks` without a request; one that never sent anything is node:http's to time out. */
  look(looks: number): void {
    if (this.#isBusy) return;
    this.#looks++;
    if (this.#isServed && this.#looks > looks) this.#socket.destroy();
    else if (!this.#isServed && this.#looks > LOOKS_AT_SILENT) this.#handOn(undefined);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isBusy) this.#keep(chunk);
    else this.#take(chunk);
  };

  readonly #onEnd = (): void => {
    this.endSoon();
  };

  readonly #onDrain = (): void => {
    this.#finish();
  };

  readonly #onError = (): void => {
    this.#socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#holder.gone();
  };

  #take(chunk: Buffer): void {
    const head = this.#readHead(chunk);
    if (head === undefined || chunk.length < head.size + head.bodySize) {
      this.#handOn(chunk);
      return;
    }
    const end = head.size + head.bodySize;
    if (chunk.length > end) this.#keep(chunk.subarray(end));
    this.#isBusy = true;
    this.#isServed = true;
    this.#looks = 0;
    const body = chunk.toString("utf8", head.size, end);
    const { answerer } = this.#holder;
    const outgoing = answerer.answer(body, { ip: this.#ip, headers: head.headers });
    if (outgoing instanceof Promise) void outgoing.then((ready) => this.#send(ready));
    else this.#send(outgoing);
  }

  /** Keeps bytes for after the reply; no more come, and no end either, before they are handed on. */
  #keep(bytes: Buffer): void {
    this.#rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#socket.pause();
  }

  /** The head of a plain request; undefined: node:http must look at this. */
  #readHead(chunk: Buffer): RequestHead | undefined {
    const size = headSize(chunk);
    if (size === 0) return undefined;
    const text = chunk.toString("latin1", 0, size);
    if (text === this.#headText) return this.#head;
    const head = readHead(text);
    const isPlain = head !== undefined && this.#holder.answerer.isPlain(head.headers);
    this.#headText = text;
    this.#head = isPlain ? head : undefined;
    return this.#head;
  }

  #send({ status, headers, body }: Outgoing): void {
    const socket = this.#socket;
    if (!socket.writable) return;
    const head = this.#replyHead(status, headers);
    let taken: boolean;
    if (typeof body === "string") {
      const text = head + body;
      // ASCII, as almost always: written without being counted and copied as UTF-8 first
      const isAscii = Number(headers["Content-Length"] ?? 0) === body.length;
      taken = socket.write(text, isAscii ? "latin1" : "utf8");
    } else {
      socket.cork();
      socket.write(head, "latin1");
      taken = socket.write(body);
      socket.uncork();
    }
    if (taken) this.#finish();
  }

  #replyHead(status: number, headers: Outgoing["headers"]): string {
    let head = `HTTP/1.1 ${status} ${REASONS.get(status) ?? ""}\r\n`;
    for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
    head += `Date: ${dateNow()}\r\n`;
    if (this.#isLast) return `${head}Connection: close\r\n\r\n`;
    return `${head}Connection: keep-alive\r\nKeep-Alive: timeout=${this.#holder.keepAliveSeconds}\r\n\r\n`;
  }

  /** The reply is on its way: on to what came meanwhile. */
  #finish(): void {
    if (!this.#isBusy) return;
    this.#isBusy = false;
    if (this.#isLast) return void this.#socket.end();
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#handOn(rest);
  }

  /** Gives the connection to node:http, with bytes that it has not seen. */
  #handOn(bytes: Buffer | undefined): void {
    const socket = this.#socket;
    socket.off("data", this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("drain", this.#onDrain);
    socket.off("error", this.#onError);
    socket.off("close", this.#onClose);
    this.#holder.gone();
    this.#holder.handOn(socket);
    if (bytes !== undefined) socket.unshift(bytes);
    socket.resume();
  }
}

let dateSecond = 0;
let dateText = "";

/** The time as HTTP writes it; made once a second. */
function dateNow(): string {
  const second = Math.floor(systemClock.nowMs() / 1_000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1_000).toUTCString();
  }
  return dateText;
}
