/** Instruction traces in the lines of EIP-3155, spelled as geth's t8n spells them. */
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { bytesToHex, formatQuantity } from "../primitives/hex.ts";
import type { FrameEnd, FrameStart, Observer, Step } from "./observer.ts";
import { handedOn } from "./tracers/callGas.ts";

/** What a trace shows. */
export interface TraceOptions {
  readonly memory?: boolean | undefined;
  /** Shown unless false. */
  readonly stack?: boolean | undefined;
  readonly returnData?: boolean | undefined;
  /** EIP-150: a call hands on at most 63/64 of its gas. True from Tangerine Whistle on. */
  readonly capsCallGas?: boolean | undefined;
}

/** Writes one line per instruction and one at the end of the transaction through `write` (no line break in it). */
export class StepTrace implements Observer {
  readonly #write: (line: string) => void;
  readonly #options: TraceOptions;
  /** The latest line: it may turn out to be the instruction that failed. */
  #pending: Record<string, unknown> | undefined;
  /** RETURNDATA of each open frame, outermost first. */
  readonly #returnData: Bytes[] = [];
  readonly #creations: boolean[] = [];

  constructor(write: (line: string) => void, options: TraceOptions = {}) {
    this.#write = write;
    this.#options = options;
  }

  step(step: Step): void {
    this.#flush();
    const { memory, stack, returnData } = this.#options;
    const returned = this.#returnData.at(-1) ?? EMPTY_BYTES;
    this.#pending = {
      pc: step.pc,
      op: step.opcode,
      gas: formatQuantity(step.gas),
      gasCost: formatQuantity(step.gasCost + handedOn(step, this.#options.capsCallGas !== false)),
      ...(memory === true && step.memory.length > 0 && { memory: bytesToHex(step.memory) }),
      memSize: step.memory.length,
      stack: stack === false ? null : step.stack.map(formatQuantity),
      ...(returnData === true && returned.length > 0 && { returnData: bytesToHex(returned) }),
      depth: step.depth + 1,
      refund: Number(step.refund),
      opName: step.name,
    };
  }

  enter(frame: FrameStart): void {
    this.#flush();
    this.#returnData.push(EMPTY_BYTES);
    this.#creations.push(frame.to === undefined);
  }

  exit(frame: FrameEnd): void {
    const failure = frame.failure === "revert" ? "execution reverted" : frame.failure;
    const failed = frame.failure !== undefined && frame.failure !== "revert";
    if (failed && this.#pending?.["depth"] === frame.depth + 1) this.#pending["error"] = failure;
    this.#flush();
    this.#returnData.pop();
    const wasCreation = this.#creations.pop() === true;
    if (this.#returnData.length > 0) {
      const isEmpty = wasCreation && frame.failure === undefined;
      this.#returnData[this.#returnData.length - 1] = isEmpty ? EMPTY_BYTES : frame.output;
      return;
    }
    const output = bytesToHex(frame.output).slice(2);
    const gasUsed = formatQuantity(frame.gasUsed);
    this.#write(
      JSON.stringify({ output, gasUsed, ...(failure !== undefined && { error: failure }) }),
    );
  }

  #flush(): void {
    if (this.#pending !== undefined) this.#write(JSON.stringify(this.#pending));
    this.#pending = undefined;
  }
}
