/** Header fields that consensus fixes, the same function for whoever builds a block and whoever checks it. Source: docs/consensus.md §4.1. */
import { baseFeeOfChild } from "../../execution/gas.ts";
import type { Bytes } from "../../primitives/bytes.ts";
import type { Hash } from "../../primitives/hex.ts";
import type { Withdrawal } from "../../types/block.ts";
import { encodeSummary } from "../../types/epochSummary.ts";
import { type ChainPoint, childEpoch, newest } from "./chainPoint.ts";
import type { HeaderWishes } from "./events.ts";
import { prevRandaoOf } from "./extendChain.ts";
import { type CoreParams, childGasLimit, slotGasLimitFor } from "./params.ts";
import { blockTimeMs } from "./time.ts";

/** What the next block must hold; its extraData is hashSidecar of its sidecar. */
export interface ExpectedHeader {
  readonly parentHash: Hash;
  readonly number: number;
  /** seconds */
  readonly timestamp: bigint;
  /** wei per gas */
  readonly baseFeePerGas: bigint;
  readonly gasLimit: bigint;
  /** header field mixHash */
  readonly prevRandao: Hash;
  readonly parentBeaconBlockRoot: Hash;
  readonly withdrawals: readonly Withdrawal[];
  /** Gas that the slot has left for this block, at most the gas limit. */
  readonly gasLeft: bigint;
  /**
   * Argument of the system call onEpoch in the first block of an epoch, after the calls of EIP-4788 and EIP-2935; undefined
   * elsewhere, and in block 1: the genesis state says what summary 0 would.
   */
  readonly epochSummary: Bytes | undefined;
}

/** Place of a block in time. */
export interface BlockPlace {
  readonly slot: number;
  readonly seq: number;
  readonly tick: number;
}

/** What a block in this place must hold as the child of `parent`. */
export function expectedHeader(
  params: CoreParams,
  parent: ChainPoint,
  place: BlockPlace,
  wished: HeaderWishes = {},
): ExpectedHeader {
  const wishes = params.config.dev ? wished : {};
  const before = newest(childEpoch(parent));
  const number = parent.number + 1;
  const gasLimit = wishes.gasLimit ?? childGasLimit(params, parent.gasLimit);
  const slotGasLimit = slotGasLimitFor(params, gasLimit);
  const left = slotGasLimit - (place.seq === 0 ? 0n : parent.slotGasUsed);
  return {
    parentHash: parent.hash,
    number,
    timestamp: BigInt(Math.floor(blockTimeMs(params, place) / 1000)),
    baseFeePerGas:
      wishes.baseFeePerGas ??
      (place.seq === 0 ? nextBaseFee(params, parent) : parent.baseFeePerGas),
    gasLimit,
    prevRandao: wishes.prevRandao ?? prevRandaoOf(before.header.mix, number),
    parentBeaconBlockRoot: before.hash,
    withdrawals: issuance(params, parent),
    gasLeft: left < gasLimit ? left : gasLimit,
    epochSummary: summaryFor(parent),
  };
}

/** EIP-1559 over slots: the target is half of slotGasLimit. */
function nextBaseFee(params: CoreParams, parent: ChainPoint): bigint {
  const { baseFeePerGas, slotGasUsed } = parent;
  const gasLimit = slotGasLimitFor(params, parent.gasLimit);
  return baseFeeOfChild({ baseFeePerGas, gasLimit, gasUsed: slotGasUsed });
}

/** Rewards of the epoch before, minted to the staking contract by the epoch's first block. */
function issuance({ config }: CoreParams, { closing }: ChainPoint): readonly Withdrawal[] {
  const minted = closing?.checkpoint.summary.minted ?? 0n;
  if (closing === undefined || minted === 0n) return [];
  const index = BigInt(closing.checkpoint.header.epoch);
  return [{ index, validatorIndex: 0n, address: config.staking, amount: minted }];
}

function summaryFor({ closing }: ChainPoint): Bytes | undefined {
  if (closing === undefined || closing.checkpoint.header.epoch === 0) return undefined;
  return encodeSummary(closing.checkpoint.summary);
}
