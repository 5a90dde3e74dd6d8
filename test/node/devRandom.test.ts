/** Whatever a user of a development chain does in whatever order: finality is that of the chain as it is. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type DevNode, startDevNode } from "../support/devNode.ts";

/** QNET_TEST_DEV_RUNS: more of them */
const RUNS = Number(process.env["QNET_TEST_DEV_RUNS"] ?? 12);
const STEPS = 24;
const EPOCH = 6;
const alice = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const bob = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const hex = (value: number) => `0x${value.toString(16)}`;

const number = (max: number) => fc.integer({ min: 1, max });
const step = fc.oneof(
  fc.record({ op: fc.constant("mine" as const), count: number(14) }),
  fc.record({ op: fc.constant("send" as const) }),
  fc.record({ op: fc.constant("snapshot" as const) }),
  fc.record({ op: fc.constant("revert" as const), which: fc.nat(7) }),
  fc.record({ op: fc.constant("rollback" as const), depth: number(16) }),
  fc.record({ op: fc.constant("reorg" as const), depth: number(16) }),
  fc.record({ op: fc.constant("time" as const), seconds: number(40_000_000) }),
  fc.record({ op: fc.constant("edit" as const), wei: number(1_000) }),
  fc.record({ op: fc.constant("wish" as const), gasLimit: fc.integer({ min: 1e6, max: 9e7 }) }),
  fc.record({ op: fc.constant("setHead" as const), back: number(10) }),
  fc.record({ op: fc.constant("reset" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface World {
  readonly dev: DevNode;
  readonly snapshots: { readonly id: unknown; readonly height: number }[];
}

/** Carries a step out; returns the height that the chain has then. */
async function take({ dev, snapshots }: World, one: Step): Promise<number> {
  const { chain } = dev.node;
  const height = Number(chain.head.header.number);
  switch (one.op) {
    case "mine":
      await dev.call("anvil_mine", hex(one.count));
      return height + one.count;
    case "send":
      await dev.call("eth_sendTransaction", { from: alice, to: bob, value: "0x1" });
      // a read waits for the block, and for what is final with it
      await dev.call("eth_blockNumber");
      return height + 1;
    case "snapshot":
      snapshots.push({ id: await dev.call("evm_snapshot"), height });
      return height;
    case "revert": {
      const [target] = snapshots.splice(one.which % (snapshots.length + 1));
      if (target === undefined) return height;
      assert.equal(await dev.call("evm_revert", target.id), true);
      return target.height;
    }
    case "rollback":
    case "reorg": {
      const depth = Math.min(one.depth, height);
      if (depth === 0) return height;
      if (one.op === "rollback") await dev.call("anvil_rollback", depth);
      else await dev.call("anvil_reorg", depth, []);
      return one.op === "rollback" ? height - depth : height;
    }
    case "time":
      await dev.call("evm_increaseTime", one.seconds);
      return height;
    case "edit":
      await dev.call("hardhat_setBalance", bob, hex(one.wei));
      return height;
    case "wish":
      await dev.call("evm_setBlockGasLimit", hex(one.gasLimit));
      await dev.call("evm_mine");
      return height + 1;
    case "setHead": {
      const target = Math.max(0, height - one.back);
      // what is undone waits in the pool, and would be mined again
      await dev.call("evm_setAutomine", false);
      await dev.call("debug_setHead", hex(target));
      await dev.call("anvil_dropAllTransactions");
      await dev.call("evm_setAutomine", true);
      return target;
    }
    case "reset":
      await dev.call("hardhat_reset");
      snapshots.length = 0;
      return 0;
  }
}

describe("finality of a development chain under any use", function () {
  this.timeout(120_000);

  it("is that of the chain as it is, after each step", async () => {
    const steps = fc.array(step, { minLength: 1, maxLength: STEPS });
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        await using dev = await startDevNode();
        const world: World = { dev, snapshots: [] };
        const { chain, consensus } = dev.node;
        for (const one of all) {
          const height = await take(world, one);
          assert.equal(Number(chain.head.header.number), height, one.op);
          const final = height - (height % EPOCH);
          assert.equal(Number(chain.finalized.header.number), final, one.op);
          assert.ok(chain.isCanonical(chain.finalized.hash));
          assert.equal(consensus?.engine.view.head, chain.head.hash);
          const root = chain.head.header.parentBeaconBlockRoot;
          if (height % EPOCH === 1) assert.equal(root, consensus?.engine.view.finalized.hash);
        }
        assert.deepEqual(await consensus?.evidence(), []);
      }),
      { numRuns: RUNS, seed: Date.now() },
    );
  });
});
