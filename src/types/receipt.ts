/** Receipts and logs: consensus form and RLP. */
import type { Bytes } from "../primitives/bytes.ts";
import type { Address, Hash } from "../primitives/hex.ts";

export interface Log {
  readonly address: Address;
  readonly topics: readonly Hash[];
  readonly data: Bytes;
}

/** A receipt as the receipts trie holds it. Everything else JSON-RPC shows is derived from block and transaction. */
export interface Receipt {
  /** EIP-2718 transaction type */
  readonly type: number;
  /** 1 success, 0 failure (EIP-658); before Byzantium the state root after the transaction instead. */
  readonly outcome: 0 | 1 | Hash;
  readonly cumulativeGasUsed: bigint;
  /** 256 bytes */
  readonly logsBloom: Bytes;
  readonly logs: readonly Log[];
}
