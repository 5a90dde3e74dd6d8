/** The tree of frames of one transaction, with self-destructions and, when asked for, logs. */
import { type Bytes, EMPTY_BYTES } from "../../primitives/bytes.ts";
import { type Address, bytesToHex, type Hash, type Hex } from "../../primitives/hex.ts";
import type { Log } from "../../types/receipt.ts";
import type { FrameEnd, FrameKind, FrameStart, Observer, Selfdestruct } from "../observer.ts";
import type { TraceSubject } from "./tracer.ts";

/** A log where its frame wrote it. */
export interface FrameLog {
  readonly address: Address;
  readonly topics: readonly Hash[];
  readonly data: Hex;
  /** Position among the logs of the block that remain. */
  readonly index: number;
  /** Frames that the same frame had opened before. */
  readonly position: number;
}

/** A frame that has ended. */
export interface Frame {
  readonly kind: FrameKind | "SELFDESTRUCT";
  readonly depth: number;
  /** Who called; of a delegated call the contract that made it, of a self-destruction the contract. */
  readonly from: Address;
  /** Whose code ran, the contract created, or who got the balance; undefined where a creation failed. */
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly gas: bigint;
  readonly gasUsed: bigint;
  readonly input: Hex;
  readonly output: Bytes;
  /** The interpreter's word; undefined on success. */
  readonly failure: string | undefined;
  readonly calls: readonly Frame[];
  readonly logs: readonly FrameLog[];
}

interface OpenFrame {
  readonly kind: Frame["kind"];
  readonly depth: number;
  readonly from: Address;
  to: Address | undefined;
  readonly value: bigint;
  readonly gas: bigint;
  gasUsed: bigint;
  readonly input: Hex;
  output: Bytes;
  failure: string | undefined;
  calls: OpenFrame[];
  logs: FrameLog[];
  /** Logs of the transaction before this frame. */
  readonly logsBefore: number;
}

export interface FrameOptions {
  readonly withLogs?: boolean | undefined;
  /** The outermost frame alone. */
  readonly onlyTop?: boolean | undefined;
}

/** Estimated memory of a frame and of a log without their data. */
const FRAME_BYTES = 400;
const LOG_BYTES = 600;

/** Records the frames of one transaction. */
export class FrameRecorder {
  readonly observer: Observer;
  readonly #subject: TraceSubject;
  readonly #options: FrameOptions;
  readonly #open: OpenFrame[] = [];
  #top: OpenFrame | undefined;
  #logs = 0;

  constructor(subject: TraceSubject, options: FrameOptions = {}) {
    this.#subject = subject;
    this.#options = options;
    this.observer = {
      enter: (frame) => this.#enter(frame),
      exit: (frame) => this.#exit(frame),
      selfdestruct: (moved) => this.#selfdestruct(moved),
      ...(options.withLogs === true && { log: (log) => this.#log(log) }),
    };
  }

  /** The outermost frame once it has ended. */
  get top(): Frame | undefined {
    return this.#top;
  }

  #enter(start: FrameStart): void {
    this.#subject.budget.take(FRAME_BYTES + start.input.length * 2);
    const inherits = start.kind === "DELEGATECALL";
    this.#open.push({
      kind: start.kind,
      depth: start.depth,
      from: inherits ? (start.to ?? start.from) : start.from,
      to: start.codeAddress,
      value: start.value,
      gas: start.gas,
      gasUsed: 0n,
      input: bytesToHex(start.input),
      output: EMPTY_BYTES,
      failure: undefined,
      calls: [],
      logs: [],
      logsBefore: this.#logs,
    });
  }

  #exit(end: FrameEnd): void {
    const frame = this.#open.pop();
    if (frame === undefined) return;
    const parent = this.#open.at(-1);
    frame.gasUsed = end.gasUsed;
    frame.failure = this.#failureOf(end);
    if (frame.kind === "CREATE" || frame.kind === "CREATE2") frame.to = end.createdAddress;
    if (frame.failure !== undefined) {
      this.#logs = frame.logsBefore;
      forgetLogs(frame);
    }
    if (parent !== undefined && this.#options.onlyTop === true) return;
    this.#subject.budget.take(end.output.length * 2);
    frame.output = end.output.slice();
    if (parent === undefined) this.#top = frame;
    else parent.calls.push(frame);
  }

  /** In Frontier a contract whose code could not be paid for was made all the same. */
  #failureOf({ failure }: FrameEnd): string | undefined {
    const isDismissed =
      failure === "code store out of gas" && !this.#subject.rules.has("homestead");
    return isDismissed ? undefined : failure;
  }

  #selfdestruct({ from, to, value }: Selfdestruct): void {
    const frame = this.#open.at(-1);
    if (frame === undefined || this.#options.onlyTop === true) return;
    this.#subject.budget.take(FRAME_BYTES);
    frame.calls.push({
      kind: "SELFDESTRUCT",
      depth: frame.depth + 1,
      from,
      to,
      value,
      gas: 0n,
      gasUsed: 0n,
      input: bytesToHex(EMPTY_BYTES),
      output: EMPTY_BYTES,
      failure: undefined,
      calls: [],
      logs: [],
      logsBefore: this.#logs,
    });
  }

  #log({ address, topics, data }: Log): void {
    const frame = this.#open.at(-1);
    if (frame === undefined) return;
    const index = this.#subject.firstLogIndex + this.#logs++;
    if (this.#options.onlyTop === true && frame.depth > 0) return;
    this.#subject.budget.take(LOG_BYTES + data.length * 2);
    const position = frame.calls.length;
    frame.logs.push({ address, topics, data: bytesToHex(data), index, position });
  }
}

function forgetLogs(frame: OpenFrame): void {
  frame.logs = [];
  for (const call of frame.calls) forgetLogs(call);
}
