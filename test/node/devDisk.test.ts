import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lookInside } from "../../src/node/devLog.ts";
import { StorageError } from "../../src/storage/storageError.ts";
import { startDevNode } from "../support/devNode.ts";

const bob = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
const stranger = "0x00000000000000000000000000000000000abcde";

describe("a development node on disk", () => {
  let databasePath: string;
  beforeEach(async () => {
    databasePath = await mkdtemp(join(tmpdir(), "qnet-dev-"));
  });
  afterEach(() => rm(databasePath, { recursive: true, force: true }));

  it("keeps edits, impersonated senders, history and names over a restart", async () => {
    let dump: unknown;
    {
      await using dev = await startDevNode({ databasePath });
      await dev.call("hardhat_setBalance", stranger, "0xde0b6b3a7640000");
      await dev.call("hardhat_setCode", stranger, "0x6001");
      await dev.call("hardhat_impersonateAccount", stranger);
      await dev.call("eth_sendTransaction", { from: stranger, to: bob, value: "0x1" });
      await dev.settled();
      await dev.call("hardhat_setNextBlockBaseFeePerGas", "0x77359400");
      await dev.call("evm_mine");
      await dev.call("hardhat_setStorageAt", stranger, "0x1", "0x9");
      dump = await dev.call("anvil_dumpState");
    }
    await using dev = await startDevNode({ databasePath });
    assert.equal(await dev.call("eth_blockNumber"), "0x2");
    const value = await dev.call("eth_getStorageAt", stranger, "0x1", "latest");
    assert.equal(BigInt(String(value)), 9n);
    assert.equal(await dev.call("eth_getStorageAt", stranger, "0x1", "0x1"), `0x${"0".repeat(64)}`);
    const block = dev.node.chain.blockByNumber(1n);
    assert(block !== undefined);
    const { chain } = dev.node;
    const shown = await dev.call("eth_getTransactionByHash", block.transactions[0]?.hash);
    assert(typeof shown === "object" && shown !== null && "from" in shown);
    assert.equal(shown.from, stranger);
    // the block can be executed again on the state that the edits had made
    const [insight] = await lookInside(chain, block);
    assert.deepEqual(insight, { failure: undefined, printed: [] });
    assert.equal(await dev.call("anvil_dumpState"), dump);
    await dev.call("evm_mine");
    assert.equal(BigInt(String(await dev.call("eth_getStorageAt", stranger, "0x1"))), 9n);
  });

  it("tells whoever started it when blocks cannot be written any more", async () => {
    const fatal = Promise.withResolvers<Error>();
    const dev = await startDevNode({ databasePath, onFatal: fatal.resolve });
    try {
      await dev.node.database.close();
      await assert.rejects(dev.call("evm_mine"));
      const error = await fatal.promise;
      assert(error instanceof StorageError);
      assert.equal(error.reason.code, "CLOSED");
    } finally {
      await dev[Symbol.asyncDispose]();
    }
  });
});
