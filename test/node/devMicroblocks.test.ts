/** `qnet dev --microblocks`: the main network's cadence on a development chain, by a clock moved by hand. */
import assert from "node:assert/strict";
import { buildDevGenesis } from "../../cli/devGenesis.ts";
import { ManualClock } from "../../src/runtime/clock.ts";
import { TEST_ADDRESSES, testTransaction } from "../support/chains.ts";
import { type DevNode, startDevNode } from "../support/devNode.ts";

const START_S = 1_900_000_000;
const TICK_MS = 250;
const SLOT_MS = 2_000;
const EPOCH = 90;
const VOTE_DELAY_SLOTS = 2;

async function startMicroblocks() {
  const genesis = buildDevGenesis({
    chainId: 31_337n,
    gasLimit: 30_000_000n,
    baseFee: 10n ** 9n,
    timestamp: BigInt(START_S),
    accounts: TEST_ADDRESSES.map((address) => ({ address })),
    balance: 10n ** 22n,
    blockTimeMs: undefined,
    microblocks: true,
  });
  const clock = new ManualClock(START_S * 1000);
  const dev = await startDevNode({ genesis, clock, producer: { mode: "cadence" } });
  return { dev, clock };
}

/** Moves time by ticks, each time until nothing is under way. */
async function pass(
  dev: DevNode,
  clock: ManualClock,
  ms: number,
  eachTick?: () => Promise<unknown>,
) {
  for (let passed = 0; passed < ms; passed += TICK_MS) {
    await eachTick?.();
    await clock.advance(TICK_MS);
    for (let turns = 0; turns < 3; turns++) {
      await new Promise((resolve) => setImmediate(resolve));
      await dev.node.consensus?.engine.settled();
    }
  }
}

const heights = ({ node: { chain } }: DevNode) => [
  Number(chain.head.header.number),
  Number(chain.finalized.header.number),
];

describe("a development chain at the main network's cadence", function () {
  this.timeout(60_000);

  it("makes a block each 2 s when idle, and several in a slot under demand", async () => {
    const { dev, clock } = await startMicroblocks();
    await using _ = dev;
    const { chain, pool, consensus } = dev.node;
    await pass(dev, clock, 10 * SLOT_MS);
    assert.deepEqual(heights(dev), [10, 0]);
    let nonce = 0;
    const { head } = chain;
    await pass(dev, clock, 2 * SLOT_MS, async () => {
      for (let index = 0; index < 110; index++)
        await pool.add(testTransaction(chain, 0, nonce++).raw, "local");
    });
    const places = [];
    for (let number = head.header.number + 1n; number <= chain.head.header.number; number++) {
      const block = chain.blockByNumber(number) ?? assert.fail();
      const { core } = consensus?.sidecar(block)?.sealed ?? assert.fail();
      places.push([core.slot, core.seq, core.tick]);
      assert.equal(block.header.timestamp, BigInt(START_S + core.slot * 2 + (core.tick >> 2)));
    }
    assert.deepEqual(places, [
      [10, 1, 4],
      [11, 0, 0],
      [11, 1, 4],
      [12, 0, 0],
    ]);
  });

  it("finalises a macroblock two slots after its 90th block, and goes on from blocks by order", async () => {
    const { dev, clock } = await startMicroblocks();
    await using _ = dev;
    await dev.call("hardhat_mine", "0x58");
    assert.deepEqual(heights(dev), [88, 0]);
    await pass(dev, clock, (EPOCH - 88 + VOTE_DELAY_SLOTS - 1) * SLOT_MS);
    assert.deepEqual(heights(dev), [91, 0]);
    await pass(dev, clock, SLOT_MS);
    assert.deepEqual(heights(dev), [92, 90]);
    const id = await dev.call("evm_snapshot");
    await dev.call("evm_increaseTime", 86_400);
    await pass(dev, clock, SLOT_MS);
    // the slot into which time has jumped, and the next
    assert.deepEqual(heights(dev), [94, 90]);
    await dev.call("hardhat_mine", "0x5c");
    assert.deepEqual(heights(dev), [186, 180]);
    await dev.call("evm_revert", id);
    assert.deepEqual(heights(dev), [92, 90]);
    await dev.call("hardhat_setNextBlockBaseFeePerGas", "0x77359400");
    await pass(dev, clock, 2 * SLOT_MS);
    // a slot has passed while time was elsewhere
    assert.deepEqual(heights(dev), [95, 90]);
    const { chain } = dev.node;
    assert.equal(chain.headerByNumber(93n)?.baseFeePerGas, 0x77359400n);
  });
});
