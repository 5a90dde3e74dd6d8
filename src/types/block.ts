/** Blocks and what they hold beside the header. */
import type { Address, Hash } from "../primitives/hex.ts";
import type { Header } from "./header.ts";
import type { Transaction } from "./transaction.ts";

/** EIP-4895 withdrawal. */
export interface Withdrawal {
  readonly index: bigint;
  readonly validatorIndex: bigint;
  readonly address: Address;
  /** gwei */
  readonly amount: bigint;
}

export interface BlockBody {
  readonly transactions: readonly Transaction[];
  readonly ommers: readonly Header[];
  /** undefined before Shanghai */
  readonly withdrawals: readonly Withdrawal[] | undefined;
}

export interface Block extends BlockBody {
  readonly header: Header;
  /** keccak256 of the header's RLP */
  readonly hash: Hash;
  /** Length of the block's RLP in bytes. */
  readonly sizeBytes: number;
}
