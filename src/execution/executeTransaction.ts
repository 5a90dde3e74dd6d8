/**
 * One transaction (or call) on a State: check, charge, run, settle. The order is that of execution-specs'
 * `process_transaction`; receipts and block gas are the caller's.
 */
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import type { Address } from "../primitives/hex.ts";
import { andThen, rescue } from "../primitives/soon.ts";
import { EMPTY_ACCOUNT, EMPTY_CODE_HASH, isEmptyAccount } from "../types/account.ts";
import type { Log } from "../types/receipt.ts";
import {
  type AccessListItem,
  effectiveGasPrice,
  type TransactionFields,
} from "../types/transaction.ts";
import { applyAuthorizations } from "./authorizations.ts";
import {
  checkAgainstRules,
  checkFees,
  checkSender,
  type LeastGas,
  type Leniency,
} from "./checkTransaction.ts";
import { contractAddress } from "./contractAddress.ts";
import { executionFault, type Machine } from "./evm.ts";
import type { EvmResult } from "./evmMessage.ts";
import { blobGasOf } from "./gas.ts";
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

const NO_ADDRESSES: readonly Address[] = [];
const MAX_BALANCE = 2n ** 256n - 1n;
const NONCE_BITS = 64;
const REFUND_QUOTIENT = 5n;
const REFUND_QUOTIENT_FRONTIER = 2n;

/**
 * Runs `transaction` from `sender`; gives a promise only where the EVM must wait. Throws TransactionError when it cannot
 * run (the state is untouched) and ExecutionFault when execution broke off (the state is to be thrown away).
 */
export function executeTransaction(
  machine: Machine,
  transaction: TransactionFields,
  sender: Address,
  options: ExecuteOptions = {},
): Outcome | Promise<Outcome> {
  return rescue(
    () => {
      const call = begin(machine, transaction, sender, options);
      return andThen(runFrame(machine, call), (frame) => finish(machine, call, frame));
    },
    (error) => {
      if (error instanceof TransactionError) throw error;
      throw executionFault("transaction", error);
    },
  );
}

/** Checks the transaction and charges its sender. */
function begin(
  { state, context, env, blobBaseFee }: Machine,
  transaction: TransactionFields,
  sender: Address,
  options: ExecuteOptions,
): TopCall {
  const { lenient = {}, reportAccessList = false, realFees = false } = options;
  const { rules } = context;
  const { depth } = state;
  const { gasLimit } = transaction;
  const least = checkAgainstRules(transaction, rules, lenient);
  checkFees(transaction, sender, { baseFee: env.baseFeePerGas, blobBaseFee }, lenient);
  const account = checkSender(transaction, sender, state, { rules, lenient });

  const price = effectiveGasPrice(transaction, env.baseFeePerGas);
  const blobGasUsed = blobGasOf(transaction);
  const blobPrice = transaction.maxFeePerBlobGas === 0n ? 0n : (blobBaseFee ?? 0n);
  const paid = gasLimit * price + blobGasUsed * blobPrice;
  state.beginTransaction();
  state.setAccount(sender, {
    ...account,
    // only a call that does without nonces gets past the last one
    nonce: BigInt.asUintN(NONCE_BITS, account.nonce + 1n),
    balance: account.balance - paid,
  });
  const { authorizationList } = transaction;
  const authorities: Address[] = [];
  return {
    transaction,
    sender,
    nonce: account.nonce,
    depth,
    price,
    blobGasUsed,
    intrinsicGas: least.intrinsicGas,
    floorGas: least.floorGas,
    authorities,
    authorizationRefund: applyAuthorizations(authorizationList, state, rules.chainId, authorities),
    reportAccessList,
    realFees,
  };
}

/** Gives back what is left and tells what happened. */
function finish(machine: Machine, call: TopCall, frame: EvmResult): Outcome {
  const { state, context } = machine;
  const { rules } = context;
  const { transaction, sender, price, intrinsicGas, floorGas } = call;
  const { gasLimit } = transaction;
  const spent = intrinsicGas + frame.gasUsed;
  const quotient = rules.has("london") ? REFUND_QUOTIENT : REFUND_QUOTIENT_FRONTIER;
  const gasRefund = lesser(call.authorizationRefund + frame.refund, spent / quotient);
  const gasUsed = greater(spent - gasRefund, floorGas);
  settle(machine, sender, { refund: (gasLimit - gasUsed) * price, gasUsed, price });
  for (const destroyed of frame.destroyed) state.deleteAccount(destroyed);
  assert(state.depth === call.depth, "a transaction closes the checkpoints it opens");
  return {
    gasUsed,
    peakGas: greater(spent, floorGas),
    gasRefund,
    blobGasUsed: call.blobGasUsed,
    effectiveGasPrice: price,
    returnData: frame.returnData,
    failure: frame.failure,
    logs: frame.logs,
    contractAddress: transaction.to === undefined ? contractAddress(sender, call.nonce) : undefined,
    accessList: frame.accessList,
  };
}

function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

function greater(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** A transaction whose sender has been charged. */
interface TopCall extends LeastGas {
  readonly transaction: TransactionFields;
  readonly sender: Address;
  /** Nonce that the transaction used */
  readonly nonce: bigint;
  /** Open checkpoints of the State */
  readonly depth: number;
  /** wei per gas */
  readonly price: bigint;
  readonly blobGasUsed: bigint;
  /** Accounts that signed authorizations */
  readonly authorities: readonly Address[];
  readonly authorizationRefund: bigint;
  readonly reportAccessList: boolean;
  readonly realFees: boolean;
}

/** Nothing runs at the recipient, and nobody looks: the interpreter would only move the value. */
function isPlainTransfer(machine: Machine, { to, type }: TransactionFields): boolean {
  const { observer, watch } = machine.context;
  if (to === undefined || type === 4 || observer !== undefined || to === watch?.address)
    return false;
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
function runFrame(machine: Machine, call: TopCall): EvmResult | Promise<EvmResult> {
  const { context, env } = machine;
  const { transaction, sender, price } = call;
  if (isPlainTransfer(machine, transaction)) return transfer(machine, call);
  const free = price === 0n && !call.realFees;
  const freeBlobs = transaction.type === 3 && transaction.maxFeePerBlobGas === 0n && !call.realFees;
  const hasWarm = context.rules.has("berlin");
  return machine.run({
    sender,
    to: transaction.to,
    value: transaction.value,
    data: transaction.data,
    gas: transaction.gasLimit - call.intrinsicGas,
    gasPrice: price,
    baseFee: free ? 0n : (env.baseFeePerGas ?? 0n),
    blobBaseFee: freeBlobs ? 0n : (machine.blobBaseFee ?? 0n),
    blobVersionedHashes: transaction.blobVersionedHashes,
    warmAddresses: hasWarm ? warmFromStart(machine, call) : NO_ADDRESSES,
    warmPrecompiles: hasWarm,
    accessList: hasWarm ? transaction.accessList : [],
    reportAccessList: call.reportAccessList,
  });
}

/** Addresses that are warm from the start, beside the precompiles. Sources: EIP-2929, EIP-3651, EIP-7702. */
function warmFromStart({ context, env }: Machine, call: TopCall): readonly Address[] {
  const { transaction, sender, authorities } = call;
  const warm = [sender, ...authorities];
  if (transaction.to !== undefined) warm.push(transaction.to);
  if (context.rules.has("shanghai")) warm.push(env.miner);
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
