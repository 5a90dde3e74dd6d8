/** Prices: what a transaction costs before it runs, and the fees that follow from the parent block. */
import type { Bytes } from "../primitives/bytes.ts";
import type { Rules } from "../types/forks.ts";
import type { Header } from "../types/header.ts";
import type { TransactionFields } from "../types/transaction.ts";
import { transactionTypes } from "../types/transactionTypes.ts";

/** EIP-4844 */
export const GAS_PER_BLOB = 131_072n;
/** EIP-7825: most gas one transaction may ask for, from Osaka. */
export const TRANSACTION_GAS_CAP = 16_777_216n;
/** EIP-3860: longest creation code in bytes, from Shanghai. */
export const MAX_INIT_CODE_BYTES = 49_152;
/** EIP-7594: most blobs in one transaction, from Osaka. */
export const MAX_BLOBS_PER_TRANSACTION = 6;
/** EIP-1559: base fee of the first block that has one, in wei. */
export const INITIAL_BASE_FEE = 1_000_000_000n;

const TRANSACTION_GAS = 21_000n;
const CREATION_GAS = 32_000n;
const ZERO_BYTE_GAS = 4n;
const NON_ZERO_BYTE_GAS = 16n;
const NON_ZERO_BYTE_GAS_FRONTIER = 68n;
const ACCESS_LIST_ADDRESS_GAS = 2_400n;
const ACCESS_LIST_KEY_GAS = 1_900n;
const INIT_CODE_WORD_GAS = 2n;
const AUTHORIZATION_GAS = 25_000n;
const FLOOR_GAS_PER_TOKEN = 10n;
const TOKENS_PER_NON_ZERO_BYTE = 4n;
const ELASTICITY = 2n;
const BASE_FEE_CHANGE_DENOMINATOR = 8n;
const MIN_BLOB_BASE_FEE = 1n;
const BLOB_BASE_COST = 8_192n;

function countZeros(data: Bytes): bigint {
  let zeros = 0;
  for (let i = 0; i < data.length; i++) if (data[i] === 0) zeros++;
  return BigInt(zeros);
}

/** Gas of being a transaction at all: 21,000, and what the key and signature of type 0x51 cost beyond it. */
function baseGas(transaction: TransactionFields, rules: Rules): bigint {
  const { signature } = transactionTypes.get(transaction.type) ?? {};
  return TRANSACTION_GAS + (signature?.witnessGas(transaction, rules) ?? 0n);
}

/** Gas a transaction pays before its first instruction. Sources: Yellow Paper, EIPs 2, 2028, 2930, 3860, 7702. */
export function intrinsicGas(transaction: TransactionFields, rules: Rules): bigint {
  const { data, accessList, authorizationList } = transaction;
  const zeros = countZeros(data);
  const nonZeros = BigInt(data.length) - zeros;
  let gas = baseGas(transaction, rules) + zeros * ZERO_BYTE_GAS;
  gas += nonZeros * (rules.has("istanbul") ? NON_ZERO_BYTE_GAS : NON_ZERO_BYTE_GAS_FRONTIER);
  if (transaction.to === undefined) {
    if (rules.has("homestead")) gas += CREATION_GAS;
    if (rules.has("shanghai")) gas += BigInt(Math.ceil(data.length / 32)) * INIT_CODE_WORD_GAS;
  }
  for (const { storageKeys } of accessList) {
    gas += ACCESS_LIST_ADDRESS_GAS + BigInt(storageKeys.length) * ACCESS_LIST_KEY_GAS;
  }
  return gas + BigInt(authorizationList.length) * AUTHORIZATION_GAS;
}

/** Least gas a transaction pays for its data, 0 before Prague. Source: EIP-7623. */
export function floorDataGas(transaction: TransactionFields, rules: Rules): bigint {
  if (!rules.has("prague")) return 0n;
  const zeros = countZeros(transaction.data);
  const tokens = zeros + (BigInt(transaction.data.length) - zeros) * TOKENS_PER_NON_ZERO_BYTE;
  return baseGas(transaction, rules) + tokens * FLOOR_GAS_PER_TOKEN;
}

/** Blob gas of a transaction. Source: EIP-4844. */
export function blobGasOf(transaction: TransactionFields): bigint {
  return BigInt(transaction.blobVersionedHashes.length) * GAS_PER_BLOB;
}

/** Base fee of the child of `parent`, in wei per gas, once London is active for the child. Source: EIP-1559. */
export function baseFeeOfChild(
  parent: Pick<Header, "baseFeePerGas" | "gasLimit" | "gasUsed">,
): bigint {
  const { baseFeePerGas: baseFee, gasUsed } = parent;
  if (baseFee === undefined) return INITIAL_BASE_FEE;
  const target = parent.gasLimit / ELASTICITY;
  if (gasUsed === target || target === 0n) return baseFee;
  if (gasUsed > target) {
    const rise = (baseFee * (gasUsed - target)) / target / BASE_FEE_CHANGE_DENOMINATOR;
    return baseFee + (rise > 0n ? rise : 1n);
  }
  return baseFee - (baseFee * (target - gasUsed)) / target / BASE_FEE_CHANGE_DENOMINATOR;
}

/** Approximates `factor * e ** (numerator / denominator)` by its Taylor series. Source: EIP-4844. */
function fakeExponential(factor: bigint, numerator: bigint, denominator: bigint): bigint {
  let term = factor * denominator;
  let sum = 0n;
  for (let i = 1n; term > 0n; i++) {
    sum += term;
    term = (term * numerator) / (denominator * i);
  }
  return sum / denominator;
}

/** Price of blob gas in wei at `excessBlobGas`; undefined without a blob schedule. Source: EIP-4844, EIP-7892. */
export function blobBaseFee(excessBlobGas: bigint, rules: Rules): bigint | undefined {
  if (rules.blobs === undefined) return undefined;
  return fakeExponential(MIN_BLOB_BASE_FEE, excessBlobGas, rules.blobs.baseFeeUpdateFraction);
}

/** Most blob gas one block may hold; 0 before Cancun. */
export function maxBlobGas(rules: Rules): bigint {
  return rules.blobs === undefined ? 0n : rules.blobs.max * GAS_PER_BLOB;
}

/** excessBlobGas of the child of `parent`; `rules` are the child's. Sources: EIP-4844, EIP-7918. */
export function excessBlobGasOfChild(
  parent: Pick<Header, "excessBlobGas" | "blobGasUsed" | "baseFeePerGas">,
  rules: Rules,
): bigint {
  if (rules.blobs === undefined) return 0n;
  const excess = parent.excessBlobGas ?? 0n;
  const used = parent.blobGasUsed ?? 0n;
  const max = rules.blobs.max;
  const target = rules.blobs.target;
  const targetGas = target * GAS_PER_BLOB;
  if (excess + used < targetGas) return 0n;
  if (rules.has("osaka")) {
    const reserve = BLOB_BASE_COST * (parent.baseFeePerGas ?? 0n);
    const price = GAS_PER_BLOB * (blobBaseFee(excess, rules) ?? 0n);
    if (reserve > price) return excess + (used * (max - target)) / max;
  }
  return excess + used - targetGas;
}
