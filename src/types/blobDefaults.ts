/** Blob parameters of forks whose schedule is not in the genesis file. */
import type { BlobParameters, BlobSchedule, ForkName } from "./forks.ts";

function blobs(target: bigint, max: bigint, baseFeeUpdateFraction: bigint): BlobParameters {
  return { target, max, baseFeeUpdateFraction };
}

/** EIP-4844 and EIP-7691; Osaka keeps Prague's numbers. */
export const DEFAULT_BLOBS: BlobSchedule = new Map<ForkName, BlobParameters>([
  ["cancun", blobs(3n, 6n, 3_338_477n)],
  ["prague", blobs(6n, 9n, 5_007_716n)],
]);
/** Of the BPO forks of mainnet and of the generator of public test fixtures. */
export const FIXTURE_BLOBS: BlobSchedule = new Map<ForkName, BlobParameters>([
  ["bpo1", blobs(10n, 15n, 8_346_193n)],
  ["bpo2", blobs(14n, 21n, 11_684_671n)],
  ["bpo3", blobs(21n, 32n, 20_609_697n)],
  ["bpo4", blobs(14n, 21n, 13_739_630n)],
  ["bpo5", blobs(14n, 21n, 13_739_630n)],
]);
