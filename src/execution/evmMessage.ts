/** What is asked of an EVM and what it answers; fastEvm/ and referenceEvm.ts both do it. */
import type { Bytes } from "../primitives/bytes.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import type { Log } from "../types/receipt.ts";
import type { AccessListItem } from "../types/transaction.ts";

/** The outermost frame of a transaction, after its sender was charged and its nonce raised. */
export interface EvmMessage {
  readonly sender: Address;
  /** undefined: a creation by the sender's nonce less 1 */
  readonly to: Address | undefined;
  /** wei */
  readonly value: bigint;
  readonly data: Bytes;
  /** What is left after the intrinsic gas */
  readonly gas: bigint;
  /** wei per gas */
  readonly gasPrice: bigint;
  /** wei per gas, as BASEFEE reads it */
  readonly baseFee: bigint;
  /** wei per blob gas, as BLOBBASEFEE reads it */
  readonly blobBaseFee: bigint;
  readonly blobVersionedHashes: readonly Hash[];
  /** Warm from the start; nothing is before Berlin. Sources: EIPs 2929, 2930, 3651, 7702. */
  readonly warmAddresses: readonly Address[];
  /** The precompiles are warm as well: not so for the system's own calls. */
  readonly warmPrecompiles: boolean;
  readonly accessList: readonly AccessListItem[];
  /** Report what was touched: `accessList` of the result. */
  readonly reportAccessList: boolean;
}

/** What the outermost frame did. */
export interface EvmResult {
  readonly gasUsed: bigint;
  /** Before the cap; 0 on failure */
  readonly refund: bigint;
  readonly returnData: Bytes;
  /** Why it failed ("revert", "out of gas", …); undefined on success. */
  readonly failure: string | undefined;
  readonly logs: readonly Log[];
  /** Accounts to delete when the transaction is settled. */
  readonly destroyed: readonly Address[];
  /** Only with `reportAccessList`. */
  readonly accessList: readonly AccessListItem[] | undefined;
}

/** Runs messages on the State it was made for, and removes the empty accounts that they touch (EIP-161). */
export interface Evm {
  run(message: EvmMessage): EvmResult | Promise<EvmResult>;
}
