/**
 * States kept between calls: opening one and finding accounts in its trie costs more than most reads do. All who only read
 * at the head share one State. A call gets one of its own, and whoever finds it as it was when the call is over gives it
 * back for the next. A State belongs to a root, whose content never changes; those of the head are kept here, those of the
 * block in the making by pending.ts.
 */
import type { Chain } from "../src/chain/chain.ts";
import type { Hash } from "../src/primitives/hex.ts";
import type { State } from "../src/state/state.ts";

/** A State to read from. */
export type StateView = Pick<State, "account" | "code" | "slot">;

/** Reads of the shared State, after which another is opened: each may leave an account and a slot in its caches. */
const MAX_READS = 16_384;
/** Gas of the calls on one State, after which it is not kept: what they met stays in its caches. */
const MAX_GAS = 20_000_000n;
/** States that are kept for calls at one time. */
const MAX_SPARE = 8;

/** A State for the calls of one request. */
export interface OwnState {
  readonly state: State;
  /** Where it goes back to; undefined: it is not kept. */
  readonly home: SpareStates | undefined;
  /** Gas that calls have used on it */
  gas: bigint;
}

/** States with the same content, lent to calls that leave them as they found them. */
export class SpareStates {
  readonly #open: () => State;
  readonly #spare: OwnState[] = [];

  constructor(open: () => State) {
    this.#open = open;
  }

  /** A State that nobody else uses. Throws what opening one throws. */
  take(): OwnState {
    return this.#spare.pop() ?? { state: this.#open(), home: this, gas: 0n };
  }

  /** Takes a State back that is as it was when it was taken. */
  giveBack(own: OwnState): void {
    if (own.gas <= MAX_GAS && this.#spare.length < MAX_SPARE) this.#spare.push(own);
  }
}

/** The states of a chain as reads and calls use them. */
export class HeadStates {
  readonly #chain: Chain;
  #shared: { readonly root: Hash; readonly state: State; reads: number } | undefined;
  #calls: { readonly hash: Hash; readonly root: Hash; readonly states: SpareStates } | undefined;

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  /** What `read` gives of the state after a block. Throws ChainError UNKNOWN_BLOCK, STATE_UNAVAILABLE and what `read` throws. */
  read<T>(hash: Hash, read: (state: StateView) => T): T {
    const chain = this.#chain;
    if (hash !== chain.head.hash) return read(chain.stateAt(hash));
    const root = chain.stateRootAt(hash);
    let shared = this.#shared;
    if (shared?.root !== root || shared.reads >= MAX_READS)
      shared = { root, state: chain.stateAt(hash), reads: 0 };
    // a State that threw is not to be used again
    this.#shared = undefined;
    const found = read(shared.state);
    shared.reads++;
    this.#shared = shared;
    return found;
  }

  /** The state after a block, the caller's own. Throws ChainError UNKNOWN_BLOCK, STATE_UNAVAILABLE. */
  take(hash: Hash): OwnState {
    const chain = this.#chain;
    if (hash !== chain.head.hash) return { state: chain.stateAt(hash), home: undefined, gas: 0n };
    const root = chain.stateRootAt(hash);
    let calls = this.#calls;
    if (calls?.root !== root || calls.hash !== hash) {
      calls = { hash, root, states: new SpareStates(() => chain.stateAt(hash)) };
      this.#calls = calls;
    }
    return calls.states.take();
  }
}
