/**
 * Does the staking contract hold what consensus says it does? Each rule follows from the others as long as the program is right;
 * a difference is a fault of it, and coins are at stake. Source: docs/consensus.md §8, §17 (P7).
 */
import { readStakingTotals, type StakingSource } from "../chain/stakingState.ts";
import type { Address } from "../primitives/hex.ts";
import type { ChainPoint } from "./core/chainPoint.ts";
import type { CoreParams } from "./core/params.ts";

/** What of the accounts is wrong; amounts in gwei. */
export interface SupplyFault {
  readonly code: "EPOCH_CALL_FAILED" | "MINTED_OTHERWISE" | "STAKE_NOT_COVERED" | "CAP_EXCEEDED";
  readonly expected: bigint;
  readonly got: bigint;
}

/** A state with balances. */
export interface AuditedState extends StakingSource {
  account(address: Address): { readonly balance: bigint } | undefined;
}

const WEI_PER_GWEI = 1_000_000_000n;

/**
 * Compares the state of an epoch's last block with the chain's `point` there: the summary of the epoch before has reached the
 * contract, rewards are what was minted, the contract's balance covers all it owes, and the supply keeps its cap.
 */
export function auditSupply(
  { config, genesisSupply }: CoreParams,
  { epochState }: ChainPoint,
  state: AuditedState,
): SupplyFault | undefined {
  const { staking, maxSupply } = config;
  const totals = readStakingTotals(state, staking);
  const balance = (state.account(staking)?.balance ?? 0n) / WEI_PER_GWEI;
  const { mintedTotal } = epochState;
  const rows: readonly (SupplyFault & { readonly isRight: boolean })[] = [
    same("EPOCH_CALL_FAILED", BigInt(epochState.epoch - 1), BigInt(totals.epoch)),
    same("MINTED_OTHERWISE", mintedTotal, totals.minted),
    atLeast("STAKE_NOT_COVERED", totals.stake + totals.rewards, balance),
    atLeast("CAP_EXCEEDED", genesisSupply + mintedTotal, maxSupply),
  ];
  const wrong = rows.find(({ isRight }) => !isRight);
  return wrong && { code: wrong.code, expected: wrong.expected, got: wrong.got };
}

function same(code: SupplyFault["code"], expected: bigint, got: bigint) {
  return { code, expected, got, isRight: got === expected };
}

function atLeast(code: SupplyFault["code"], expected: bigint, got: bigint) {
  return { code, expected, got, isRight: got >= expected };
}
