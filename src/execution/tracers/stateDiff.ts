/** OpenEthereum's stateDiff: each account that the transaction changed, field by field. */
import { type Bytes, bytesToBigInt, equalBytes } from "../../primitives/bytes.ts";
import {
  type Address,
  bigIntToHash,
  bytesToHex,
  formatQuantity,
  type Hash,
} from "../../primitives/hex.ts";
import { EMPTY_ACCOUNT, isEmptyAccount } from "../../types/account.ts";
import type { Observer } from "../observer.ts";
import { changedSlots } from "./prestateTracer.ts";
import { type TouchedAccount, TouchRecorder, wasThere } from "./touched.ts";
import type { Tracer, TraceSubject, TraceValue } from "./tracer.ts";

const SAME = "=";

/** Records what one transaction changes. */
export class StateDiffTracer implements Tracer {
  readonly observer: Observer;
  readonly #touches: TouchRecorder;
  readonly #subject: TraceSubject;

  constructor(subject: TraceSubject) {
    this.#subject = subject;
    this.#touches = new TouchRecorder(subject);
    this.observer = this.#touches.observer;
  }

  finish(): TraceValue {
    const shown: Record<Address, TraceValue> = {};
    for (const [address, touched] of this.#touches.touched) {
      const difference = this.#differenceOf(address, touched);
      if (difference !== undefined) shown[address] = difference;
    }
    return shown;
  }

  #differenceOf(address: Address, touched: TouchedAccount): TraceValue | undefined {
    const { state } = this.#subject;
    const account = state.account(address);
    const isThere = account !== undefined && !isEmptyAccount(account);
    const was = touched.account ?? EMPTY_ACCOUNT;
    const is = account ?? EMPTY_ACCOUNT;
    const code = state.code(address);
    const slots = changedSlots(state, address, touched);
    const isUnchanged =
      was.balance === is.balance && was.nonce === is.nonce && equalBytes(touched.code, code);
    if (isUnchanged && slots.size === 0) return undefined;
    const word = (value: Bytes): Hash => bigIntToHash(bytesToBigInt(value));
    if (!wasThere(touched)) {
      return {
        balance: { "+": formatQuantity(is.balance) },
        code: { "+": bytesToHex(code) },
        nonce: { "+": formatQuantity(is.nonce) },
        storage: entries(slots, ({ after }) => ({ "+": word(after) })),
      };
    }
    if (!isThere) {
      return {
        balance: { "-": formatQuantity(was.balance) },
        code: { "-": bytesToHex(touched.code) },
        nonce: { "-": formatQuantity(was.nonce) },
        storage: entries(slots, ({ before }) => ({ "-": word(before) })),
      };
    }
    return {
      balance: change(formatQuantity(was.balance), formatQuantity(is.balance)),
      code: change(bytesToHex(touched.code), bytesToHex(code)),
      nonce: change(formatQuantity(was.nonce), formatQuantity(is.nonce)),
      storage: entries(slots, ({ before, after }) => change(word(before), word(after))),
    };
  }
}

function change(from: string, to: string): TraceValue {
  return from === to ? SAME : { "*": { from, to } };
}

function entries<T>(slots: ReadonlyMap<Hash, T>, show: (one: T) => TraceValue): TraceValue {
  return Object.fromEntries([...slots].map(([slot, one]) => [slot, show(one)]));
}
