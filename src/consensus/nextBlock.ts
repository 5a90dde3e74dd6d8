/** What can be wished for the next block, and the draft that meets the wishes. */
import type { BlockDraft } from "../chain/buildBlock.ts";
import type { ChainHead } from "../chain/chainEvents.ts";
import { keccakHash } from "../crypto/keccak.ts";
import { EMPTY_BYTES } from "../primitives/bytes.ts";
import { type Address, type Hash, hexToBytes } from "../primitives/hex.ts";
import { ProducerError } from "./producerError.ts";

/** Gas limits that blocks may have: the Yellow Paper's least, and 2^63 - 1 (EIP-4803). */
const MIN_GAS_LIMIT = 5_000n;
const MAX_GAS_LIMIT = 2n ** 63n - 1n;

/** Wishes for the next block alone; a gas limit lasts, since later blocks take their parent's. */
export interface NextBlock {
  /** wei per gas */
  readonly baseFeePerGas?: bigint;
  readonly excessBlobGas?: bigint;
  readonly gasLimit?: bigint;
  readonly miner?: Address;
  readonly prevRandao?: Hash;
}

/** Throws ProducerError BAD_GAS_LIMIT unless blocks may have this gas limit. */
export function requireGasLimit(gasLimit: bigint | undefined): void {
  if (gasLimit === undefined || (gasLimit >= MIN_GAS_LIMIT && gasLimit <= MAX_GAS_LIMIT)) return;
  const limits = { least: MIN_GAS_LIMIT, most: MAX_GAS_LIMIT };
  throw new ProducerError({ code: "BAD_GAS_LIMIT", gasLimit, ...limits });
}

/** The block after `parent` with the wishes in it; `timestamp` in seconds. */
export function draftOn(
  parent: ChainHead,
  { baseFeePerGas, excessBlobGas, gasLimit, prevRandao }: NextBlock,
  { timestamp, miner }: { readonly timestamp: bigint; readonly miner: Address },
): BlockDraft {
  return {
    parent,
    timestamp,
    miner,
    prevRandao: prevRandao ?? prevRandaoAfter(parent.hash, parent.header.number + 1n),
    gasLimit: gasLimit ?? parent.header.gasLimit,
    extraData: EMPTY_BYTES,
    overrides: {
      ...(baseFeePerGas !== undefined && { baseFeePerGas }),
      ...(excessBlobGas !== undefined && { excessBlobGas }),
      ...(gasLimit !== undefined && { gasLimit }),
    },
  };
}

/** prevRandao of a development chain: the same for the same parent, different for each block. */
function prevRandaoAfter(parentHash: Hash, number: bigint): Hash {
  const seed = Buffer.alloc(40);
  seed.set(hexToBytes(parentHash));
  seed.writeBigUInt64BE(number, 32);
  return keccakHash(seed);
}
