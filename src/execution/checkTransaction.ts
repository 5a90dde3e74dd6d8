/** When a transaction may run at all. Everything here is decided before the first write to the state. */
import type { Address } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import { type Account, EMPTY_ACCOUNT, EMPTY_CODE_HASH } from "../types/account.ts";
import type { Rules } from "../types/forks.ts";
import type { TransactionFields } from "../types/transaction.ts";
import { isTypeActive, transactionTypes } from "../types/transactionTypes.ts";
import { isDelegation } from "./authorizations.ts";
import {
  blobGasOf,
  floorDataGas,
  intrinsicGas,
  MAX_BLOBS_PER_TRANSACTION,
  MAX_INIT_CODE_BYTES,
  maxBlobGas,
  TRANSACTION_GAS_CAP,
} from "./gas.ts";
import { refuse } from "./transactionError.ts";

/** Fees in force where the transaction runs. */
export interface Fees {
  /** wei per gas; undefined before London */
  readonly baseFee: bigint | undefined;
  /** wei per blob gas; undefined before Cancun */
  readonly blobBaseFee: bigint | undefined;
}

/** Rules a call (eth_call and its kind) does without. A transaction in a block sets none of them. */
export interface Leniency {
  /** The nonce is not looked at. */
  readonly nonce?: boolean | undefined;
  /** The sender is given what it lacks. */
  readonly balance?: boolean | undefined;
  /** The sender may be a contract. */
  readonly sender?: boolean | undefined;
  /** No cap per transaction (EIP-7825). */
  readonly gasCap?: boolean | undefined;
  /** Fees of zero need not reach the base fee. */
  readonly zeroFee?: boolean | undefined;
  /** The chain id is not looked at. */
  readonly chainId?: boolean | undefined;
}

/** EIP-2681: the nonce that no transaction may use. */
const NONCE_LIMIT = 2n ** 64n - 1n;
const MAX_UINT256 = 2n ** 256n - 1n;
const BLOB_HASH_VERSION = "0x01";

/** Gas that being a transaction takes, whatever it does. */
export interface LeastGas {
  /** Paid before the first instruction */
  readonly intrinsicGas: bigint;
  /** Paid at least, 0 before Prague. Source: EIP-7623. */
  readonly floorGas: bigint;
}

/**
 * Checks what depends on the rules alone: type, chain id, gas, blobs, authorizations. Gives the least gas.
 * Throws TransactionError.
 */
export function checkAgainstRules(
  transaction: TransactionFields,
  rules: Rules,
  lenient: Leniency = {},
): LeastGas {
  checkType(transaction, rules, lenient);
  const { nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit } = transaction;
  if (nonce >= NONCE_LIMIT && lenient.nonce !== true) refuse({ code: "NONCE_MAX", nonce });
  if (gasLimit * maxFeePerGas > MAX_UINT256) {
    refuse({ code: "FEE_OVERFLOW", gasLimit, maxFeePerGas });
  }
  if (maxPriorityFeePerGas > maxFeePerGas) {
    refuse({ code: "TIP_ABOVE_MAX_FEE", maxPriorityFeePerGas, maxFeePerGas });
  }
  if (rules.has("osaka") && gasLimit > TRANSACTION_GAS_CAP && lenient.gasCap !== true) {
    refuse({ code: "TX_GAS_LIMIT_TOO_HIGH", cap: TRANSACTION_GAS_CAP, gasLimit });
  }
  checkBlobs(transaction, rules);
  checkAuthorizations(transaction);
  const want = intrinsicGas(transaction, rules);
  const floorGas = floorDataGas(transaction, rules);
  if (gasLimit < want) refuse({ code: "INTRINSIC_GAS", have: gasLimit, want });
  if (gasLimit < floorGas) refuse({ code: "FLOOR_DATA_GAS", have: gasLimit, want: floorGas });
  const size = transaction.data.length;
  if (transaction.to === undefined && rules.has("shanghai") && size > MAX_INIT_CODE_BYTES) {
    refuse({ code: "INIT_CODE_TOO_LARGE", size, limit: MAX_INIT_CODE_BYTES });
  }
  return { intrinsicGas: want, floorGas };
}

/** Checks the fees offered against those in force. Throws TransactionError. */
export function checkFees(
  transaction: TransactionFields,
  sender: Address,
  { baseFee, blobBaseFee }: Fees,
  lenient: Leniency,
): void {
  const { maxFeePerGas, maxFeePerBlobGas } = transaction;
  const free = lenient.zeroFee === true && maxFeePerGas === 0n;
  if (baseFee !== undefined && maxFeePerGas < baseFee && !free) {
    refuse({ code: "MAX_FEE_BELOW_BASE_FEE", address: sender, maxFeePerGas, baseFee });
  }
  if (transaction.blobVersionedHashes.length === 0 || blobBaseFee === undefined) return;
  const freeBlobs = lenient.zeroFee === true && maxFeePerBlobGas === 0n;
  if (maxFeePerBlobGas < blobBaseFee && !freeBlobs) {
    refuse({ code: "BLOB_FEE_TOO_LOW", maxFeePerBlobGas, blobBaseFee });
  }
}

/** Checks nonce, code and balance of the sender and returns its account. Throws TransactionError. */
export function checkSender(
  transaction: TransactionFields,
  sender: Address,
  state: State,
  { rules, lenient }: { readonly rules: Rules; readonly lenient: Leniency },
): Account {
  const account = state.account(sender) ?? EMPTY_ACCOUNT;
  if (lenient.nonce !== true) checkNonce(transaction.nonce, account.nonce, sender);
  if (account.codeHash !== EMPTY_CODE_HASH && lenient.sender !== true) {
    if (!rules.has("prague") || !isDelegation(state.code(sender))) {
      refuse({ code: "SENDER_NOT_EOA", address: sender, codeHash: account.codeHash });
    }
  }
  const want = mostItCosts(transaction);
  if (account.balance >= want) return account;
  if (lenient.balance === true) return { ...account, balance: want };
  return refuse({ code: "INSUFFICIENT_FUNDS", address: sender, have: account.balance, want });
}

/**
 * What is wrong with a simulated call in the order in which other nodes look, so that of several faults the same one is
 * told: nonce, fees, balance. `executeTransaction` checks all of it again, and the rest. Throws TransactionError.
 */
export function checkCall(
  transaction: TransactionFields,
  sender: Address,
  state: State,
  { rules, fees, lenient }: { rules: Rules; fees: Fees; lenient: Leniency },
): void {
  const nonce = state.account(sender)?.nonce ?? 0n;
  if (lenient.nonce !== true) checkNonce(transaction.nonce, nonce, sender);
  // a call may wrap the nonce around, but no contract can be addressed by the one after the last
  const isUsable = lenient.nonce === true && transaction.to !== undefined;
  if (nonce >= NONCE_LIMIT && !isUsable) refuse({ code: "NONCE_MAX", nonce });
  const { maxPriorityFeePerGas, maxFeePerGas } = transaction;
  if (maxPriorityFeePerGas > maxFeePerGas) {
    refuse({ code: "TIP_ABOVE_MAX_FEE", maxPriorityFeePerGas, maxFeePerGas });
  }
  checkFees(transaction, sender, fees, lenient);
  checkSender(transaction, sender, state, {
    rules,
    lenient: { ...lenient, nonce: true, sender: true },
  });
}

/** What the sender must own, in wei: value, all gas at the highest price, all blobs at the highest price. */
export function mostItCosts(transaction: TransactionFields): bigint {
  const { gasLimit, maxFeePerGas, value, maxFeePerBlobGas } = transaction;
  return gasLimit * maxFeePerGas + value + blobGasOf(transaction) * maxFeePerBlobGas;
}

function checkNonce(tx: bigint, state: bigint, address: Address): void {
  if (tx < state) refuse({ code: "NONCE_TOO_LOW", address, tx, state });
  if (tx > state) refuse({ code: "NONCE_TOO_HIGH", address, tx, state });
}

/** Checks that blocks may hold the type, by this algorithm and for this chain. Throws TransactionError. */
export function checkType(
  transaction: TransactionFields,
  rules: Rules,
  lenient: Leniency = {},
): void {
  const { type, chainId, pqSender } = transaction;
  const row = transactionTypes.get(type);
  if (row === undefined || !isTypeActive(row, rules)) {
    refuse({ code: "TYPE_NOT_SUPPORTED", type, fork: rules.fork });
  }
  if (pqSender !== undefined && !rules.pqTransactions?.verifyGas.has(pqSender.algorithm.name)) {
    refuse({ code: "ALGORITHM_NOT_ENABLED", algorithm: pqSender.algorithm.name });
  }
  if (chainId === undefined || lenient.chainId === true) return;
  if (type === 0 && !rules.has("spuriousDragon")) {
    refuse({ code: "PROTECTED_NOT_SUPPORTED", fork: rules.fork });
  }
  if (chainId !== rules.chainId) {
    refuse({ code: "WRONG_CHAIN_ID", have: chainId, want: rules.chainId });
  }
}

function checkBlobs(transaction: TransactionFields, rules: Rules): void {
  const { type, blobVersionedHashes: hashes } = transaction;
  if (type !== 3) return;
  if (transaction.to === undefined) refuse({ code: "BLOB_CREATION" });
  const count = hashes.length;
  if (count === 0) refuse({ code: "BLOB_COUNT_ZERO" });
  const index = hashes.findIndex((hash) => !hash.startsWith(BLOB_HASH_VERSION));
  const hash = hashes[index];
  if (hash !== undefined) refuse({ code: "BLOB_HASH_VERSION", index, hash });
  if (rules.has("osaka") && count > MAX_BLOBS_PER_TRANSACTION) {
    refuse({ code: "BLOB_COUNT_TOO_HIGH", count, limit: MAX_BLOBS_PER_TRANSACTION });
  }
  const blobGas = blobGasOf(transaction);
  const available = maxBlobGas(rules);
  if (blobGas > available) refuse({ code: "BLOB_GAS_LIMIT_REACHED", available, blobGas });
}

function checkAuthorizations(transaction: TransactionFields): void {
  if (transaction.type !== 4) return;
  if (transaction.to === undefined) refuse({ code: "AUTHORIZATION_CREATION" });
  if (transaction.authorizationList.length === 0) refuse({ code: "AUTHORIZATION_LIST_EMPTY" });
}
