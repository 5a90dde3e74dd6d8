/**
 * What all tracers share. A tracer watches one transaction (or call) through an Observer and gives JSON at its end:
 * the shapes are those of geth and of OpenEthereum, whose tools read them.
 * Data: TraceSubject (before the transaction runs) -> observer -> finish(outcome). Nothing here changes the state.
 */
import { NodeError } from "../../primitives/errors.ts";
import type { Address, Hash } from "../../primitives/hex.ts";
import type { State } from "../../state/state.ts";
import type { Rules } from "../../types/forks.ts";
import type { TransactionFields } from "../../types/transaction.ts";
import type { Outcome } from "../executeTransaction.ts";
import type { Observer } from "../observer.ts";

/** JSON as a tracer gives it; keys holding undefined are left out. */
export type TraceValue =
  | string
  | number
  | boolean
  | null
  | readonly TraceValue[]
  | { readonly [key: string]: TraceValue | undefined };

/** Where a mined transaction stands. */
export interface TracePlace {
  readonly blockHash: Hash;
  readonly blockNumber: bigint;
  readonly transactionHash: Hash;
  readonly transactionIndex: number;
}

/** The transaction to be traced, and the state it is about to run on. */
export interface TraceSubject {
  readonly state: State;
  readonly rules: Rules;
  readonly transaction: TransactionFields;
  readonly sender: Address;
  /** Who gets the tips. */
  readonly miner: Address;
  /** Logs of the block before this transaction. */
  readonly firstLogIndex: number;
  /** undefined: a call that no block holds */
  readonly place: TracePlace | undefined;
  readonly budget: TraceBudget;
}

/** A running trace. */
export interface Tracer {
  readonly observer: Observer;
  /** The result, once the transaction has been settled on the subject's state. Called once. */
  finish(outcome: Outcome): TraceValue;
}

export type TraceErrorReason = { readonly code: "TRACE_TOO_LARGE"; readonly limitBytes: number };

/** A trace that cannot be given. */
export class TraceError extends NodeError<TraceErrorReason> {}

/** Memory that the traces of one request may take, in bytes as estimated by those who record. */
export const MAX_TRACE_BYTES = 256 * 1024 * 1024;

/** What is left of a limit on memory, shared by all traces of a request. */
export class TraceBudget {
  readonly #limitBytes: number;
  #leftBytes: number;

  constructor(limitBytes = MAX_TRACE_BYTES) {
    this.#limitBytes = limitBytes;
    this.#leftBytes = limitBytes;
  }

  /** Throws TraceError TRACE_TOO_LARGE when less than `bytes` is left. */
  take(bytes: number): void {
    this.#leftBytes -= bytes;
    if (this.#leftBytes >= 0) return;
    throw new TraceError({ code: "TRACE_TOO_LARGE", limitBytes: this.#limitBytes });
  }
}

/** The interpreter's words for failures, in those of geth. */
const GETH_WORDS: ReadonlyMap<string, string> = new Map([
  ["revert", "execution reverted"],
  ["code store out of gas", "contract creation code storage out of gas"],
  ["code size to deposit exceeds maximum code size", "max code size exceeded"],
  ["static state change", "write protection"],
  ["create collision", "contract address collision"],
  ["insufficient balance", "insufficient balance for transfer"],
  ["invalid bytecode deployed", "invalid code: must not begin with 0xef"],
  ["initcode exceeds max initcode size", "max initcode size exceeded"],
  ["value out of range", "return data out of bounds"],
]);

/** A failure as geth's tracers name it. */
export function failureText(failure: string): string {
  if (failure.startsWith("invalid JUMP")) return "invalid jump destination";
  return GETH_WORDS.get(failure) ?? failure;
}
