import assert from "node:assert/strict";
import { HeadStates } from "../../../rpc/headStates.ts";
import { TEST_ADDRESSES } from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";

const [account = "0x"] = TEST_ADDRESSES;
/** Gives the first slot and then sets it to 1. */
const COUNTER = "0x6000546001600055 60005260206000f3".replaceAll(" ", "");
const CODE_ADDRESS = `0x${"c0de".padStart(40, "0")}`;

describe("HeadStates", () => {
  let dev: DevNode;
  before(async () => {
    dev = await startDevNode();
  });
  after(() => dev[Symbol.asyncDispose]());

  it("reads the head as it is: after blocks, edits and snapshots", async () => {
    const balance = () => dev.call("eth_getBalance", account, "latest");
    const snapshot = await dev.call("evm_snapshot");
    const before = await balance();
    await dev.call("hardhat_setBalance", account, "0x5");
    assert.equal(await balance(), "0x5");
    await dev.call("evm_mine");
    assert.equal(await balance(), "0x5");
    await dev.call("evm_revert", snapshot);
    assert.equal(await balance(), before);
  });

  it("gives each call the state of the block, whatever calls before it wrote", async () => {
    await dev.call("hardhat_setCode", CODE_ADDRESS, COUNTER);
    const call = (...more: readonly unknown[]) =>
      dev.call("eth_call", { to: CODE_ADDRESS }, "latest", ...more);
    const zero = `0x${"00".repeat(32)}`;
    const seven = `0x${"07".padStart(64, "0")}`;
    for (let i = 0; i < 3; i++) assert.equal(await call(), zero);
    assert.equal(await call({ [CODE_ADDRESS]: { stateDiff: { [zero]: seven } } }), seven);
    assert.equal(await call(), zero);
    const many = await Promise.all(Array.from({ length: 20 }, () => call()));
    assert.ok(many.every((one) => one === zero));
    await dev.call("hardhat_setStorageAt", CODE_ADDRESS, "0x0", seven);
    assert.equal(await call(), seven);
  });

  it("gives each estimate the state of the pending block, whatever tries before it wrote", async () => {
    const estimate = () => dev.call("eth_estimateGas", { to: CODE_ADDRESS });
    const zero = `0x${"00".repeat(32)}`;
    await dev.call("hardhat_setCode", CODE_ADDRESS, COUNTER);
    await dev.call("hardhat_setStorageAt", CODE_ADDRESS, "0x0", zero);
    const first = Number(await estimate());
    for (let i = 0; i < 3; i++) assert.equal(Number(await estimate()), first);
    await dev.call("hardhat_setStorageAt", CODE_ADDRESS, "0x0", `0x${"07".padStart(64, "0")}`);
    // no slot is filled any more
    assert.ok(Number(await estimate()) < first - 10_000);
  });

  it("hands a State out once at a time, and keeps it for the same root only", async () => {
    const { chain } = dev.node;
    const states = new HeadStates(chain);
    const first = states.take(chain.head.hash);
    const second = states.take(chain.head.hash);
    assert.notEqual(first.state, second.state);
    first.home?.giveBack(first);
    assert.equal(states.take(chain.head.hash).state, first.state);
    first.home?.giveBack(first);
    await dev.call("hardhat_setBalance", account, "0x6");
    assert.notEqual(states.take(chain.head.hash).state, first.state);
  });

  it("lets go of a State whose calls have met much", () => {
    const { chain } = dev.node;
    const states = new HeadStates(chain);
    const own = states.take(chain.head.hash);
    own.gas += 30_000_000n;
    own.home?.giveBack(own);
    assert.notEqual(states.take(chain.head.hash).state, own.state);
  });

  it("does not read again from a State that threw", () => {
    const { chain } = dev.node;
    const states = new HeadStates(chain);
    const seen = new Set<unknown>();
    const { hash } = chain.head;
    states.read(hash, (state) => seen.add(state));
    states.read(hash, (state) => seen.add(state));
    assert.equal(seen.size, 1);
    assert.throws(() =>
      states.read(hash, () => {
        throw new RangeError("a missing node");
      }),
    );
    states.read(hash, (state) => seen.add(state));
    assert.equal(seen.size, 2);
  });
});
