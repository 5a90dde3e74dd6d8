/** Accounts and slots that a transaction touches, as they were before it. */
import { keccak256 } from "../../crypto/keccak.ts";
import { type Bytes, concatBytes } from "../../primitives/bytes.ts";
import {
  type Address,
  bigIntToHash,
  bytesToAddress,
  type Hash,
  hexToBytes,
} from "../../primitives/hex.ts";
import { type Account, isEmptyAccount } from "../../types/account.ts";
import { authorityOf, isDelegation } from "../authorizations.ts";
import { contractAddress } from "../contractAddress.ts";
import { addressOf } from "../frameWatch.ts";
import type { FrameStart, Observer, Operation } from "../observer.ts";
import type { TraceSubject } from "./tracer.ts";

/** An account before the transaction. */
export interface TouchedAccount {
  /** undefined: there was none */
  readonly account: Account | undefined;
  readonly code: Bytes;
  /** Slots that were read or written; values without leading zeros. */
  readonly slots: Map<Hash, Bytes>;
}

const CREATE = 0xf0;
const CREATE2 = 0xf5;
/** SLOAD and SSTORE; the slot is on top of the stack. */
const SLOT_OPERATIONS: ReadonlySet<number> = new Set([0x54, 0x55]);
/** BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH, SELFDESTRUCT: an address is on top of the stack. */
const ACCOUNT_OPERATIONS: ReadonlySet<number> = new Set([0x31, 0x3b, 0x3c, 0x3f, 0xff]);
/** All instructions that touch accounts or slots, beside calls. */
export const TOUCH_OPERATIONS: ReadonlySet<number> = new Set([
  ...SLOT_OPERATIONS,
  ...ACCOUNT_OPERATIONS,
  CREATE,
  CREATE2,
]);
/** Estimated memory of an account and of a slot. */
const ACCOUNT_BYTES = 500;
const SLOT_BYTES = 250;
const DELEGATION_PREFIX_BYTES = 3;
const CREATE2_MARK = Uint8Array.of(0xff);

/** Notes each account and slot when it is first touched: nothing can have changed it by then. */
export class TouchRecorder {
  readonly observer: Observer;
  readonly touched = new Map<Address, TouchedAccount>();
  readonly #subject: TraceSubject;

  /** Made before the transaction runs: sender, recipient, miner and EIP-7702 authorities count as touched. */
  constructor(subject: TraceSubject) {
    this.#subject = subject;
    const { sender, transaction, state, miner } = subject;
    this.#account(sender);
    if (transaction.to !== undefined) this.#callee(transaction.to);
    else this.#account(contractAddress(sender, state.account(sender)?.nonce ?? 0n));
    this.#account(miner);
    for (const authorization of transaction.authorizationList) {
      const authority = authorityOf(authorization);
      if (authority !== undefined) this.#account(authority);
    }
    this.observer = {
      enter: (frame) => this.#enter(frame),
      operations: TOUCH_OPERATIONS,
      operation: (operation) => this.#operation(operation),
    };
  }

  #enter({ codeAddress }: FrameStart): void {
    if (codeAddress !== undefined) this.#callee(codeAddress);
  }

  #operation(operation: Operation): void {
    const { opcode, address, stack } = operation;
    const top = stack[0] ?? 0n;
    if (SLOT_OPERATIONS.has(opcode)) this.#slot(address, bigIntToHash(top));
    else if (ACCOUNT_OPERATIONS.has(opcode)) this.#account(addressOf(top));
    else this.#account(this.#createdBy(operation));
  }

  #createdBy({ opcode, address, stack, memory }: Operation): Address {
    if (opcode === CREATE) {
      return contractAddress(address, this.#subject.state.account(address)?.nonce ?? 0n);
    }
    const [, offset = 0n, length = 0n, salt = 0n] = stack;
    const codeHash = keccak256(memory(offset, length));
    const own = hexToBytes(address);
    const preimage = concatBytes(CREATE2_MARK, own, hexToBytes(bigIntToHash(salt)), codeHash);
    return bytesToAddress(keccak256(preimage).subarray(12));
  }

  /** What is called, and whose code it borrows (EIP-7702). */
  #callee(address: Address): void {
    const { code } = this.#account(address);
    if (!isDelegation(code)) return;
    this.#account(bytesToAddress(code.subarray(DELEGATION_PREFIX_BYTES)));
  }

  #account(address: Address): TouchedAccount {
    const known = this.touched.get(address);
    if (known !== undefined) return known;
    const { state, budget } = this.#subject;
    const code = state.code(address);
    budget.take(ACCOUNT_BYTES + code.length * 2);
    const touched = { account: state.account(address), code, slots: new Map<Hash, Bytes>() };
    this.touched.set(address, touched);
    return touched;
  }

  #slot(address: Address, key: Hash): void {
    const { slots } = this.#account(address);
    if (slots.has(key)) return;
    this.#subject.budget.take(SLOT_BYTES);
    slots.set(key, this.#subject.state.slot(address, key));
  }
}

/** Whether there was anything at the address. */
export function wasThere({ account }: TouchedAccount): boolean {
  return account !== undefined && !isEmptyAccount(account);
}
