/**
 * What a caller wants to be different during a call: accounts (third parameter of eth_call) and the block (fourth).
 * Overrides are applied to the caller's own copy of the state.
 */
import type { BlockEnv } from "../src/execution/evm.ts";
import type { SimulatedHeader } from "../src/execution/simulationPlan.ts";
import type { AccountOverride, StateOverrides } from "../src/execution/stateOverrides.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import { type Address, type Hash, hexToBytes } from "../src/primitives/hex.ts";
import {
  address,
  data,
  hash,
  list,
  type ParamCodec,
  quantity,
  quantity64,
  refuse,
} from "./codec.ts";
import { object, objectOf } from "./objects.ts";
import { withdrawal } from "./withdrawal.ts";

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
const MAX_WITHDRAWALS = 1_024;

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

const blockFields = {
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
};

/** One name for what other nodes call differently. */
function settleNames<T extends { readonly [K in keyof typeof blockFields]: unknown }>(block: T) {
  const { coinbase, random, baseFee, ...rest } = block;
  return {
    ...rest,
    feeRecipient: rest.feeRecipient ?? coinbase,
    prevRandao: rest.prevRandao ?? random,
    baseFeePerGas: rest.baseFeePerGas ?? baseFee,
  };
}

const block = object("block overrides", blockFields);

/** Object of block overrides of one call. */
export const blockOverrides: ParamCodec<BlockOverrides> = {
  schema: block.schema,
  decode(json, where) {
    for (const key of ["beaconRoot", "withdrawals"]) {
      if (Object.hasOwn(objectOf(json, where), key)) {
        refuse(where, `block override "${key}" is not supported for this RPC method`);
      }
    }
    return settleNames(block.decode(json, where));
  },
};

const simulatedBlock = object("block overrides", {
  ...blockFields,
  number: quantity64,
  beaconRoot: hash,
  parentBeaconBlockRoot: hash,
  withdrawals: list(withdrawal, MAX_WITHDRAWALS),
});

/** Object of block overrides of a simulated block, which gets a header of its own. */
export const simulatedHeader: ParamCodec<SimulatedHeader> = {
  schema: simulatedBlock.schema,
  decode(json, where) {
    const { beaconRoot, ...rest } = settleNames(simulatedBlock.decode(json, where));
    return { ...rest, parentBeaconBlockRoot: rest.parentBeaconBlockRoot ?? beaconRoot };
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
