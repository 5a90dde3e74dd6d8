/** Instructions on memory, storage, transient storage and logs, and the jumps. */
import { keccak256Shared } from "../../crypto/keccak.ts";
import type { Hash } from "../../primitives/hex.ts";
import { wordGas } from "./environmentInstructions.ts";
import { type Frame, JUMPED, NEXT } from "./frame.ts";
import type { Handler } from "./program.ts";
import { bytesToWord, readWord, WORD_BYTES, type Word, wordToHash, writeWord } from "./word.ts";

const KECCAK_WORD_GAS = 6;
const COPY_WORD_GAS = 3;
const LOG_BYTE_GAS = 8;
const OUT_OF_GAS = "out of gas";
const STATIC = "static state change";

export const loadWord: Handler = (frame) => {
  const { stack, height, memory } = frame;
  const at = frame.reach(stack[height - 1] ?? 0, WORD_BYTES);
  if (at < 0) return frame.fail(OUT_OF_GAS);
  stack[height - 1] = readWord(memory.view, at);
  return NEXT;
};

export const storeWord: Handler = (frame) => {
  const { stack, memory } = frame;
  frame.height -= 2;
  const at = frame.reach(stack[frame.height + 1] ?? 0, WORD_BYTES);
  if (at < 0) return frame.fail(OUT_OF_GAS);
  writeWord(memory.view, at, stack[frame.height] ?? 0);
  return NEXT;
};

export const storeByte: Handler = (frame) => {
  const at = frame.reach(frame.pop(), 1);
  const word = frame.pop();
  if (at < 0) return frame.fail(OUT_OF_GAS);
  frame.memory.bytes[at] = typeof word === "number" ? word % 256 : Number(BigInt.asUintN(8, word));
  return NEXT;
};

export const copyMemory: Handler = (frame) => {
  const to = frame.pop();
  const from = frame.pop();
  const length = frame.pop();
  if (!frame.pay(wordGas(COPY_WORD_GAS, length))) return frame.fail(OUT_OF_GAS);
  const source = frame.reach(from, length);
  if (source < 0) return frame.fail(OUT_OF_GAS);
  const target = frame.reach(to, length);
  if (target < 0) return frame.fail(OUT_OF_GAS);
  frame.memory.bytes.copyWithin(target, source, source + Number(length));
  return NEXT;
};

export const hashMemory: Handler = (frame) => {
  const offset = frame.pop();
  const length = frame.pop();
  if (!frame.pay(wordGas(KECCAK_WORD_GAS, length))) return frame.fail(OUT_OF_GAS);
  const at = frame.reach(offset, length);
  if (at < 0) return frame.fail(OUT_OF_GAS);
  frame.push(bytesToWord(keccak256Shared(frame.memory.bytes.subarray(at, at + Number(length)))));
  return NEXT;
};

export const loadTransient: Handler = (frame) => {
  frame.push(frame.substate.transient(frame.request.address, frame.pop()));
  return NEXT;
};

export const storeTransient: Handler = (frame) => {
  if (frame.request.isStatic) return frame.fail(STATIC);
  const key = frame.pop();
  frame.substate.storeTransient(frame.request.address, key, frame.pop());
  return NEXT;
};

/** LOG with `count` topics. */
export function log(count: number): Handler {
  return (frame) => {
    if (frame.request.isStatic) return frame.fail(STATIC);
    const offset = frame.pop();
    const length = frame.pop();
    const gas = typeof length === "number" ? LOG_BYTE_GAS * length : Number.POSITIVE_INFINITY;
    if (!frame.pay(gas)) return frame.fail(OUT_OF_GAS);
    const at = frame.reach(offset, length);
    if (at < 0) return frame.fail(OUT_OF_GAS);
    const data = frame.memory.copy(at, Number(length));
    const { address } = frame.request;
    frame.substate.logs.push({ address, topics: popTopics(frame, count), data });
    return NEXT;
  };
}

function popTopics(frame: Frame, count: number): Hash[] {
  const topics: Hash[] = [];
  for (let i = 0; i < count; i++) topics.push(wordToHash(frame.pop()));
  return topics;
}

export const jump: Handler = (frame) => jumpIf(frame, 1, frame.pop());

export const jumpConditionally: Handler = (frame) => {
  const destination = frame.pop();
  return jumpIf(frame, frame.pop(), destination);
};

function jumpIf(frame: Frame, condition: Word, destination: Word): ReturnType<Handler> {
  if (condition === 0) return NEXT;
  if (!frame.program.isDestination(destination)) return frame.fail("invalid JUMP");
  frame.pc = Number(destination);
  return JUMPED;
}

export const nothing: Handler = () => NEXT;
