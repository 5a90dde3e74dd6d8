/** Instructions that read the frame, the transaction, the block and other accounts. */
import type { Address } from "../../primitives/hex.ts";
import { type Frame, NEXT, type Signal } from "./frame.ts";
import type { Handler } from "./program.ts";
import {
  hexToWord,
  MAX_NUMBER,
  toBig,
  toWord,
  WORD_BYTES,
  type Word,
  wordAt,
  wordToAddress,
} from "./word.ts";

const COPY_WORD_GAS = 3;
const ANCESTORS = 256n;

export const address = reading((frame) => hexToWord(frame.request.address));
export const origin = reading(({ environment }) => environment.origin);
export const caller = reading((frame) => hexToWord(frame.request.caller));
export const callValue = reading((frame) => frame.request.value);
export const callDataSize = reading((frame) => frame.input.length);
export const codeSize = reading((frame) => frame.program.code.length);
export const gasPrice = reading(({ environment }) => environment.gasPrice);
export const returnDataSize = reading((frame) => frame.returnData.length);
export const coinbase = reading(({ environment }) => environment.block.coinbase);
export const timestamp = reading(({ environment }) => environment.block.timestamp);
export const blockNumber = reading(({ environment }) => environment.block.number);
export const randomness = reading(({ environment }) => environment.block.randomness);
export const gasLimit = reading(({ environment }) => environment.block.gasLimit);
export const chainId = reading(({ environment }) => environment.block.chainId);
export const baseFee = reading(({ environment }) => environment.baseFee);
export const blobBaseFee = reading(({ environment }) => environment.blobBaseFee);
export const memorySize = reading((frame) => frame.memory.size);
export const gasLeft = reading((frame) => frame.gas);
export const selfBalance = reading((frame) =>
  toWord(frame.substate.balance(frame.request.address)),
);

export const callDataLoad: Handler = (frame) => {
  const offset = frame.pop();
  const { input } = frame;
  const isInside = typeof offset === "number" && offset < input.length;
  frame.push(isInside ? wordAt(input, offset) : 0);
  return NEXT;
};

export const callDataCopy: Handler = (frame) => copyToMemory(frame, frame.input);

export const codeCopy: Handler = (frame) => copyToMemory(frame, frame.program.code);

export const returnDataCopy: Handler = (frame) => {
  const from = frame.peek(1);
  const length = frame.peek(2);
  const size = frame.returnData.length;
  if (typeof from !== "number" || typeof length !== "number" || from + length > size) {
    return frame.fail("out of gas");
  }
  return copyToMemory(frame, frame.returnData);
};

export const balance = readingAccount((frame, account) => toWord(frame.substate.balance(account)));
export const externalCodeSize = readingAccount(
  (frame, account) => frame.substate.code(account).length,
);
export const externalCodeHash = readingAccount((frame, account) => {
  if (frame.substate.isEmpty(account)) return 0;
  const codeHash = frame.substate.state.account(account)?.codeHash;
  return codeHash === undefined ? 0 : hexToWord(codeHash);
});

export const externalCodeCopy: Handler = (frame) => {
  const account = wordToAddress(frame.pop());
  if (!payForAccount(frame, account)) return frame.fail("out of gas");
  return copyToMemory(frame, frame.peek(2) === 0 ? undefined : frame.substate.code(account));
};

export const blockHash: Handler = (frame) => {
  const { block } = frame.environment;
  const number = toBig(frame.pop());
  const distance = toBig(block.number) - number;
  const hash = distance > 0n && distance <= ANCESTORS ? block.blockHash(number) : undefined;
  frame.push(hash === undefined ? 0 : hexToWord(hash));
  return NEXT;
};

export const blobHash: Handler = (frame) => {
  const index = frame.pop();
  const hash = typeof index === "number" ? frame.environment.blobHashes[index] : undefined;
  frame.push(hash === undefined ? 0 : hexToWord(hash));
  return NEXT;
};

export const position: Handler = (frame, at) => {
  frame.push(at);
  return NEXT;
};

/** Pays for an account that is cold and makes it warm; false when the gas does not reach. Source: EIP-2929. */
export function payForAccount(frame: Frame, account: Address): boolean {
  const { substate, prices } = frame;
  if (!prices.hasAccessLists || !substate.warm(account)) return true;
  return frame.pay(prices.coldAccount);
}

/** Gas for `length` bytes at `price` per 32 of them; infinite where no gas reaches. */
export function wordGas(price: number, length: Word): number {
  return typeof length === "number"
    ? price * Math.ceil(length / WORD_BYTES)
    : Number.POSITIVE_INFINITY;
}

function reading(read: (frame: Frame) => Word): Handler {
  return (frame) => {
    frame.push(read(frame));
    return NEXT;
  };
}

function readingAccount(read: (frame: Frame, account: Address) => Word): Handler {
  return (frame) => {
    const account = wordToAddress(frame.pop());
    if (!payForAccount(frame, account)) return frame.fail("out of gas");
    frame.push(read(frame, account));
    return NEXT;
  };
}

/** Takes memory offset, source offset and length from the stack. No source is needed for no bytes. */
function copyToMemory(frame: Frame, source: Uint8Array | undefined): Signal {
  const to = frame.pop();
  const from = frame.pop();
  const length = frame.pop();
  if (!frame.pay(wordGas(COPY_WORD_GAS, length))) return frame.fail("out of gas");
  const at = frame.reach(to, length);
  if (at < 0) return frame.fail("out of gas");
  if (length !== 0 && source !== undefined) {
    const start = typeof from === "number" ? from : MAX_NUMBER;
    frame.memory.fill(at, source, start, Number(length));
  }
  return NEXT;
}
