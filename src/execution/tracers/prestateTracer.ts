/** Geth's prestateTracer: what the transaction touched, before it; in diff mode what it changed, before and after. */
import { type Bytes, bytesToBigInt, equalBytes } from "../../primitives/bytes.ts";
import {
  type Address,
  bigIntToHash,
  bytesToHex,
  formatQuantity,
  type Hash,
} from "../../primitives/hex.ts";
import type { State } from "../../state/state.ts";
import { EMPTY_ACCOUNT, EMPTY_CODE_HASH } from "../../types/account.ts";
import type { Observer } from "../observer.ts";
import { type TouchedAccount, TouchRecorder, wasThere } from "./touched.ts";
import type { Tracer, TraceSubject, TraceValue } from "./tracer.ts";

export interface PrestateOptions {
  readonly diffMode?: boolean | undefined;
  readonly disableCode?: boolean | undefined;
  readonly disableStorage?: boolean | undefined;
  /** Show accounts too that did not exist. */
  readonly includeEmpty?: boolean | undefined;
}

type AccountJson = Record<string, TraceValue>;

/** Records the state that one transaction meets. */
export class PrestateTracer implements Tracer {
  readonly observer: Observer;
  readonly #touches: TouchRecorder;
  readonly #subject: TraceSubject;
  readonly #options: PrestateOptions;

  constructor(subject: TraceSubject, options: PrestateOptions) {
    this.#subject = subject;
    this.#options = options;
    this.#touches = new TouchRecorder(subject);
    this.observer = this.#touches.observer;
  }

  finish(): TraceValue {
    return this.#options.diffMode === true ? this.#difference() : this.#before();
  }

  #before(): TraceValue {
    const shown: Record<Address, TraceValue> = {};
    for (const [address, touched] of this.#touches.touched) {
      if (this.#isShown(touched)) shown[address] = this.#accountJson(touched, touched.slots);
    }
    return shown;
  }

  #isShown(touched: TouchedAccount): boolean {
    return wasThere(touched) || this.#options.includeEmpty === true;
  }

  #difference(): TraceValue {
    const pre: Record<Address, TraceValue> = {};
    const post: Record<Address, TraceValue> = {};
    const { state } = this.#subject;
    for (const [address, touched] of this.#touches.touched) {
      const changed = changedSlots(state, address, touched);
      const after = this.#after(address, touched, changed);
      const isGone = touched.account !== undefined && state.account(address) === undefined;
      if (after === undefined && !isGone) continue;
      if (after !== undefined && !isGone) post[address] = after;
      const shown = new Map([...changed].filter(([, { before }]) => before.length > 0));
      const slots = new Map([...shown].map(([slot, { before }]) => [slot, before]));
      if (this.#isShown(touched)) pre[address] = this.#accountJson(touched, slots);
    }
    return { pre, post };
  }

  /** The fields that changed; undefined when none did. */
  #after(
    address: Address,
    touched: TouchedAccount,
    changed: ReadonlyMap<Hash, SlotChange>,
  ): AccountJson | undefined {
    const { state } = this.#subject;
    const was = touched.account ?? EMPTY_ACCOUNT;
    const is = state.account(address) ?? EMPTY_ACCOUNT;
    const json: AccountJson = {};
    let isChanged = false;
    if (is.balance !== was.balance) {
      json["balance"] = formatQuantity(is.balance);
      isChanged = true;
    }
    if (is.nonce !== was.nonce) {
      json["nonce"] = Number(is.nonce);
      isChanged = true;
    }
    if (is.codeHash !== was.codeHash) {
      if (this.#options.disableCode !== true) json["code"] = bytesToHex(state.code(address));
      json["codeHash"] = is.codeHash;
      isChanged = true;
    }
    if (this.#options.disableStorage !== true && changed.size > 0) {
      const left = [...changed].filter(([, { after }]) => after.length > 0);
      if (left.length > 0) {
        json["storage"] = Object.fromEntries(left.map(([slot, one]) => [slot, wordOf(one.after)]));
      }
      isChanged = true;
    }
    return isChanged ? json : undefined;
  }

  #accountJson(touched: TouchedAccount, slots: ReadonlyMap<Hash, Bytes>): AccountJson {
    const { balance, nonce, codeHash } = touched.account ?? EMPTY_ACCOUNT;
    const { disableCode, disableStorage } = this.#options;
    const json: AccountJson = { balance: formatQuantity(balance) };
    if (touched.code.length > 0 && disableCode !== true) json["code"] = bytesToHex(touched.code);
    if (codeHash !== EMPTY_CODE_HASH) json["codeHash"] = codeHash;
    if (nonce > 0n) json["nonce"] = Number(nonce);
    if (slots.size > 0 && disableStorage !== true) {
      json["storage"] = Object.fromEntries(
        [...slots].map(([slot, value]) => [slot, wordOf(value)]),
      );
    }
    return json;
  }
}

/** A slot before and after; values without leading zeros. */
export interface SlotChange {
  readonly before: Bytes;
  readonly after: Bytes;
}

/** The touched slots whose value `state` now has otherwise. */
export function changedSlots(
  state: State,
  address: Address,
  { slots }: TouchedAccount,
): Map<Hash, SlotChange> {
  const changed = new Map<Hash, SlotChange>();
  for (const [slot, before] of slots) {
    const after = state.slot(address, slot);
    if (!equalBytes(before, after)) changed.set(slot, { before, after });
  }
  return changed;
}

function wordOf(value: Bytes): Hash {
  return bigIntToHash(bytesToBigInt(value));
}
