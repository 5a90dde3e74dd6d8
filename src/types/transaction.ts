/**
 * Transactions: one flat shape for every type. A signed transaction keeps its canonical bytes and its hash for its
 * whole life; its sender is recovered once. Beside this file: `transactionFields` (one codec per field),
 * `transactionTypes` (the open registry, one row per type), `signatureSchemes` and `pqSignature` (how each is signed),
 * `transactionCodec` (bytes ⇄ transactions, signing), `sender` (who sent it), `blobSidecar` (what travels with type 3 outside the chain).
 */
import type { PqAlgorithm } from "../crypto/pqAlgorithms.ts";
import type { Bytes } from "../primitives/bytes.ts";
import type { Address, Hash } from "../primitives/hex.ts";

/** EIP-2930 */
export interface AccessListItem {
  readonly address: Address;
  readonly storageKeys: readonly Hash[];
}

/** EIP-7702 */
export interface Authorization {
  readonly chainId: bigint;
  readonly address: Address;
  readonly nonce: bigint;
  readonly yParity: bigint;
  readonly r: bigint;
  readonly s: bigint;
}

/** The key that a transaction of type 0x51 names as its sender's. */
export interface PqSender {
  readonly algorithm: PqAlgorithm;
  /** Empty in a call or a template for signing whose key is not known */
  readonly publicKey: Bytes;
}

/**
 * secp256k1 signature; `v` is what the type's encoding holds: 27, 28 or EIP-155 form for legacy, yParity else. Type 0x51
 * has `pq` instead, and zeros in the place of the numbers.
 */
export interface Signature {
  readonly v: bigint;
  readonly r: bigint;
  readonly s: bigint;
  readonly yParity: 0 | 1;
  /** Signature by `pqSender`'s key */
  readonly pq?: Bytes | undefined;
}

/** What a transaction says, before signing. Fields that its type does not have hold their neutral value. */
export interface TransactionFields {
  /** EIP-2718 type; 0 = legacy */
  readonly type: number;
  /** undefined: legacy without replay protection (before EIP-155) */
  readonly chainId: bigint | undefined;
  readonly nonce: bigint;
  /** wei per gas; types 0 and 1: gasPrice */
  readonly maxFeePerGas: bigint;
  /** wei per gas; types 0 and 1: gasPrice */
  readonly maxPriorityFeePerGas: bigint;
  readonly gasLimit: bigint;
  /** undefined: contract creation */
  readonly to: Address | undefined;
  /** wei */
  readonly value: bigint;
  readonly data: Bytes;
  readonly accessList: readonly AccessListItem[];
  /** wei per blob gas; 0 unless type 3 */
  readonly maxFeePerBlobGas: bigint;
  readonly blobVersionedHashes: readonly Hash[];
  readonly authorizationList: readonly Authorization[];
  /** Type 0x51 alone */
  readonly pqSender?: PqSender | undefined;
}

/** A signed transaction. */
export interface Transaction extends TransactionFields {
  readonly signature: Signature;
  /** Canonical encoding: RLP for legacy, type byte ‖ payload else (EIP-2718). Blob sidecars are not part of it. */
  readonly raw: Bytes;
  /** keccak256(raw) */
  readonly hash: Hash;
}

/** Whether the transaction creates a contract. */
export function isContractCreation(transaction: TransactionFields): boolean {
  return transaction.to === undefined;
}

/** What the sender pays per gas, in wei, in a block with this base fee (undefined before London). Source: EIP-1559. */
export function effectiveGasPrice(
  transaction: TransactionFields,
  baseFeePerGas: bigint | undefined,
): bigint {
  const { maxFeePerGas, maxPriorityFeePerGas } = transaction;
  const wanted = (baseFeePerGas ?? 0n) + maxPriorityFeePerGas;
  return wanted < maxFeePerGas ? wanted : maxFeePerGas;
}

/** What the block's miner gets per gas, in wei; negative if the transaction cannot pay this base fee. Source: EIP-1559. */
export function effectiveTip(
  transaction: TransactionFields,
  baseFeePerGas: bigint | undefined,
): bigint {
  return effectiveGasPrice(transaction, baseFeePerGas) - (baseFeePerGas ?? 0n);
}
