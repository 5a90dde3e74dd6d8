/**
 * One transaction (or call) on a State: check, charge, run, settle. The order is that of execution-specs'
 * `process_transaction`; receipts and block gas are the caller's.
 */
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import type { Address } from "../primitives/hex.ts";
import { EMPTY_ACCOUNT, EMPTY_CODE_HASH, isEmptyAccount } from "../types/account.ts";
import type { Log } from "../types/receipt.ts";
import {
  type AccessListItem,
  effectiveGasPrice,
  type TransactionFields,
} from "../types/transaction.ts";
import { applyAuthorizations } from "./authorizations.ts";
import { checkAgainstRules, checkFees, checkSender, type Leniency } from "./checkTransaction.ts";
import { contractAddress } from "./contractAddress.ts";
import { executionFault, type Machine } from "./evm.ts";
import type { EvmResult } from "./evmMessage.ts";
import { blobGasOf, floorDataGas, intrinsicGas } from "./gas.ts";
import { credit } from "./rewards.ts";
import { TransactionError } from "./transactionError.ts";

/** How a call departs from a transaction. */
export interface ExecuteOptions {
  readonly lenient?: Leniency | undefined;
  /** Report the addresses and slots that were touched (EIP-2930 form). */
  readonly reportAccessList?: boolean | undefined;
  /** BASEFEE and BLOBBASEFEE read the block's fees even where the gas is free. */
  readonly realFees?: boolean | undefined;
}

/** What a transaction did. */
export interface Outcome {
  /** Gas paid for, after refunds and the floor of EIP-7623. */
  readonly gasUsed: bigint;
  /** Most gas that was gone at a time: without refunds, with the floor of EIP-7623. */
  readonly peakGas: bigint;
  /** Gas refunded for cleared storage and existing authorities, after the cap. */
  readonly gasRefund: bigint;
  readonly blobGasUsed: bigint;
  /** wei per gas */
  readonly effectiveGasPrice: bigint;
  readonly returnData: Bytes;
  /** Why the outermost frame failed ("revert", "out of gas", …); undefined on success. */
  readonly failure: string | undefined;
  readonly logs: readonly Log[];
  /** The address a creation was for, even when it failed. */
  readonly contractAddress: Address | undefined;
  /** Only with `reportAccessList`. */
  readonly accessList: readonly AccessListItem[] | undefined;
}

const MAX_BALANCE = 2n ** 256n - 1n;
const NONCE_BITS = 64;
const REFUND_QUOTIENT = 5n;
const REFUND_QUOTIENT_FRONTIER = 2n;

/**
 * Runs `transaction` from `sender`. Throws TransactionError when it cannot run (the state is untouched) and
 * ExecutionFault when execution broke off (the state is to be thrown away).
 */
export async function executeTransaction(
  machine: Machine,
  transaction: TransactionFields,
  sender: Address,
  options: ExecuteOptions = {},
): Promise<Outcome> {
  const depth = machine.state.depth;
  try {
    const outcome = await run(machine, transaction, sender, options);
    assert(machine.state.depth === depth, "a transaction closes the checkpoints it opens");
    return outcome;
  } catch (error) {
    if (error instanceof TransactionError) throw error;
    throw executionFault("transaction", error);
  }
}

async function run(
  machine: Machine,
  transaction: TransactionFields,
  sender: Address,
  { lenient = {}, reportAccessList = false, realFees = false }: ExecuteOptions,
): Promise<Outcome> {
  const { state, context, env } = machine;
  const { rules } = context;
  const { gasLimit } = transaction;
  checkAgainstRules(transaction, rules, lenient);
  const fees = { baseFee: env.baseFeePerGas, blobBaseFee: machine.blobBaseFee };
  checkFees(transaction, sender, fees, lenient);
  const account = checkSender(transaction, sender, state, { rules, lenient });

  const price = effectiveGasPrice(transaction, env.baseFeePerGas);
  const blobGasUsed = blobGasOf(transaction);
  const blobPrice = transaction.maxFeePerBlobGas === 0n ? 0n : (machine.blobBaseFee ?? 0n);
  const paid = gasLimit * price + blobGasUsed * blobPrice;
  state.beginTransaction();
  state.setAccount(sender, {
    ...account,
    // only a call that does without nonces gets past the last one
    nonce: BigInt.asUintN(NONCE_BITS, account.nonce + 1n),
    balance: account.balance - paid,
  });

  const intrinsic = intrinsicGas(transaction, rules);
  const gas = gasLimit - intrinsic;
  const call = { transaction, sender, price, gas, reportAccessList, realFees };
  const frame = isPlainTransfer(machine, transaction)
    ? transfer(machine, call)
    : await runFrame(machine, call);

  const spent = intrinsic + frame.gasUsed;
  const quotient = rules.has("london") ? REFUND_QUOTIENT : REFUND_QUOTIENT_FRONTIER;
  const gasRefund = least(frame.refund, spent / quotient);
  const floor = floorDataGas(transaction, rules);
  const gasUsed = most(spent - gasRefund, floor);
  settle(machine, sender, { refund: (gasLimit - gasUsed) * price, gasUsed, price });
  for (const destroyed of frame.destroyed) state.deleteAccount(destroyed);
  return {
    gasUsed,
    peakGas: most(spent, floor),
    gasRefund,
    blobGasUsed,
    effectiveGasPrice: price,
    returnData: frame.returnData,
    failure: frame.failure,
    logs: frame.logs,
    contractAddress:
      transaction.to === undefined ? contractAddress(sender, account.nonce) : undefined,
    accessList: frame.accessList,
  };
}

function least(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

function most(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

interface TopCall {
  readonly transaction: TransactionFields;
  readonly sender: Address;
  readonly price: bigint;
  readonly gas: bigint;
  readonly reportAccessList: boolean;
  readonly realFees: boolean;
}

/** Nothing runs at the recipient: the interpreter would only move the value. */
function isPlainTransfer(machine: Machine, { to, type }: TransactionFields): boolean {
  if (to === undefined || type === 4 || machine.context.observer !== undefined) return false;
  if (machine.precompiles.has(to)) return false;
  return (machine.state.account(to)?.codeHash ?? EMPTY_CODE_HASH) === EMPTY_CODE_HASH;
}

/** A plain transfer, as the interpreter would do it (test/unit/execution proves it equal). */
function transfer({ state, context }: Machine, call: TopCall): EvmResult {
  const { to, value } = call.transaction;
  assert(to !== undefined, "a plain transfer has a recipient");
  const from = state.account(call.sender) ?? EMPTY_ACCOUNT;
  state.setAccount(call.sender, { ...from, balance: from.balance - value });
  const held = state.account(to);
  const account = held ?? EMPTY_ACCOUNT;
  const balance = account.balance + value;
  assert(balance <= MAX_BALANCE, "no account can hold more than 2^256 - 1 wei");
  const after = { ...account, balance };
  if (!isEmptyAccount(after) || !context.rules.has("spuriousDragon")) state.setAccount(to, after);
  else if (held !== undefined) state.deleteAccount(to);
  return {
    gasUsed: 0n,
    refund: 0n,
    returnData: EMPTY_BYTES,
    failure: undefined,
    logs: [],
    destroyed: [],
    accessList: call.reportAccessList ? call.transaction.accessList : undefined,
  };
}

/** Runs the outermost frame in an EVM, which removes the empty accounts it touches (EIP-158). */
async function runFrame(machine: Machine, call: TopCall): Promise<EvmResult> {
  const { state, context, env } = machine;
  const { transaction, sender, price } = call;
  const authorities: Address[] = [];
  const refund = applyAuthorizations(
    transaction.authorizationList,
    state,
    context.rules.chainId,
    (authority) => void authorities.push(authority),
  );
  const free = price === 0n && !call.realFees;
  const freeBlobs = transaction.type === 3 && transaction.maxFeePerBlobGas === 0n && !call.realFees;
  const hasWarm = context.rules.has("berlin");
  const result = await machine.run({
    sender,
    to: transaction.to,
    value: transaction.value,
    data: transaction.data,
    gas: call.gas,
    gasPrice: price,
    baseFee: free ? 0n : (env.baseFeePerGas ?? 0n),
    blobBaseFee: freeBlobs ? 0n : (machine.blobBaseFee ?? 0n),
    blobVersionedHashes: transaction.blobVersionedHashes,
    warmAddresses: hasWarm ? [...alwaysWarm(machine, call), ...authorities] : [],
    accessList: hasWarm ? transaction.accessList : [],
    reportAccessList: call.reportAccessList,
  });
  return { ...result, refund: refund + result.refund };
}

/** Addresses that are warm from the start. Sources: EIP-2929, EIP-3651. */
function alwaysWarm(machine: Machine, { transaction, sender }: TopCall): Address[] {
  const warm = [...machine.warmPrecompiles, sender];
  if (transaction.to !== undefined) warm.push(transaction.to);
  if (machine.context.rules.has("shanghai")) warm.push(machine.env.miner);
  return warm;
}

interface Settlement {
  /** wei back to the sender */
  readonly refund: bigint;
  readonly gasUsed: bigint;
  /** wei per gas */
  readonly price: bigint;
}

/** Gives back what was not used and pays the tip. The base fee is burnt. */
function settle({ state, context, env }: Machine, sender: Address, paid: Settlement): void {
  const account = state.account(sender) ?? EMPTY_ACCOUNT;
  state.setAccount(sender, { ...account, balance: account.balance + paid.refund });
  const tip = paid.price === 0n ? 0n : paid.price - (env.baseFeePerGas ?? 0n);
  credit(state, context.rules, env.miner, paid.gasUsed * tip);
}
