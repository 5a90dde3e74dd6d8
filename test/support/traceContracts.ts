/** Contracts that do everything a tracer must see, as runtime code in a genesis. */

/** Where the contracts stand. */
export const TRACED = {
  /** Calls all others in all ways. */
  caller: `0x${"a0".repeat(20)}`,
  reader: `0x${"b0".repeat(20)}`,
  reverter: `0x${"c0".repeat(19)}c1`,
  destroyer: `0x${"d0".repeat(20)}`,
  spinner: `0x${"e0".repeat(20)}`,
  heir: `0x${"f0".repeat(20)}`,
} as const;

function push(value: bigint | number | string): string {
  const digits = typeof value === "string" ? value.slice(2) : value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return `${(0x5f + even.length / 2).toString(16)}${even}`;
}

/** Pushes the arguments in the order the specification lists them, then the instruction. */
export function op(code: string, ...args: readonly (bigint | number | string)[]): string {
  return [...args].reverse().map(push).join("") + code;
}

const POP = "50";
const GAS = 1_000_000;
/** Error("no"): selector, offset, length, text. */
const ERROR_NO =
  op("52", 0, `0x08c379a0${"00".repeat(28)}`) +
  op("52", 4, 0x20) +
  op("52", 0x24, 2) +
  op("52", 0x44, `0x6e6f${"00".repeat(30)}`);
/** Init code that returns one byte of code: STOP. */
const INIT = "0x60015ff3";
const STORE_INIT = op("52", 0, `${INIT}${"00".repeat(28)}`);

const callerCode =
  op("55", 1, 7) +
  op("54", 0) +
  POP +
  op("52", 0, `0x11223344${"00".repeat(28)}`) +
  op("f1", GAS, TRACED.reader, 5, 0, 4, 0, 32) +
  POP +
  op("f2", GAS, TRACED.reader, 3, 0, 36, 0, 32) +
  POP +
  op("f4", GAS, TRACED.reader, 0, 4, 0, 32) +
  POP +
  op("fa", GAS, TRACED.reader, 0, 4, 0, 32) +
  POP +
  op("f1", GAS, 4, 0, 0, 32, 0, 32) +
  POP +
  op("f1", GAS, TRACED.reader, 10n ** 30n, 0, 4, 0, 0) +
  POP +
  STORE_INIT +
  op("f0", 1, 0, 4) +
  POP +
  op("f5", 2, 0, 4, 99) +
  POP +
  op("a1", 0, 32, 0xabcd) +
  op("f1", GAS, TRACED.reverter, 0, 0, 0, 0, 0) +
  POP +
  op("f1", GAS, TRACED.destroyer, 9, 0, 0, 0, 0) +
  POP +
  op("f1", 500, TRACED.spinner, 0, 0, 0, 0, 0) +
  POP +
  op("a2", 0, 0, 1, 2) +
  op("55", 0, 0) +
  "00";

/** Genesis accounts with the contracts. */
export const tracedAlloc = {
  [TRACED.caller]: {
    balance: "0x10000",
    code: `0x${callerCode}`,
    storage: { [`0x${"00".repeat(32)}`]: `0x${"00".repeat(31)}2a` },
  },
  [TRACED.reader]: {
    balance: "0x1",
    code: `0x${op("54", 2)}${op("52", 0, 0x77)}${op("f3", 0, 32)}`,
  },
  [TRACED.reverter]: { balance: "0x0", code: `0x${op("a0", 0, 1)}${ERROR_NO}${op("fd", 0, 0x64)}` },
  [TRACED.destroyer]: { balance: "0x5", code: `0x${op("ff", TRACED.heir)}` },
  [TRACED.spinner]: { balance: "0x0", code: "0x5b5f56" },
};
