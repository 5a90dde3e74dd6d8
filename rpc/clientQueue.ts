/** The requests of one lasting connection, answered one at a time and in order, and the channel that subscriptions push through. */
import type { Logger } from "../src/runtime/log.ts";
import type { Caller } from "./callers.ts";
import type { Connection, PushChannel } from "./context.ts";
import { type Dispatcher, failureText } from "./dispatch.ts";
import { parseJson } from "./jsonDepth.ts";

/** Requests of one connection waiting to run, and their characters; it is not read while there are more. */
const MAX_WAITING_REQUESTS = 64;
const MAX_WAITING_CHARACTERS = 1 << 20;

/** The connection as its queue sees it. */
export interface ClientLine {
  /** Sends one message; false when the connection is gone or too slow. */
  send(message: string): boolean;
  /** Stops reading; what was read already still comes. */
  pause(): void;
  resume(): void;
}

export interface ClientQueueDeps {
  readonly dispatcher: Dispatcher;
  readonly log: Logger;
}

/** The queue of one client. */
export class ClientQueue {
  readonly #line: ClientLine;
  readonly #deps: ClientQueueDeps;
  readonly #connection: Connection;
  readonly #push: PushChannel;
  #afterReply: (() => void)[] = [];
  readonly #waiting: string[] = [];
  #waitingCharacters = 0;
  #isPaused = false;
  #running: Promise<void> | undefined;

  constructor(line: ClientLine, caller: Caller, deps: ClientQueueDeps) {
    this.#line = line;
    this.#deps = deps;
    this.#push = {
      send: (message) => line.send(message),
      afterReply: (task) => {
        this.#afterReply.push(task);
      },
      subscriptions: new Map(),
    };
    this.#connection = { caller, push: this.#push };
  }

  /** Takes one message from the client. */
  receive(text: string): void {
    this.#waiting.push(text);
    this.#waitingCharacters += text.length;
    const isFull =
      this.#waiting.length >= MAX_WAITING_REQUESTS ||
      this.#waitingCharacters >= MAX_WAITING_CHARACTERS;
    if (isFull && !this.#isPaused) {
      this.#isPaused = true;
      this.#line.pause();
    }
    this.#running ??= this.#run();
  }

  /** Resolves when everything that was received is answered. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Forgets what waits and ends the subscriptions: the connection is over. */
  end(): void {
    this.#waiting.length = 0;
    this.#waitingCharacters = 0;
    for (const end of [...this.#push.subscriptions.values()]) end();
    this.#push.subscriptions.clear();
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      this.#waitingCharacters -= next.length;
      const reply = await this.#reply(next);
      if (reply !== undefined) this.#line.send(reply);
      const tasks = this.#afterReply;
      this.#afterReply = [];
      for (const task of tasks) task();
      if (this.#isPaused && this.#waiting.length === 0) {
        this.#isPaused = false;
        this.#line.resume();
      }
    }
    this.#running = undefined;
  }

  async #reply(text: string): Promise<string | undefined> {
    let body: unknown;
    try {
      body = parseJson(text);
    } catch {
      return failureText({ code: "PARSE_ERROR" });
    }
    try {
      return await this.#deps.dispatcher.answer(body, this.#connection);
    } catch (error) {
      this.#deps.log.error("A request of a lasting connection failed", { error });
      // whoever waits must not wait for ever
      return failureText({ code: "INTERNAL" });
    }
  }
}
