/** Accounts and precompiles that a caller wants to be different during a call: eth_call, eth_simulateV1. */
import type { Bytes } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import { EMPTY_ACCOUNT } from "../types/account.ts";
import type { Rules } from "../types/forks.ts";
import { isPrecompile } from "./evm.ts";

/** Changes to one account; `state` replaces all its storage, `stateDiff` single slots. */
export interface AccountOverride {
  readonly nonce: bigint | undefined;
  /** wei */
  readonly balance: bigint | undefined;
  readonly code: Bytes | undefined;
  readonly state: ReadonlyMap<Hash, Bytes> | undefined;
  readonly stateDiff: ReadonlyMap<Hash, Bytes> | undefined;
  readonly movePrecompileToAddress: Address | undefined;
}

/** Changes by account, in the order of their addresses. */
export type StateOverrides = ReadonlyMap<Address, AccountOverride>;

/** What overrides do to the precompiled contracts: address → new address, or undefined where one just goes away. */
export type PrecompileMoves = ReadonlyMap<Address, Address | undefined>;

export type OverrideErrorReason = {
  readonly code:
    | "NOT_A_PRECOMPILE"
    | "OVERRIDDEN_BY_PRECOMPILE"
    | "ALREADY_OVERRIDDEN"
    | "STATE_AND_STATE_DIFF";
  readonly address: Address;
};

/** Overrides that contradict themselves or the chain. */
export class OverrideError extends NodeError<OverrideErrorReason> {}

/**
 * Writes the overrides into `state` and tells what becomes of overridden precompiles. Throws OverrideError; the state is
 * then to be thrown away.
 */
export function applyOverrides(
  state: State,
  overrides: StateOverrides | undefined,
  rules: Rules,
): PrecompileMoves {
  const moves = new Map<Address, Address | undefined>();
  const taken = new Set<Address>();
  for (const [address, change] of overrides ?? []) {
    const destination = change.movePrecompileToAddress;
    const known = isPrecompile(address, rules);
    if (taken.has(address)) throw new OverrideError({ code: "OVERRIDDEN_BY_PRECOMPILE", address });
    if (destination !== undefined) {
      if (!known) throw new OverrideError({ code: "NOT_A_PRECOMPILE", address });
      if (overrides?.has(destination)) {
        throw new OverrideError({ code: "ALREADY_OVERRIDDEN", address: destination });
      }
      taken.add(destination);
    }
    if (known) moves.set(address, destination);
    overrideAccount(state, address, change);
  }
  // what stands there now is what the first transaction finds
  state.beginTransaction();
  return moves;
}

function overrideAccount(state: State, address: Address, change: AccountOverride): void {
  const { nonce, balance, code, state: all, stateDiff } = change;
  if (all !== undefined && stateDiff !== undefined) {
    throw new OverrideError({ code: "STATE_AND_STATE_DIFF", address });
  }
  if (nonce !== undefined || balance !== undefined) {
    const before = state.account(address) ?? EMPTY_ACCOUNT;
    state.setAccount(address, {
      ...before,
      nonce: nonce ?? before.nonce,
      balance: balance ?? before.balance,
    });
  }
  if (code !== undefined) state.setCode(address, code);
  const slots = all ?? stateDiff;
  if (slots === undefined) return;
  // storage hangs on an account: a root without one would be dropped
  if (state.account(address) === undefined) state.setAccount(address, EMPTY_ACCOUNT);
  if (all !== undefined) state.clearStorage(address);
  for (const [key, value] of slots) state.setSlot(address, key, value);
}
