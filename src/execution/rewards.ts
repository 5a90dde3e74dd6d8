/** Ether that blocks give beside fees: mining rewards until the merge, withdrawals from Shanghai. */
import type { Address } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import { EMPTY_ACCOUNT, isEmptyAccount } from "../types/account.ts";
import type { Withdrawal } from "../types/block.ts";
import type { Rules } from "../types/forks.ts";

const ETHER = 10n ** 18n;
const GWEI = 10n ** 9n;

/** Reward of the miner in wei, 0 after the merge. Sources: EIP-649, EIP-1234, EIP-3675. */
export function blockReward(rules: Rules): bigint {
  if (rules.has("paris")) return 0n;
  if (rules.has("constantinople")) return 2n * ETHER;
  return (rules.has("byzantium") ? 3n : 5n) * ETHER;
}

/** Adds wei to an account and touches it: from Spurious Dragon an account left empty goes away (EIP-161). */
export function credit(state: State, rules: Rules, address: Address, amount: bigint): void {
  const held = state.account(address);
  const account = held ?? EMPTY_ACCOUNT;
  const after = { ...account, balance: account.balance + amount };
  if (!isEmptyAccount(after) || !rules.has("spuriousDragon")) state.setAccount(address, after);
  else if (held !== undefined) state.deleteAccount(address);
}

/** An ommer as far as rewards go. */
export interface RewardedOmmer {
  readonly miner: Address;
  readonly number: bigint;
}

/** Pays `reward` to the miner, 1/32 more for each ommer, and the ommers' miners by their age. Source: Yellow Paper 11.3. */
export function payRewards(
  state: State,
  rules: Rules,
  block: { readonly miner: Address; readonly number: bigint; readonly reward: bigint },
  ommers: readonly RewardedOmmer[],
): void {
  for (const ommer of ommers) {
    const age = block.number - ommer.number;
    credit(state, rules, ommer.miner, (block.reward * (8n - age)) / 8n);
  }
  const own = block.reward + (block.reward / 32n) * BigInt(ommers.length);
  credit(state, rules, block.miner, own);
}

/** Credits EIP-4895 withdrawals. */
export function payWithdrawals(
  state: State,
  rules: Rules,
  withdrawals: readonly Withdrawal[],
): void {
  for (const { address, amount } of withdrawals) credit(state, rules, address, amount * GWEI);
}
