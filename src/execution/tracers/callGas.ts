/** What a call costs in a trace of instructions: its own price and the gas it hands on. */
import type { Step } from "../observer.ts";

const CALLS: ReadonlySet<number> = new Set([0xf1, 0xf2, 0xf4, 0xfa]);

/** Gas that a call hands to its callee, without the stipend; 0 for every other instruction. Source: EIP-150. */
export function handedOn({ opcode, gas, gasCost, stack }: Step, capsCallGas: boolean): bigint {
  const left = gas - gasCost;
  if (!CALLS.has(opcode) || left < 0n) return 0n;
  const asked = stack.at(-1) ?? 0n;
  if (!capsCallGas) return asked;
  const most = left - left / 64n;
  if (asked < most) return asked;
  return most;
}
