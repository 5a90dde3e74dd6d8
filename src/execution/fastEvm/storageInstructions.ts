/** SLOAD and SSTORE, whose price depends on what the slot was when the transaction began. */
import { NEXT } from "./frame.ts";
import type { NetStorage } from "./prices.ts";
import type { Handler } from "./program.ts";
import type { Slot, Substate } from "./substate.ts";
import type { Word } from "./word.ts";

const OUT_OF_GAS = "out of gas";
/** SSTORE fails with no more than this left, so that the gas of a plain transfer cannot change storage (EIP-2200). */
const SENTRY_GAS = 2_300;
const SET_GAS = 20_000;
const RESET_GAS = 5_000;
const FRONTIER_CLEAR_REFUND = 15_000;

export const loadSlot: Handler = (frame) => {
  const { stack, height, substate, prices } = frame;
  const slot = substate.slot(frame.slots, frame.request.address, stack[height - 1] ?? 0);
  if (prices.hasAccessLists && substate.warmSlot(slot) && !frame.pay(prices.coldSlot)) {
    return frame.fail(OUT_OF_GAS);
  }
  stack[height - 1] = slot.value;
  return NEXT;
};

export const storeSlot: Handler = (frame) => {
  const { request, substate, prices } = frame;
  if (request.isStatic) return frame.fail("static state change");
  const { netStorage } = prices;
  if (netStorage?.hasSentry === true && frame.gas <= SENTRY_GAS) return frame.fail(OUT_OF_GAS);
  const key = frame.pop();
  const value = frame.pop();
  const slot = substate.slot(frame.slots, request.address, key);
  const access = prices.hasAccessLists && substate.warmSlot(slot) ? prices.coldSlotWrite : 0;
  const gas =
    netStorage === undefined
      ? plainGas(substate, slot, value)
      : netGas(substate, slot, value, netStorage);
  if (!frame.pay(access + gas)) return frame.fail(OUT_OF_GAS);
  substate.store(request.address, slot, value);
  return NEXT;
};

/** Gas before net metering. What is given back goes to the refund at once. */
function plainGas(substate: Substate, slot: Slot, value: Word): number {
  if (slot.value === 0 && value !== 0) return SET_GAS;
  if (slot.value !== 0 && value === 0) substate.addRefund(FRONTIER_CLEAR_REFUND);
  return RESET_GAS;
}

/** Gas by net metering: only the first change in a transaction pays for a write. Sources: EIPs 1283, 2200, 2929, 3529. */
function netGas(substate: Substate, slot: Slot, value: Word, prices: NetStorage): number {
  const { read, reset, clearRefund } = prices;
  const { value: current, original } = slot;
  if (current === value) return read;
  if (original === current) {
    if (original === 0) return SET_GAS;
    if (value === 0) substate.addRefund(clearRefund);
    return reset;
  }
  if (original !== 0) {
    if (current === 0) substate.addRefund(-clearRefund);
    else if (value === 0) substate.addRefund(clearRefund);
  }
  if (original === value) substate.addRefund((original === 0 ? SET_GAS : reset) - read);
  return read;
}
