/** A staking chain of four validators and what most tests ask of it. */
import assert from "node:assert/strict";
import { readStakedValidator, readStakingTotals } from "../../src/chain/stakingState.ts";
import { bytesToHex } from "../../src/primitives/hex.ts";
import { keyProofBody, MESSAGE_KIND } from "../../src/types/consensusMessage.ts";
import { addressAt } from "./execution.ts";
import { GWEI, ownerOf, StakingChain, testKey, withdrawalOf } from "./stakingChain.ts";
import { summary } from "./stakingEvidence.ts";

/** Least stake, in gwei. */
export const MIN = 10_000n * GWEI;
export const STAKES = [MIN, 2n * MIN, 3n * MIN, 4n * MIN];
export const REPORTER = addressAt(0xdd);

/** A chain whose genesis has validators of these stakes, in gwei. */
export async function chainOf(
  stakes: readonly bigint[] = STAKES,
  consensus = {},
): Promise<StakingChain> {
  return StakingChain.create({ stakes, consensus });
}

/** The validator, which must exist. */
export function read(chain: StakingChain, id: number) {
  const validator = readStakedValidator(chain.state, chain.config.staking, id);
  assert.ok(validator);
  return validator;
}

/** The contract holds exactly what it owes. */
export function demandSolvent(chain: StakingChain): void {
  const { stake, rewards } = readStakingTotals(chain.state, chain.config.staking);
  assert.equal(chain.balance(chain.config.staking), (stake + rewards) * GWEI);
}

/** Arguments of register for key number `index`, with its proof for `owner`. */
export async function registerArgs(
  chain: StakingChain,
  index: number,
  owner = ownerOf(index),
): Promise<readonly unknown[]> {
  const key = testKey(index);
  const body = keyProofBody(chain.config.staking, owner, key.publicKey);
  const proof = key.sign(chain.message(MESSAGE_KIND.keyProof, body));
  return [bytesToHex(key.publicKey), bytesToHex(proof), withdrawalOf(index), addressAt(0xfee)];
}

/** Ends these epochs, in which the members `ids` did their duty. */
export async function passEpochs(
  chain: StakingChain,
  from: number,
  to: number,
  ids: readonly number[],
) {
  for (let epoch = from; epoch <= to; epoch++) {
    chain.timestamp += 10n;
    const result = await chain.endEpoch(
      summary(
        epoch,
        ids.map((id) => ({ id })),
      ),
    );
    assert.equal(result.epochFailure, undefined);
  }
}
