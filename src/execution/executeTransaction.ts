/**
 * One transaction (or call) on a State: check, charge, run, settle. The order is that of execution-specs'
 * `process_transaction`; receipts and block gas are the caller's.
 */
import type { EVMResult } from "@ethereumjs/evm";
import { keccak256 } from "../crypto/keccak.ts";
import { type Bytes, bigIntToBytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import {
  type Address,
  bytesToAddress,
  bytesToHash,
  hexToBytes,
  parseAddress,
  parseHash,
} from "../primitives/hex.ts";
import { EMPTY_ACCOUNT, EMPTY_CODE_HASH, isEmptyAccount } from "../types/account.ts";
import type { Log } from "../types/receipt.ts";
import { encodeRlp } from "../types/rlp.ts";
import {
  type AccessListItem,
  effectiveGasPrice,
  type TransactionFields,
} from "../types/transaction.ts";
import { applyAuthorizations } from "./authorizations.ts";
import { checkAgainstRules, checkFees, checkSender, type Leniency } from "./checkTransaction.ts";
import { evmBlock, executionFault, type Machine, toEvmAddress } from "./evm.ts";
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

/** What the outermost frame did, before settlement. */
interface FrameOutcome {
  readonly gasUsed: bigint;
  readonly refund: bigint;
  readonly returnData: Bytes;
  readonly failure: string | undefined;
  readonly logs: readonly Log[];
  readonly destroyed: readonly Address[];
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

/** Address of the contract that `sender` creates with its transaction number `nonce`. */
export function contractAddress(sender: Address, nonce: bigint): Address {
  const preimage = encodeRlp([hexToBytes(sender), bigIntToBytes(nonce)]);
  return bytesToAddress(keccak256(preimage).subarray(12));
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
  if (machine.evm.precompiles.has(to.slice(2))) return false;
  return (machine.state.account(to)?.codeHash ?? EMPTY_CODE_HASH) === EMPTY_CODE_HASH;
}

/** A plain transfer, as the interpreter would do it (test/unit/execution proves it equal). */
function transfer({ state, context }: Machine, call: TopCall): FrameOutcome {
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

/** Runs the outermost frame in the interpreter and removes the empty accounts it touched (EIP-158). */
async function runFrame(machine: Machine, call: TopCall): Promise<FrameOutcome> {
  const { evm, state, context, env } = machine;
  const { transaction, sender, price } = call;
  const { journal } = evm;
  journal.cleanJournal();
  evm.transientStorage.clear();
  if (call.reportAccessList) journal.startReportingAccessList();
  if (context.rules.has("berlin")) warmUp(machine, call);
  const refund = applyAuthorizations(
    transaction.authorizationList,
    state,
    context.rules.chainId,
    (authority) => journal.addAlwaysWarmAddress(authority),
  );
  const free = price === 0n && !call.realFees;
  const freeBlobs = transaction.type === 3 && transaction.maxFeePerBlobGas === 0n && !call.realFees;
  const block = evmBlock(machine, {
    base: free ? 0n : (env.baseFeePerGas ?? 0n),
    blob: freeBlobs ? 0n : (machine.blobBaseFee ?? 0n),
  });
  const result = await evm.runCall({
    block,
    gasPrice: price,
    caller: toEvmAddress(sender),
    gasLimit: call.gas,
    ...(transaction.to !== undefined && { to: toEvmAddress(transaction.to) }),
    value: transaction.value,
    data: transaction.data,
    blobVersionedHashes: [...transaction.blobVersionedHashes],
    skipNonceIncrement: true,
  });
  const accessList = call.reportAccessList ? reportedAccessList(journal.accessList) : undefined;
  await journal.cleanup();
  return frameOutcome(result, refund, context.rules.has("cancun"), accessList);
}

/** Addresses and slots that are warm from the start. Sources: EIP-2929, EIP-2930, EIP-3651. */
function warmUp(machine: Machine, { transaction, sender }: TopCall): void {
  const { context, env } = machine;
  const { journal } = machine.evm;
  for (const address of machine.warmPrecompiles) journal.addAlwaysWarmAddress(address);
  journal.addAlwaysWarmAddress(sender);
  if (transaction.to !== undefined) journal.addAlwaysWarmAddress(transaction.to);
  if (context.rules.has("shanghai")) journal.addAlwaysWarmAddress(env.miner);
  for (const { address, storageKeys } of transaction.accessList) {
    journal.addAlwaysWarmAddress(address, true);
    for (const key of storageKeys) journal.addAlwaysWarmSlot(address, key, true);
  }
}

function frameOutcome(
  { execResult }: EVMResult,
  authorizationRefund: bigint,
  onlyNewDie: boolean,
  accessList: readonly AccessListItem[] | undefined,
): FrameOutcome {
  const destroyed: Address[] = [];
  for (const address of execResult.selfdestruct?.keys() ?? []) {
    // EIP-6780
    if (onlyNewDie && execResult.createdAddresses?.has(address) !== true) continue;
    destroyed.push(parseAddress(address));
  }
  return {
    gasUsed: execResult.executionGasUsed,
    refund: authorizationRefund + (execResult.gasRefund ?? 0n),
    returnData: execResult.returnValue,
    failure: execResult.exceptionError?.error,
    logs: (execResult.logs ?? []).map(([address, topics, data]) => ({
      address: bytesToAddress(address),
      topics: topics.map(bytesToHash),
      data,
    })),
    destroyed,
    accessList,
  };
}

function reportedAccessList(reported: Map<string, Set<string>> | undefined): AccessListItem[] {
  return [...(reported ?? [])].map(([address, slots]) => ({
    address: parseAddress(`0x${address}`),
    storageKeys: [...slots].map((slot) => parseHash(`0x${slot}`)),
  }));
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
