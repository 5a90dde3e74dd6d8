/** What can be wished for the next block, and the draft of a block that consensus expects. */
import type { BlockDraft, HeaderOverrides } from "../chain/buildBlock.ts";
import type { ChainHead } from "../chain/chainEvents.ts";
import type { Bytes } from "../primitives/bytes.ts";
import type { Address } from "../primitives/hex.ts";
import type { HeaderWishes } from "./core/events.ts";
import type { ExpectedHeader } from "./core/expectedHeader.ts";
import { ProducerError } from "./producerError.ts";

/** Gas limits that blocks may have: the Yellow Paper's least, and 2^63 - 1 (EIP-4803). */
const MIN_GAS_LIMIT = 5_000n;
const MAX_GAS_LIMIT = 2n ** 63n - 1n;

/** Wishes for the next block alone; a gas limit lasts, since later blocks take their parent's. */
export interface NextBlock extends HeaderWishes {
  readonly excessBlobGas?: bigint;
  readonly miner?: Address;
}

/** Throws ProducerError BAD_GAS_LIMIT unless blocks may have this gas limit. */
export function requireGasLimit(gasLimit: bigint | undefined): void {
  if (gasLimit === undefined || (gasLimit >= MIN_GAS_LIMIT && gasLimit <= MAX_GAS_LIMIT)) return;
  const limits = { least: MIN_GAS_LIMIT, most: MAX_GAS_LIMIT };
  throw new ProducerError({ code: "BAD_GAS_LIMIT", gasLimit, ...limits });
}

/** The wishes that are consensus' business. */
export function headerWishes({ baseFeePerGas, gasLimit, prevRandao }: NextBlock): HeaderWishes {
  return {
    ...(baseFeePerGas !== undefined && { baseFeePerGas }),
    ...(gasLimit !== undefined && { gasLimit }),
    ...(prevRandao !== undefined && { prevRandao }),
  };
}

/** The block on `parent` that consensus expects, to be built; `extraData` is the hash of its sidecar. */
export function draftOf(
  parent: ChainHead,
  expected: ExpectedHeader,
  own: {
    readonly miner: Address;
    readonly extraData: Bytes;
    readonly overrides: HeaderOverrides;
  },
): BlockDraft {
  const { timestamp, prevRandao, gasLimit, withdrawals } = expected;
  const { parentBeaconBlockRoot, baseFeePerGas } = expected;
  return {
    ...own,
    parent,
    timestamp,
    prevRandao,
    gasLimit,
    withdrawals,
    parentBeaconBlockRoot,
    baseFeePerGas,
  };
}
