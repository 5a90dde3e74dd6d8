import assert from "node:assert/strict";
import { baseFeeOfNextSlot } from "../../../src/consensus/slotFee.ts";
import { quietScenario } from "../../simulation/scenario.ts";
import { World } from "../../simulation/world.ts";

describe("baseFeeOfNextSlot", () => {
  const world = new World(
    quietScenario(5, { validators: 4, durationMs: 60_000, load: [10_000, 500, 0] }),
  );
  world.run();
  const blocks = world.nodes[0]?.disk.blocks;
  assert.ok(blocks !== undefined);
  const sources = {
    chain: {
      header: (hash: Parameters<typeof blocks.get>[0]) => blocks.get(hash)?.block.block.header,
    },
    store: { sidecar: (hash: Parameters<typeof blocks.get>[0]) => blocks.get(hash)?.block.core },
    params: world.params,
  };

  it("is what the core gave the first block of each slot", () => {
    let busy = 0;
    for (const { block } of blocks.values()) {
      const parent = blocks.get(block.block.header.parentHash);
      if (parent === undefined || block.core.seq > 0) continue;
      assert.equal(
        baseFeeOfNextSlot(sources, parent.block.block),
        block.block.header.baseFeePerGas,
      );
      if (parent.block.core.seq > 0) busy++;
    }
    assert.ok(busy > 3, "slots with several blocks are among them");
  });
});
