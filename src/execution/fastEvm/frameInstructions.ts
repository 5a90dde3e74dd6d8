/** Instructions that open frames or end them: calls, creations, returns, SELFDESTRUCT. */

import { type Bytes, EMPTY_BYTES } from "../../primitives/bytes.ts";
import type { Address } from "../../primitives/hex.ts";
import { delegateOf } from "../authorizations.ts";
import { contractAddress, saltedContractAddress } from "../contractAddress.ts";
import { payForAccount, wordGas } from "./environmentInstructions.ts";
import { CALLING, type Frame, NEXT, REVERTED, type Signal, STOPPED } from "./frame.ts";
import type { Handler } from "./program.ts";
import { toBig, type Word, wordToAddress, wordToBytes } from "./word.ts";

const OUT_OF_GAS = "out of gas";
const STATIC = "static state change";
const VALUE_GAS = 9_000;
const STIPEND = 2_300;
const NEW_ACCOUNT_GAS = 25_000;
const KECCAK_WORD_GAS = 6;
/** Deepest frame; the outermost is 0. */
const MAX_DEPTH = 1_024;
const MAX_NONCE = 2n ** 64n - 1n;

export const stop: Handler = (frame) => frame.stop();

export const returnOutput: Handler = (frame) => endWith(frame, STOPPED);

export const revert: Handler = (frame) => endWith(frame, REVERTED);

export const invalid: Handler = (frame) => frame.fail("invalid opcode");

function endWith(frame: Frame, signal: Signal): Signal {
  const offset = frame.pop();
  const length = frame.pop();
  const at = frame.reach(offset, length);
  if (at < 0) return frame.fail(OUT_OF_GAS);
  frame.output = frame.memory.copy(at, Number(length));
  return signal;
}

// ------------------------------------------------------------------------------------------------ calls

/** How the instructions of the call family differ. */
interface CallKind {
  /** Takes a value from the stack */
  readonly takesValue: boolean;
  /** Runs at the callee, not at the caller */
  readonly switchesAccount: boolean;
  /** Shows the caller and value of its own frame to the callee */
  readonly inherits: boolean;
  readonly isStatic: boolean;
}

const CALL_KINDS = {
  call: { takesValue: true, switchesAccount: true, inherits: false, isStatic: false },
  callcode: { takesValue: true, switchesAccount: false, inherits: false, isStatic: false },
  delegatecall: { takesValue: false, switchesAccount: false, inherits: true, isStatic: false },
  staticcall: { takesValue: false, switchesAccount: true, inherits: false, isStatic: true },
} as const satisfies Record<string, CallKind>;

/** An instruction of the call family. */
export function call(name: keyof typeof CALL_KINDS): Handler {
  const kind = CALL_KINDS[name];
  return (frame) => callAs(frame, kind);
}

function callAs(frame: Frame, kind: CallKind): Signal {
  const limit = frame.pop();
  const target = wordToAddress(frame.pop());
  const value = kind.takesValue ? frame.pop() : 0;
  if (frame.request.isStatic && value !== 0 && kind.switchesAccount) return frame.fail(STATIC);
  const ranges = reachRanges(frame);
  if (ranges === undefined || !payForCall(frame, target, value, kind)) {
    return frame.fail(OUT_OF_GAS);
  }
  const gas = forwardedGas(frame, limit);
  if (!frame.pay(gas)) return frame.fail(OUT_OF_GAS);
  const { request } = frame;
  frame.wanted = {
    kind: "call",
    depth: request.depth + 1,
    caller: kind.inherits ? request.caller : request.address,
    address: kind.switchesAccount ? target : request.address,
    codeAddress: target,
    value: kind.inherits ? request.value : value,
    transfers: !kind.inherits,
    gas: value === 0 ? gas : gas + STIPEND,
    isStatic: request.isStatic || kind.isStatic,
    ...ranges,
  };
  return openUnless(frame, isTooPoor(frame, value));
}

interface CallRanges {
  /** A part of the caller's memory, which stands still while the callee runs */
  readonly input: Bytes;
  readonly outputOffset: number;
  readonly outputLength: number;
}

/** Takes the ranges of input and output and pays for the memory; undefined when the gas does not reach. */
function reachRanges(frame: Frame): CallRanges | undefined {
  const offset = frame.pop();
  const length = frame.pop();
  const outputOffset = frame.pop();
  const outputLength = frame.pop();
  const inputAt = frame.reach(offset, length);
  if (inputAt < 0) return undefined;
  const outputAt = frame.reach(outputOffset, outputLength);
  if (outputAt < 0) return undefined;
  const input = frame.memory.bytes.subarray(inputAt, inputAt + Number(length));
  return { input, outputOffset: outputAt, outputLength: Number(outputLength) };
}

/** Pays for everything but the gas that goes along. */
function payForCall(frame: Frame, target: Address, value: Word, kind: CallKind): boolean {
  const { prices, substate } = frame;
  if (!payForAccount(frame, target)) return false;
  if (value !== 0 && !frame.pay(VALUE_GAS)) return false;
  if (kind.takesValue && kind.switchesAccount && makesAccount(frame, target, value)) {
    if (!frame.pay(NEW_ACCOUNT_GAS)) return false;
  }
  const delegate = prices.hasDelegations ? delegateOf(substate.code(target)) : undefined;
  if (delegate === undefined) return true;
  // a delegate is warm or cold on its own; the warm price is not in the price of the instruction
  return payForAccount(frame, delegate) && frame.pay(prices.call);
}

function makesAccount({ prices, substate }: Frame, target: Address, value: Word): boolean {
  if (prices.valueMakesAccount) return value !== 0 && substate.isEmpty(target);
  return substate.state.account(target) === undefined;
}

/** What of the gas left goes along, at most `limit`. Source: EIP-150. */
function forwardedGas({ gas, prices }: Frame, limit: Word): number {
  if (!prices.keeps64th) return typeof limit === "number" ? limit : Number.POSITIVE_INFINITY;
  const most = gas - Math.floor(gas / 64);
  return typeof limit === "number" && limit < most ? limit : most;
}

function isTooPoor({ substate, request }: Frame, value: Word): boolean {
  return value !== 0 && substate.balance(request.address) < toBig(value);
}

/** Opens the wanted frame; at the depth limit, or when `refused`, its gas comes back and the answer is 0. */
function openUnless(frame: Frame, refused: boolean): Signal {
  if (!refused && frame.request.depth < MAX_DEPTH) return CALLING;
  frame.gas += frame.wanted.gas;
  frame.returnData = EMPTY_BYTES;
  frame.push(0);
  return NEXT;
}

// ------------------------------------------------------------------------------------------------ creations

export const create: Handler = (frame) => {
  const prepared = prepareCreation(frame, 0);
  if (prepared === undefined) return frame.fail(OUT_OF_GAS);
  const { substate, request } = frame;
  const nonce = substate.state.account(request.address)?.nonce ?? 0n;
  return openCreation(frame, prepared, () => contractAddress(request.address, nonce));
};

export const createSalted: Handler = (frame) => {
  const prepared = prepareCreation(frame, KECCAK_WORD_GAS);
  if (prepared === undefined) return frame.fail(OUT_OF_GAS);
  const salt = wordToBytes(frame.pop());
  return openCreation(frame, prepared, (code) =>
    saltedContractAddress(frame.request.address, salt, code),
  );
};

interface Creation {
  readonly value: Word;
  readonly code: Bytes;
}

/** Takes value, offset and length and pays for memory and words; undefined when the frame fails. */
function prepareCreation(frame: Frame, wordPrice: number): Creation | undefined {
  const { prices } = frame;
  const value = frame.pop();
  const offset = frame.pop();
  const length = frame.pop();
  if (typeof length !== "number" || length > prices.maxInitCodeBytes) return undefined;
  if (frame.request.isStatic) return undefined;
  if (!frame.pay(wordGas(prices.initCodeWord + wordPrice, length))) return undefined;
  const at = frame.reach(offset, length);
  if (at < 0) return undefined;
  return { value, code: frame.memory.bytes.subarray(at, at + length) };
}

/** Raises the nonce and opens the frame of the new contract, whose address stays warm whatever becomes of it. */
function openCreation(
  frame: Frame,
  { value, code }: Creation,
  addressOf: (code: Bytes) => Address,
): Signal {
  const { substate, request, prices } = frame;
  const gas = prices.keeps64th ? frame.gas - Math.floor(frame.gas / 64) : frame.gas;
  const account = substate.state.account(request.address);
  const nonce = account?.nonce ?? 0n;
  frame.returnData = EMPTY_BYTES;
  if (request.depth >= MAX_DEPTH || isTooPoor(frame, value) || nonce >= MAX_NONCE) {
    frame.push(0);
    return NEXT;
  }
  const address = addressOf(code);
  frame.pay(gas);
  if (account !== undefined)
    substate.state.setAccount(request.address, { ...account, nonce: nonce + 1n });
  if (prices.hasAccessLists) substate.warm(address);
  frame.wanted = {
    kind: "create",
    depth: request.depth + 1,
    caller: request.address,
    address,
    codeAddress: address,
    value,
    transfers: true,
    input: code,
    gas,
    isStatic: false,
    outputOffset: 0,
    outputLength: 0,
  };
  return CALLING;
}

// ------------------------------------------------------------------------------------------------ selfdestruct

/** Gives all to the beneficiary. The account is deleted after the transaction, under EIP-6780 only if that made it. */
export const selfdestruct: Handler = (frame) => {
  const { substate, request, prices } = frame;
  if (request.isStatic) return frame.fail(STATIC);
  const { address } = request;
  const beneficiary = wordToAddress(frame.pop());
  if (prices.hasAccessLists && substate.warm(beneficiary) && !frame.pay(prices.coldBeneficiary)) {
    return frame.fail(OUT_OF_GAS);
  }
  const balance = substate.balance(address);
  if (bringsToLife(frame, beneficiary, balance) && !frame.pay(NEW_ACCOUNT_GAS)) {
    return frame.fail(OUT_OF_GAS);
  }
  if (substate.destroy(address)) substate.addRefund(prices.selfdestructRefund);
  if (beneficiary !== address)
    substate.setBalance(beneficiary, substate.balance(beneficiary) + balance);
  const isBurnt = !prices.onlyNewDie || substate.wasCreated(address);
  if (beneficiary !== address || isBurnt) substate.setBalance(address, 0n);
  return frame.stop();
};

function bringsToLife({ prices, substate }: Frame, beneficiary: Address, balance: bigint): boolean {
  if (!prices.chargesBeneficiary) return false;
  if (prices.valueMakesAccount) return balance > 0n && substate.isEmpty(beneficiary);
  return substate.state.account(beneficiary) === undefined;
}
