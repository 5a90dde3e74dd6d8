import assert from "node:assert/strict";
import { readStakedValidator } from "../../src/chain/stakingState.ts";
import type { FoundEvidence } from "../../src/consensus/core/events.ts";
import { keccakHash } from "../../src/crypto/keccak.ts";
import { pqVerifier } from "../../src/crypto/pqVerifier.ts";
import { EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import { bytesToHex } from "../../src/primitives/hex.ts";
import { ACK_BODY_BYTES, decodeAck, decodeVote } from "../../src/types/vote.ts";
import { ownerOf, StakingChain, testKey } from "../support/stakingChain.ts";
import { summary } from "../support/stakingEvidence.ts";
import type { SimKey } from "./keys.ts";
import { splitAttack } from "./scenario.ts";
import { World } from "./world.ts";

const STAKE = 10_000_000_000_000n;

/** Validators have their first keys from the staking contract; second ones are not used here. */
function keyOf(index: number): SimKey {
  const { publicKey, sign } = testKey(index / 2);
  return {
    publicKey,
    keyHash: keccakHash(publicKey),
    sign,
    verify: (message, signature) =>
      pqVerifier.verify("ML-DSA-44", publicKey, message, signature, EMPTY_BYTES),
  };
}

describe("blame", function () {
  this.timeout(300_000);
  before(() => pqVerifier.prepare("ML-DSA-44"));

  for (const validators of [4, 7])
    it(`for conflicting finality among ${validators} costs a third of the stake in the contract (P2)`, async () => {
      const stakes = Array.from({ length: validators }, () => STAKE);
      const chain = await StakingChain.create({ stakes });
      const { genesis, config } = chain;
      const domain = { chainId: genesis.config.chainId, salt: config.salt };
      const scenario = { ...splitAttack(1, validators), realSignatures: true };
      const world = new World(scenario, { keyOf, domain });
      const found = new Map<number, FoundEvidence>();
      world.onEvidence = (evidence) => {
        if (evidence.offence !== "double seal") found.set(evidence.validator, evidence);
      };
      const observer = world.run();
      assert.ok(observer.conflicts > 0, "the attack succeeds");
      const traitors = new Set(
        scenario.nodes.flatMap(({ validator, treason }) => (treason.unsafe ? [validator] : [])),
      );
      assert.deepEqual(new Set(found.keys()), traitors);
      const newest = Math.max(
        ...[...found.values()].flatMap(({ a, b }) => [epochOf(a), epochOf(b)]),
      );
      for (let epoch = 1; epoch <= newest; epoch++) await chain.endEpoch(summary(epoch, []));
      for (const { validator, a, b } of found.values()) {
        const side = ({ body, signature }: FoundEvidence["a"]) => [
          0,
          bytesToHex(body),
          bytesToHex(signature),
        ];
        const args = [validator, ...side(a), ...side(b)];
        const outcome = await chain.send(ownerOf(validators - 1), "slashDoubleVote", args);
        assert.equal(outcome.error, undefined);
        const after = readStakedValidator(chain.state, config.staking, validator);
        assert.equal(after?.status, "slashed");
      }
      assert.ok(3 * found.size >= validators);
    });
});

function epochOf({ body }: FoundEvidence["a"]): number {
  return body.length === ACK_BODY_BYTES ? decodeAck(body).epoch : decodeVote(body).tgtEpoch;
}
