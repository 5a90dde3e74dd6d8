/** Rows of the table of errors for overrides and for eth_simulateV1. Codes: execution-apis, and geth where it is silent. */
import type { SimulationErrorReason } from "../src/execution/simulationPlan.ts";
import type { OverrideErrorReason } from "../src/execution/stateOverrides.ts";
import type { TransactionErrorReason } from "../src/execution/transactionError.ts";
import { code, type Row, type RowsOf } from "./errorRow.ts";
import { transactionRows } from "./transactionErrors.ts";

const simulation = {
  nonceTooLow: -38010,
  nonceTooHigh: -38011,
  baseFeeTooLow: -38012,
  intrinsicGas: -38013,
  insufficientFunds: -38014,
  gasLimit: -38015,
  numbers: -38020,
  times: -38021,
  notAnAccount: -38024,
  initCode: -38025,
} as const;

/** Codes of calls that cannot run; what is not here is a matter of the parameters. */
const callCodes: Partial<Record<TransactionErrorReason["code"], number>> = {
  NONCE_TOO_LOW: simulation.nonceTooLow,
  NONCE_TOO_HIGH: simulation.nonceTooHigh,
  NONCE_MAX: code.internal,
  MAX_FEE_BELOW_BASE_FEE: simulation.baseFeeTooLow,
  INTRINSIC_GAS: simulation.intrinsicGas,
  FLOOR_DATA_GAS: simulation.intrinsicGas,
  INSUFFICIENT_FUNDS: simulation.insufficientFunds,
  GAS_LIMIT_REACHED: simulation.gasLimit,
  BLOB_GAS_LIMIT_REACHED: simulation.gasLimit,
  SENDER_NOT_EOA: simulation.notAnAccount,
  INIT_CODE_TOO_LARGE: simulation.initCode,
};

/** What a caller sees, by reason code. */
export const simulationRows: RowsOf<OverrideErrorReason | SimulationErrorReason> = {
  NOT_A_PRECOMPILE: {
    code: code.server,
    text: ({ address }) => `account ${address} is not a precompile`,
  },
  OVERRIDDEN_BY_PRECOMPILE: {
    code: code.server,
    text: ({ address }) => `account ${address} has already been overridden by a precompile`,
  },
  ALREADY_OVERRIDDEN: {
    code: code.server,
    text: ({ address }) => `account ${address} is already overridden`,
  },
  STATE_AND_STATE_DIFF: {
    code: code.server,
    text: ({ address }) => `account ${address} has both 'state' and 'stateDiff'`,
  },
  SIMULATED_NUMBERS: {
    code: simulation.numbers,
    text: ({ got, previous }) => `block numbers must be in order: ${got} <= ${previous}`,
  },
  SIMULATED_TIMES: {
    code: simulation.times,
    text: ({ got, previous }) => `block timestamps must be in order: ${got} <= ${previous}`,
  },
  SIMULATED_SPAN: { code: code.clientLimit, text: () => "too many blocks" },
  SIMULATED_GAS_LIMIT: {
    code: simulation.gasLimit,
    text: ({ remaining, required }) =>
      `block gas limit reached: remaining: ${remaining}, required: ${required}`,
  },
  SIMULATED_WITHDRAWALS: {
    code: code.params,
    text: ({ fork }) => `there are no withdrawals in ${fork}`,
  },
  SIMULATED_CALL: {
    code: ({ why }) => callCodes[why.code] ?? code.params,
    text: ({ why, gasLimit }, dev) => `err: ${textOf(why, dev)} (supplied gas ${gasLimit})`,
  },
  SIMULATED_BLOCK: {
    code: code.server,
    text: ({ why }) => `the simulated block cannot be finished: ${why.code}`,
  },
};

function textOf(why: TransactionErrorReason, dev: boolean): string {
  // the row under a reason's own code takes that reason: the mapped type of the rows says so
  const row = transactionRows[why.code] as Row<TransactionErrorReason> | "fault";
  return row === "fault" ? why.code : row.text(why, dev);
}
