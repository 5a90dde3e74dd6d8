import assert from "node:assert/strict";
import { childEpoch } from "../../../../src/consensus/core/chainPoint.ts";
import { genesisPoint } from "../../../../src/consensus/core/genesisPoint.ts";
import type { CoreParams } from "../../../../src/consensus/core/params.ts";
import { summarize } from "../../../../src/consensus/core/summarize.ts";
import { bigIntToHash, ZERO_HASH } from "../../../../src/primitives/hex.ts";
import { decodeSummary, encodeSummary } from "../../../../src/types/epochSummary.ts";
import { DecodeError } from "../../../../src/types/rlp.ts";
import { quietScenario } from "../../../simulation/scenario.ts";
import { stubGenesis } from "../../../simulation/stubChain.ts";
import { World } from "../../../simulation/world.ts";

const world = new World(quietScenario(1, { validators: 4, durationMs: 1, load: [0] }));

/** An epoch of so many blocks of one validator, each after a gap that is blamed in full. */
function summaryOf(epochLength: number) {
  const params: CoreParams = { ...world.params, config: { ...world.params.config, epochLength } };
  const candidates = [{ id: 0, stake: 10n ** 13n, reputation: 5_000, keyHash: bigIntToHash(1n) }];
  const { header, hash } = stubGenesis(1_800_000_000n);
  const epochState = childEpoch(genesisPoint(params, { header, hash }, candidates));
  const cores = Array.from({ length: epochLength }, (_, index) => ({
    slot: 100 * (index + 1),
    seq: 0,
    tick: 0,
    proposer: 0,
    reveal: undefined,
    votes: [],
    sigsHash: ZERO_HASH,
  }));
  return summarize(params, { epochState, cores, slotBefore: 0, finalized: 0, candidates });
}

describe("summarize", () => {
  it("fits an epoch of the greatest length whose slots were all but missed", () => {
    const summary = summaryOf(1_023);
    assert.deepEqual(summary.rows[0]?.missed, 64 * 1_023);
    assert.deepEqual(decodeSummary(encodeSummary(summary)), summary);
  });

  it("could not be written for a longer epoch, which the genesis therefore refuses", () => {
    const summary = summaryOf(1_024);
    assert.throws(() => encodeSummary(summary), DecodeError);
  });
});
