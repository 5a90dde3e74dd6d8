/** One entry per instruction: geth's default tracer, with its options. */
import { type Bytes, bytesToBigInt, EMPTY_BYTES } from "../../primitives/bytes.ts";
import {
  type Address,
  bigIntToHash,
  bytesToHex,
  formatQuantity,
  type Hash,
} from "../../primitives/hex.ts";
import type { Outcome } from "../executeTransaction.ts";
import type { FrameEnd, FrameStart, Observer, Step } from "../observer.ts";
import { handedOn } from "./callGas.ts";
import { failureText, type Tracer, type TraceSubject, type TraceValue } from "./tracer.ts";

/** What an entry shows. Stack and storage are shown unless disabled, memory and return data when enabled. */
export interface StructLogOptions {
  readonly disableStack?: boolean | undefined;
  readonly disableStorage?: boolean | undefined;
  readonly enableMemory?: boolean | undefined;
  readonly enableReturnData?: boolean | undefined;
  /** Bytes of output after which no entry is recorded; 0 or undefined: no limit but the request's. */
  readonly limit?: number | undefined;
}

const SLOAD = 0x54;
const SSTORE = 0x55;
const INVALID = 0xfe;
const WORD = 32;
/** Estimated memory of an entry, of a stack item in it, of a word of memory, of a slot. */
const ENTRY_BYTES = 160;
const ITEM_BYTES = 40;
const WORD_BYTES = 88;
const SLOT_BYTES = 160;

type Entry = Record<string, TraceValue>;

/** Records the instructions of one transaction. */
export class StructLogger implements Tracer {
  readonly observer: Observer;
  readonly #subject: TraceSubject;
  readonly #options: StructLogOptions;
  readonly #entries: Entry[] = [];
  /** RETURNDATA of each open frame, outermost first. */
  readonly #returnData: Bytes[] = [];
  readonly #creations: boolean[] = [];
  /** Slots each contract has read or written so far. */
  readonly #storage = new Map<Address, Map<Hash, Hash>>();
  /** The latest entry: it may turn out to be the instruction that failed. */
  #latest: Entry | undefined;
  #recordedBytes = 0;

  constructor(subject: TraceSubject, options: StructLogOptions) {
    this.#subject = subject;
    this.#options = options;
    this.observer = {
      step: (step) => this.#step(step),
      enter: (frame) => this.#enter(frame),
      exit: (frame) => this.#exit(frame),
    };
  }

  finish(outcome: Outcome): TraceValue {
    const { failure } = outcome;
    const shown = failure === undefined || failure === "revert" ? outcome.returnData : EMPTY_BYTES;
    return {
      gas: Number(outcome.gasUsed),
      failed: failure !== undefined,
      returnValue: bytesToHex(shown),
      structLogs: this.#entries,
    };
  }

  #step(step: Step): void {
    this.#latest = undefined;
    const storage = this.#noteStorage(step);
    const { limit = 0 } = this.#options;
    if (limit > 0 && this.#recordedBytes > limit) return;
    const entry = this.#entryOf(step, storage);
    this.#entries.push(entry);
    this.#latest = entry;
  }

  #entryOf(step: Step, storage: { [slot: Hash]: Hash } | undefined): Entry {
    const { disableStack, enableMemory, enableReturnData } = this.#options;
    const capsCallGas = this.#subject.rules.has("tangerineWhistle");
    const entry: Entry = {
      pc: step.pc,
      op: nameOf(step),
      gas: Number(step.gas),
      gasCost: Number(step.gasCost + handedOn(step, capsCallGas)),
      depth: step.depth + 1,
    };
    let bytes = ENTRY_BYTES;
    if (disableStack !== true) {
      entry["stack"] = step.stack.map(formatQuantity);
      bytes += step.stack.length * ITEM_BYTES;
    }
    if (enableMemory === true && step.memory.length > 0) {
      entry["memory"] = wordsOf(step.memory);
      bytes += (step.memory.length / WORD) * WORD_BYTES;
    }
    const returned = this.#returnData.at(-1) ?? EMPTY_BYTES;
    if (enableReturnData === true && returned.length > 0) {
      entry["returnData"] = bytesToHex(returned);
      bytes += returned.length * 2;
    }
    if (storage !== undefined) {
      entry["storage"] = storage;
      bytes += Object.keys(storage).length * SLOT_BYTES;
    }
    if (step.refund > 0n) entry["refund"] = Number(step.refund);
    this.#subject.budget.take(bytes);
    this.#recordedBytes += bytes;
    return entry;
  }

  /** At SLOAD and SSTORE: all slots of the contract so far, with this one. */
  #noteStorage({ opcode, stack, address }: Step): { [slot: Hash]: Hash } | undefined {
    if (this.#options.disableStorage === true) return undefined;
    const top = stack.at(-1);
    const next = stack.at(-2);
    if ((opcode !== SLOAD && opcode !== SSTORE) || top === undefined) return undefined;
    const slot = bigIntToHash(top);
    let value: Hash;
    if (opcode === SLOAD) {
      value = bigIntToHash(bytesToBigInt(this.#subject.state.slot(address, slot)));
    } else {
      if (next === undefined) return undefined;
      value = bigIntToHash(next);
    }
    let slots = this.#storage.get(address);
    if (slots === undefined) {
      slots = new Map();
      this.#storage.set(address, slots);
    }
    slots.set(slot, value);
    return Object.fromEntries(slots);
  }

  #enter(frame: FrameStart): void {
    this.#latest = undefined;
    this.#returnData.push(EMPTY_BYTES);
    this.#creations.push(frame.to === undefined);
  }

  #exit({ failure, output }: FrameEnd): void {
    if (failure !== undefined && failure !== "revert" && this.#latest !== undefined) {
      this.#latest["error"] = failureText(failure);
    }
    this.#latest = undefined;
    this.#returnData.pop();
    const wasCreation = this.#creations.pop() === true;
    if (this.#returnData.length === 0) return;
    const isEmpty = wasCreation && failure === undefined;
    this.#returnData[this.#returnData.length - 1] = isEmpty ? EMPTY_BYTES : output;
  }
}

function nameOf({ name, opcode }: Step): string {
  if (name !== "INVALID" || opcode === INVALID) return name;
  return `opcode 0x${opcode.toString(16)} not defined`;
}

function wordsOf(memory: Bytes): string[] {
  const words: string[] = [];
  for (let at = 0; at < memory.length; at += WORD) {
    words.push(bytesToHex(memory.subarray(at, at + WORD)));
  }
  return words;
}
