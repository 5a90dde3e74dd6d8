import assert from "node:assert/strict";
import { readStakedValidator, readStakingTotals } from "../../src/chain/stakingState.ts";
import type { FoundEvidence } from "../../src/consensus/core/events.ts";
import { prevRandaoOf } from "../../src/consensus/core/extendChain.ts";
import { contractAddress } from "../../src/execution/contractAddress.ts";
import type { QNode } from "../../src/node/node.ts";
import { bytesToBigInt } from "../../src/primitives/bytes.ts";
import { type Hash, parseHash, ZERO_HASH } from "../../src/primitives/hex.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { makeBlock } from "../../src/types/block.ts";
import { consensusMessage, MESSAGE_KIND } from "../../src/types/consensusMessage.ts";
import type { Genesis } from "../../src/types/genesis.ts";
import { DEFAULT_STAKING } from "../../src/types/qnetConfig.ts";
import { encodeSeal } from "../../src/types/seal.ts";
import { type SealedBlock, sealOf } from "../../src/types/sealedBlock.ts";
import { TEST_ADDRESSES, TEST_KEYS, testTransaction } from "../support/chains.ts";
import {
  claim,
  exitRequest,
  registration,
  report,
  transactionBy,
} from "../support/stakingCalls.ts";
import {
  ownerOf,
  STAKE_GWEI,
  validatorGenesis,
  validatorKeyOf,
  withdrawalOf,
} from "../support/validatorGenesis.ts";
import { seededNumbers, ValidatorNetwork } from "../support/validatorNetwork.ts";

const SEED = 515000;
const WAIT_MS = 120_000;

const finalEpoch = (node: QNode) => node.consensus?.engine.status.finalizedEpoch ?? 0;

/** The staking contract in the last final state. */
function staked(node: QNode, id: number) {
  const state = node.chain.stateAt(node.chain.finalized.hash);
  const found = readStakedValidator(state, DEFAULT_STAKING, id);
  assert.ok(found !== undefined, `validator ${id}`);
  return found;
}

/** Ids of the set that the epoch after the last final one needs, joint sets included. */
function members(node: QNode): readonly number[] {
  const queries = node.consensus;
  return (queries?.validators(queries.status.epoch) ?? []).map(({ id }) => id);
}

describe("life of validators", function () {
  this.timeout(300_000);

  it("twenty macroblocks under load: a double signer is slashed, rewards are paid, one joins and one leaves", async () => {
    const errors: unknown[] = [];
    await using network = new ValidatorNetwork({
      genesis: validatorGenesis(4),
      factor: 5,
      random: seededNumbers(SEED),
      // alarms among them: the supply is audited with each final macroblock
      log: { ...silentLogger, error: (message, facts) => errors.push([message, facts]) },
    });
    for (let index = 0; index < 4; index++) await network.start(index);
    const first = network.nodes.get(0);
    assert.ok(first !== undefined);
    const load = network.startLoad((node, sent) => testTransaction(node.chain, 0, sent));
    await network.until("two epochs", (node) => finalEpoch(node) >= 2, WAIT_MS);

    const evidence: FoundEvidence[] = [];
    first.consensus?.engine.on("evidence", (found): undefined => {
      evidence.push(found);
    });
    const third = network.nodes.get(3);
    const stopLying = third?.consensus?.engine.on("produced", (block): undefined => {
      void sealTwice(network, 3, block);
    });
    await network.until("evidence", () => evidence.length > 0, WAIT_MS);
    stopLying?.();
    const [found] = evidence;
    assert.ok(found !== undefined);
    assert.deepEqual([found.validator, found.offence], [3, "double seal"]);
    await network.submit(report(first.chain, 2, found));
    await network.until("slashing", (node) => staked(node, 3).status === "jailed", WAIT_MS);
    assert.equal(staked(first, 3).stake, (STAKE_GWEI * 99n) / 100n);
    assert.equal(staked(first, 3).strikes, 1);

    await network.submit(registration(first.chain, 4));
    await network.start(4);
    await network.until("the newcomer's place", (node) => members(node).includes(4), WAIT_MS);
    await network.submit(exitRequest(first.chain, 1));
    const isSettled = (node: QNode) =>
      members(node).includes(4) && !members(node).includes(1) && !members(node).includes(3);
    await network.until("hand-offs", isSettled, WAIT_MS);
    await network.stop(1);
    await network.until("twenty epochs", (node) => finalEpoch(node) >= 20, WAIT_MS);

    const { rewards } = staked(first, 0);
    assert.ok(rewards > 0n);
    await network.submit(claim(first.chain, 0));
    const paid = (node: QNode) =>
      node.chain.stateAt(node.chain.head.hash).account(withdrawalOf(0))?.balance ?? 0n;
    await network.until("rewards", (node) => paid(node) > 0n, WAIT_MS);
    assert.ok(paid(first) >= rewards * 1_000_000_000n);

    await load.stop();
    network.assertAgreement();
    assertSolvent(first);
    assert.deepEqual(errors, []);
    assert.ok(load.sent > 100, `${load.sent} transfers`);
  });

  it("a node reports a double signer by itself, once, and is rewarded", async () => {
    const told: unknown[] = [];
    await using network = new ValidatorNetwork({
      genesis: validatorGenesis(4),
      factor: 10,
      random: seededNumbers(SEED),
      reporters: new Set([1]),
      log: { ...silentLogger, warn: (message) => told.push(message) },
    });
    for (let index = 0; index < 4; index++) await network.start(index);
    const [first, liar] = [network.nodes.get(0), network.nodes.get(3)];
    assert.ok(first !== undefined && liar?.consensus !== undefined);
    const before = first.chain.stateAt(first.chain.genesisHash).account(ownerOf(1));
    const stopLying = liar.consensus.engine.on("produced", (block): undefined => {
      stopLying();
      void sealTwice(network, 3, block);
    });
    await network.until("slashing", (node) => staked(node, 3).status === "jailed", WAIT_MS);
    const epoch = finalEpoch(first);
    // more slots than lie between two reports
    await network.until("five epochs more", (node) => finalEpoch(node) >= epoch + 5, WAIT_MS);
    const after = first.chain.stateAt(first.chain.head.hash).account(ownerOf(1));
    assert.ok(before !== undefined && after !== undefined);
    assert.equal(after.nonce, 1n);
    assert.ok(after.balance > before.balance, "the share is more than the gas");
    assert.equal(staked(first, 3).strikes, 1);
    assert.equal(told.filter((message) => message === "Reported a validator").length, 1);
  });

  it("reports again when a report got lost", async () => {
    const told: unknown[] = [];
    await using network = new ValidatorNetwork({
      genesis: validatorGenesis(4),
      factor: 10,
      random: seededNumbers(SEED),
      reporters: new Set([1]),
      log: {
        ...silentLogger,
        warn: (message, facts) => {
          if (message !== "Reported a validator") return;
          const hash = parseHash(String(facts?.["transaction"]));
          told.push(hash);
          if (told.length === 1) assert.ok(network.nodes.get(1)?.pool.remove(hash));
        },
      },
    });
    for (let index = 0; index < 4; index++) await network.start(index);
    const liar = network.nodes.get(3) ?? assert.fail();
    const stopLying = liar.consensus?.engine.on("produced", (block): undefined => {
      stopLying?.();
      void sealTwice(network, 3, block);
    });
    await network.until("slashing", (node) => staked(node, 3).status === "jailed", WAIT_MS);
    assert.equal(told.length, 2);
  });

  it("a contract reads the beacon's value as PREVRANDAO, in each epoch another", async () => {
    await using network = new ValidatorNetwork({
      genesis: validatorGenesis(2),
      factor: 10,
      random: seededNumbers(SEED),
    });
    await network.start(0);
    const node = await network.start(1);
    await network.until("four epochs", (one) => finalEpoch(one) >= 4, WAIT_MS);
    const [key, sender] = [TEST_KEYS[1], TEST_ADDRESSES[1]];
    assert.ok(key !== undefined && sender !== undefined);
    // the constructor stores PREVRANDAO in slot 0
    const creation = transactionBy(node.chain, key, { to: undefined, data: "0x445f5500" });
    await network.submit(creation);
    await network.until(
      "the contract",
      (one) => one.chain.transaction(creation.hash) !== undefined,
      WAIT_MS,
    );
    const position = node.chain.transaction(creation.hash);
    assert.ok(position !== undefined);
    const { header, hash } = position.block;
    const stored = node.chain.stateAt(hash).slot(contractAddress(sender, 0n), ZERO_HASH);
    assert.equal(bytesToBigInt(stored), BigInt(header.mixHash));
    const epoch = node.consensus?.sidecar(position.block)?.epoch ?? 0;
    const before = node.consensus?.checkpoint(epoch - 1);
    assert.ok(before !== undefined);
    assert.equal(header.mixHash, prevRandaoOf(before.header.mix, Number(header.number)));
    assert.equal(header.parentBeaconBlockRoot, before.hash);
    const mixes = [1, 2, 3, 4].map((one) => node.consensus?.checkpoint(one)?.header.mix);
    assert.equal(new Set(mixes.slice(1)).size, 3, "revealed secrets change the beacon");
  });
});

/** A validator without slashing protection: seals another block in the place of the one it has just made. */
async function sealTwice(
  network: ValidatorNetwork,
  index: number,
  { block, core, voteSigs }: SealedBlock,
): Promise<void> {
  const other = makeBlock({ ...block.header, miner: withdrawalOf(index) }, block);
  const domain = { chainId: 31_337n, salt: saltOf(network.genesis) };
  const body = encodeSeal(sealOf({ block: other, core }));
  const seal = await validatorKeyOf(index).sign(consensusMessage(domain, MESSAGE_KIND.seal, body));
  network.deliverToAll(index, { type: "block", block: { block: other, core, voteSigs, seal } });
}

function saltOf({ config }: Genesis): Hash {
  return config.qnet?.consensus?.salt ?? ZERO_HASH;
}

/** The contract holds what it owes, and all that was minted is owed or was paid. */
function assertSolvent(node: QNode): void {
  const state = node.chain.stateAt(node.chain.finalized.hash);
  const { stake, rewards } = readStakingTotals(state, DEFAULT_STAKING);
  const balance = state.account(DEFAULT_STAKING)?.balance ?? 0n;
  assert.ok(balance >= (stake + rewards) * 1_000_000_000n, `${balance}`);
}
