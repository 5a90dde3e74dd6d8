/** Contracts that the protocol itself calls; a chain whose blocks call one must have its code. */
import { type Address, parseAddress } from "../primitives/hex.ts";
import type { ForkName } from "./forks.ts";

/** EIP-4788: ring buffer of beacon block roots. */
export const BEACON_ROOTS_ADDRESS = parseAddress("0x000F3df6D732807Ef1319fB7B8bB8522d0Beac02");
/** EIP-2935: ring buffer of block hashes. */
export const HISTORY_STORAGE_ADDRESS = parseAddress("0x0000F90827F1C53a10cb7A02335B175320002935");
/** EIP-7002: queue of withdrawal requests. */
export const WITHDRAWAL_REQUEST_ADDRESS = parseAddress(
  "0x00000961Ef480Eb55e80D19ad83579A64c007002",
);
/** EIP-7251: queue of consolidation requests. */
export const CONSOLIDATION_REQUEST_ADDRESS = parseAddress(
  "0x0000BBdDc7CE488642fb579F8B00f3a590007251",
);

/** All of them, with the fork from which blocks call them. */
export const SYSTEM_CONTRACTS: readonly { readonly address: Address; readonly since: ForkName }[] =
  [
    { address: BEACON_ROOTS_ADDRESS, since: "cancun" },
    { address: HISTORY_STORAGE_ADDRESS, since: "prague" },
    { address: WITHDRAWAL_REQUEST_ADDRESS, since: "prague" },
    { address: CONSOLIDATION_REQUEST_ADDRESS, since: "prague" },
  ];
