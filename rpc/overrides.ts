/**
 * What a caller wants to be different during a call: accounts (third parameter of eth_call) and the block (fourth).
 * Overrides are applied to the caller's own copy of the state.
 */
import type { BlockEnv } from "../src/execution/evm.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import { type Address, type Hash, hexToBytes } from "../src/primitives/hex.ts";
import type { State } from "../src/state/state.ts";
import { EMPTY_ACCOUNT } from "../src/types/account.ts";
import { address, data, hash, type ParamCodec, quantity, quantity64, refuse } from "./codec.ts";
import { RpcError } from "./errors.ts";
import { object, objectOf } from "./objects.ts";

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

/** Changes to the block that a call sees. */
export interface BlockOverrides {
  readonly number: bigint | undefined;
  readonly difficulty: bigint | undefined;
  /** seconds */
  readonly time: bigint | undefined;
  readonly gasLimit: bigint | undefined;
  readonly feeRecipient: Address | undefined;
  readonly prevRandao: Hash | undefined;
  /** wei */
  readonly baseFeePerGas: bigint | undefined;
  /** wei */
  readonly blobBaseFee: bigint | undefined;
}

const MAX_ACCOUNTS = 1_000;
const MAX_SLOTS = 100_000;

const storage: ParamCodec<ReadonlyMap<Hash, Bytes>> = {
  schema: { title: "storage", type: "object", additionalProperties: hash.schema },
  decode(json, where) {
    const entries = Object.entries(objectOf(json, where));
    if (entries.length > MAX_SLOTS) refuse(where, `more than ${MAX_SLOTS} slots`);
    return new Map(
      entries.map(([key, value]) => [
        hash.decode(key, `${where} key`),
        hexToBytes(hash.decode(value, `${where}.${key.slice(0, 66)}`)),
      ]),
    );
  },
};

const account = object("account override", {
  nonce: quantity64,
  balance: quantity,
  code: data,
  state: storage,
  stateDiff: storage,
  movePrecompileToAddress: address,
});

/** Object from addresses to account overrides. */
export const stateOverrides: ParamCodec<StateOverrides> = {
  schema: { title: "state overrides", type: "object", additionalProperties: account.schema },
  decode(json, where) {
    const entries = Object.entries(objectOf(json, where));
    if (entries.length > MAX_ACCOUNTS) refuse(where, `more than ${MAX_ACCOUNTS} accounts`);
    const found = entries.map(([key, value]): [Address, AccountOverride] => {
      const target = address.decode(key, `${where} key`);
      return [target, account.decode(value, `${where}.${target}`)];
    });
    return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  },
};

const block = object("block overrides", {
  number: quantity,
  difficulty: quantity,
  time: quantity64,
  gasLimit: quantity64,
  feeRecipient: address,
  // names of the same field in other nodes
  coinbase: address,
  prevRandao: hash,
  random: hash,
  baseFeePerGas: quantity,
  baseFee: quantity,
  blobBaseFee: quantity,
});

/** Object of block overrides. */
export const blockOverrides: ParamCodec<BlockOverrides> = {
  schema: block.schema,
  decode(json, where) {
    for (const key of ["beaconRoot", "withdrawals"]) {
      if (Object.hasOwn(objectOf(json, where), key)) {
        refuse(where, `block override "${key}" is not supported for this RPC method`);
      }
    }
    const { coinbase, random, baseFee, ...rest } = block.decode(json, where);
    return {
      ...rest,
      feeRecipient: rest.feeRecipient ?? coinbase,
      prevRandao: rest.prevRandao ?? random,
      baseFeePerGas: rest.baseFeePerGas ?? baseFee,
    };
  },
};

/** `env` with the caller's changes. */
export function overrideBlock(env: BlockEnv, overrides: BlockOverrides | undefined): BlockEnv {
  if (overrides === undefined) return env;
  return {
    number: overrides.number ?? env.number,
    timestamp: overrides.time ?? env.timestamp,
    gasLimit: overrides.gasLimit ?? env.gasLimit,
    difficulty: overrides.difficulty ?? env.difficulty,
    miner: overrides.feeRecipient ?? env.miner,
    mixHash: overrides.prevRandao ?? env.mixHash,
    baseFeePerGas: overrides.baseFeePerGas ?? env.baseFeePerGas,
    excessBlobGas: env.excessBlobGas,
    blobBaseFee: overrides.blobBaseFee ?? env.blobBaseFee,
    parentBeaconBlockRoot: env.parentBeaconBlockRoot,
    parentHash: env.parentHash,
  };
}

function overrideAccount(state: State, target: Address, change: AccountOverride): void {
  const { nonce, balance, code, state: all, stateDiff } = change;
  if (all !== undefined && stateDiff !== undefined) {
    throw new RpcError({
      code: "REFUSED",
      text: `account ${target} has both 'state' and 'stateDiff'`,
    });
  }
  const before = state.account(target) ?? EMPTY_ACCOUNT;
  if (nonce !== undefined || balance !== undefined) {
    state.setAccount(target, {
      ...before,
      nonce: nonce ?? before.nonce,
      balance: balance ?? before.balance,
    });
  }
  if (code !== undefined) state.setCode(target, code);
  const slots = all ?? stateDiff;
  if (slots === undefined) return;
  // storage hangs on an account: a root without one would be dropped
  if (state.account(target) === undefined) state.setAccount(target, EMPTY_ACCOUNT);
  if (all !== undefined) state.clearStorage(target);
  for (const [key, value] of slots) state.setSlot(target, key, value);
}

/** What overrides do to the precompiled contracts: address → new address, or undefined where one just goes away. */
export type PrecompileMoves = ReadonlyMap<Address, Address | undefined>;

/**
 * Writes the overrides into `state` and tells what becomes of overridden precompiles.
 * Throws RpcError for contradictions. Source: geth, eth_call and eth_simulateV1.
 */
export function overrideState(
  state: State,
  overrides: StateOverrides | undefined,
  isPrecompile: (target: Address) => boolean,
): PrecompileMoves {
  const moves = new Map<Address, Address | undefined>();
  const taken = new Set<Address>();
  for (const [target, change] of overrides ?? []) {
    const destination = change.movePrecompileToAddress;
    const known = isPrecompile(target);
    if (destination !== undefined && !known) {
      throw new RpcError({ code: "REFUSED", text: `account ${target} is not a precompile` });
    }
    if (taken.has(target)) {
      throw new RpcError({
        code: "REFUSED",
        text: `account ${target} has already been overridden by a precompile`,
      });
    }
    if (destination !== undefined) {
      if (overrides?.has(destination)) {
        throw new RpcError({
          code: "REFUSED",
          text: `account ${destination} is already overridden`,
        });
      }
      taken.add(destination);
    }
    if (known) moves.set(target, destination);
    overrideAccount(state, target, change);
  }
  state.beginTransaction();
  return moves;
}
