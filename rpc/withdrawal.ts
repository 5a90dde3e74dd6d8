/** EIP-4895 withdrawals in blocks, payloads and overrides of simulated blocks. Amounts in gwei. */
import type { Withdrawal } from "../src/types/block.ts";
import { address, type ParamCodec, quantity, quantity64, type ResultCodec } from "./codec.ts";
import { completeObject, field, view } from "./objects.ts";

/** A withdrawal as callers write it. */
export const withdrawal: ParamCodec<Withdrawal> = completeObject("withdrawal", {
  index: quantity64,
  validatorIndex: quantity64,
  address,
  amount: quantity64,
});

/** A withdrawal to be shown. */
export const withdrawalView: ResultCodec<Withdrawal> = view("withdrawal", {
  index: field(quantity, (withdrawal: Withdrawal) => withdrawal.index),
  validatorIndex: field(quantity, (withdrawal) => withdrawal.validatorIndex),
  address: field(address, (withdrawal) => withdrawal.address),
  amount: field(quantity, (withdrawal) => withdrawal.amount),
});
