/** EIP-4895 withdrawals as callers write them: overrides of simulated blocks, payloads. Amounts in gwei. */
import type { Withdrawal } from "../src/types/block.ts";
import { address, type ParamCodec, quantity64 } from "./codec.ts";
import { completeObject } from "./objects.ts";

/** One withdrawal. */
export const withdrawal: ParamCodec<Withdrawal> = completeObject("withdrawal", {
  index: quantity64,
  validatorIndex: quantity64,
  address,
  amount: quantity64,
});
