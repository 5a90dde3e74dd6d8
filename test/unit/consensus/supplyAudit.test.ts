import assert from "node:assert/strict";
import type { ChainPoint } from "../../../src/consensus/core/chainPoint.ts";
import { coreParams } from "../../../src/consensus/core/params.ts";
import { auditSupply } from "../../../src/consensus/supplyAudit.ts";
import type { EpochSummary } from "../../../src/types/epochSummary.ts";
import { GWEI, StakingChain } from "../../support/stakingChain.ts";

const STAKE = 20_000_000_000_000n;
const REWARD = 7_000_000n;

const summaryOf = (epoch: number): EpochSummary => ({
  epoch,
  frozen: false,
  slots: 6,
  minted: 2n * REWARD,
  rows: [0, 1].map((id) => ({
    id,
    made: 3,
    missed: 0,
    voted: true,
    voteExpected: true,
    reward: REWARD,
  })),
  candidates: [],
});

/** A chain after `epochs` epochs, and what it is audited with. */
async function chainAfter(epochs: number) {
  const chain = await StakingChain.create({ stakes: [STAKE, STAKE] });
  const params = coreParams(chain.genesis, chain.config, []);
  for (let epoch = 1; epoch <= epochs; epoch++) await chain.endEpoch(summaryOf(epoch));
  const epochState = { epoch: epochs + 1, mintedTotal: BigInt(epochs) * 2n * REWARD };
  const audit = (change: object = {}, limits: object = {}) =>
    auditSupply(
      { ...params, ...limits },
      { epochState: { ...epochState, ...change } } as ChainPoint,
      chain.state,
    )?.code;
  return { chain, params, audit };
}

describe("auditSupply", function () {
  // it deploys the staking contract and ends epochs
  this.timeout(60_000);

  it("finds nothing wrong at the genesis and after epochs", async () => {
    for (const epochs of [0, 1, 3]) assert.equal((await chainAfter(epochs)).audit(), undefined);
  });

  it("finds an epoch that did not reach the contract", async () => {
    const { audit } = await chainAfter(2);
    assert.equal(audit({ epoch: 4 }), "EPOCH_CALL_FAILED");
  });

  it("finds rewards that are not what was minted", async () => {
    const { audit } = await chainAfter(2);
    assert.equal(audit({ mintedTotal: 4n * REWARD + 1n }), "MINTED_OTHERWISE");
  });

  it("finds a balance that covers not all", async () => {
    const { chain, audit } = await chainAfter(2);
    chain.fund(chain.config.staking, -GWEI);
    assert.equal(audit(), "STAKE_NOT_COVERED");
  });

  it("finds a supply above its cap", async () => {
    const { params, audit } = await chainAfter(2);
    const genesisSupply = params.config.maxSupply - 4n * REWARD + 1n;
    assert.equal(audit({}, { genesisSupply }), "CAP_EXCEEDED");
  });
});
