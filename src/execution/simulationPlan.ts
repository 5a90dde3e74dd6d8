/** What a simulation is asked for, and the blocks that follow from it. */
import { NodeError } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import type { Withdrawal } from "../types/block.ts";
import type { ForkName } from "../types/forks.ts";
import type { Header } from "../types/header.ts";
import type { CallMessage } from "./executeCall.ts";
import type { BlockInvalidReason } from "./requests.ts";
import type { StateOverrides } from "./stateOverrides.ts";
import type { TransactionErrorReason } from "./transactionError.ts";

/** Most blocks of one simulation, filled gaps included. Source: eth_simulateV1. */
export const MAX_SIMULATED_BLOCKS = 256;
/** Seconds between blocks that name no time. */
const SECONDS_PER_BLOCK = 12n;

/** A call in a simulated block; without gas it gets what is left of the block. */
export interface SimulatedCall extends Omit<CallMessage, "gasLimit"> {
  readonly gasLimit?: bigint | undefined;
  readonly chainId?: bigint | undefined;
}

/** What a simulated block's header shall be; the rest follows from its parent. */
export interface SimulatedHeader {
  readonly number?: bigint | undefined;
  /** seconds */
  readonly time?: bigint | undefined;
  /** Before the merge only. */
  readonly difficulty?: bigint | undefined;
  readonly gasLimit?: bigint | undefined;
  readonly feeRecipient?: Address | undefined;
  readonly prevRandao?: Hash | undefined;
  /** wei */
  readonly baseFeePerGas?: bigint | undefined;
  /** wei per blob gas that calls see and pay; it is not in the header */
  readonly blobBaseFee?: bigint | undefined;
  readonly parentBeaconBlockRoot?: Hash | undefined;
  readonly withdrawals?: readonly Withdrawal[] | undefined;
}

/** One block of a simulation. */
export interface WantedBlock {
  readonly overrides: SimulatedHeader;
  /** Written before the block's first call. */
  readonly state?: StateOverrides | undefined;
  readonly calls: readonly SimulatedCall[];
}

/** A block with its place. */
export interface PlannedBlock extends WantedBlock {
  readonly number: bigint;
  /** seconds */
  readonly timestamp: bigint;
}

export type SimulationErrorReason =
  | {
      readonly code: "SIMULATED_NUMBERS" | "SIMULATED_TIMES";
      readonly got: bigint;
      readonly previous: bigint;
    }
  | { readonly code: "SIMULATED_SPAN"; readonly limit: number }
  | { readonly code: "SIMULATED_GAS_LIMIT"; readonly remaining: bigint; readonly required: bigint }
  | { readonly code: "SIMULATED_WITHDRAWALS"; readonly fork: ForkName }
  | {
      readonly code: "SIMULATED_CALL";
      readonly gasLimit: bigint;
      readonly why: TransactionErrorReason;
    }
  | { readonly code: "SIMULATED_BLOCK"; readonly why: BlockInvalidReason };

/** A simulation that cannot be as its caller wants it. */
export class SimulationError extends NodeError<SimulationErrorReason> {}

/** Gives each block its number and time and fills the gaps with empty blocks. Throws SimulationError. */
export function planBlocks(base: Header, wanted: readonly WantedBlock[]): PlannedBlock[] {
  const planned: PlannedBlock[] = [];
  let previous: { readonly number: bigint; readonly timestamp: bigint } = base;
  const next = () => ({
    number: previous.number + 1n,
    timestamp: previous.timestamp + SECONDS_PER_BLOCK,
  });
  const limit = MAX_SIMULATED_BLOCKS;
  for (const block of wanted) {
    const { number = previous.number + 1n, time } = block.overrides;
    if (number <= previous.number) {
      throw new SimulationError({
        code: "SIMULATED_NUMBERS",
        got: number,
        previous: previous.number,
      });
    }
    if (number - base.number > BigInt(limit))
      throw new SimulationError({ code: "SIMULATED_SPAN", limit });
    while (previous.number + 1n < number) {
      previous = next();
      planned.push({ ...previous, overrides: {}, calls: [] });
    }
    const timestamp = time ?? next().timestamp;
    if (timestamp <= previous.timestamp) {
      throw new SimulationError({
        code: "SIMULATED_TIMES",
        got: timestamp,
        previous: previous.timestamp,
      });
    }
    previous = { number, timestamp };
    planned.push({ ...block, ...previous });
  }
  return planned;
}
