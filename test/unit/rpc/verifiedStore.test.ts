import assert from "node:assert/strict";
import { compileContract } from "../../../rpc/verify/compiler.ts";
import { type Verified, VerifiedStore } from "../../../rpc/verify/verifiedStore.ts";
import { type Address, parseAddress } from "../../../src/primitives/hex.ts";
import { columns } from "../../../src/storage/columns.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { TEST_ADDRESSES } from "../../support/chains.ts";
import { startDevNode } from "../../support/devNode.ts";
import { temporaryFolder } from "../../support/runTool.ts";

const addressOf = (index: number): Address =>
  parseAddress(`0x${index.toString(16).padStart(40, "0")}`);
const verified = (verifiedAtMs: number, content = "contract A {}"): Verified => ({
  match: "match",
  runtimeMatch: "match",
  verifiedAtMs,
  request: {
    compilerVersion: "0.8.37",
    input: { sources: { "A.sol": { content } } },
    path: "A.sol",
    name: "A",
  },
  contract: {
    abi: [],
    metadata: "{}",
    evm: { bytecode: { object: "60" }, deployedBytecode: { object: "00" } },
  },
  codeHash: "0x00",
});

describe("VerifiedStore", () => {
  it("gives to the next process what this one kept, and of each address the last", async () => {
    await using folder = await temporaryFolder();
    {
      await using database = await openDatabase({ path: folder.path });
      const store = new VerifiedStore(database);
      await store.set(addressOf(1), verified(1));
      await store.set(addressOf(1), verified(2, "contract A { } // ünïcode"));
      await store.set(addressOf(2), verified(3));
    }
    await using database = await openDatabase({ path: folder.path });
    const store = new VerifiedStore(database);
    assert.deepEqual(store.get(addressOf(1)), verified(2, "contract A { } // ünïcode"));
    assert.deepEqual(store.get(addressOf(2)), verified(3));
    assert.equal(store.get(addressOf(3)), undefined);
    assert.equal((await database.measure(columns.verified)).entries, 2);
  });

  it("drops the oldest of this and earlier processes, in memory and on disk", async () => {
    await using folder = await temporaryFolder();
    const limits = { entries: 3, bytes: 1 << 20 };
    {
      await using database = await openDatabase({ path: folder.path });
      const store = new VerifiedStore(database, limits);
      // the order of addresses is not that of times
      for (const [index, atMs] of [
        [9, 10],
        [1, 30],
        [5, 20],
      ] as const)
        await store.set(addressOf(index), verified(atMs));
    }
    await using database = await openDatabase({ path: folder.path });
    const store = new VerifiedStore(database, limits);
    assert.notEqual(store.get(addressOf(9)), undefined);
    await store.set(addressOf(7), verified(40));
    assert.equal(store.get(addressOf(9)), undefined);
    await store.set(addressOf(8), verified(50));
    const left = [1, 5, 7, 8, 9].filter((index) => store.get(addressOf(index)) !== undefined);
    assert.deepEqual(left, [1, 7, 8]);
    assert.equal((await database.measure(columns.verified)).entries, 3);
  });

  it("keeps within its bytes, but always the newest", async () => {
    await using folder = await temporaryFolder();
    await using database = await openDatabase({ path: folder.path });
    const store = new VerifiedStore(database, { entries: 100, bytes: 10_000 });
    const large = "x".repeat(4_000);
    for (const index of [1, 2, 3]) await store.set(addressOf(index), verified(index, large));
    assert.equal((await database.measure(columns.verified)).entries, 2);
    assert.equal(store.get(addressOf(1)), undefined);
    await store.set(addressOf(4), verified(4, "x".repeat(20_000)));
    assert.equal((await database.measure(columns.verified)).entries, 1);
    assert.equal(store.get(addressOf(4))?.verifiedAtMs, 4);
  });

  it("writes nothing to a database in memory", async () => {
    await using database = await openDatabase();
    const store = new VerifiedStore(database);
    await store.set(addressOf(1), verified(1));
    assert.equal(store.get(addressOf(1))?.verifiedAtMs, 1);
    assert.equal((await database.measure(columns.verified)).entries, 0);
  });
});

describe("verified contracts over a restart", function () {
  this.timeout(120_000);
  const path = "src/Box.sol";
  const input = {
    language: "Solidity",
    sources: { [path]: { content: "pragma solidity ^0.8.0; contract Box { uint256 public v; }" } },
  };

  it("are known to a node that starts on the same folder, until the code changes", async () => {
    await using folder = await temporaryFolder();
    const options = { databasePath: folder.path };
    let address = "";
    let before: unknown;
    const lookUp = async (url: string) =>
      (await fetch(`${url}/v2/contract/31337/${address}?fields=all`)).json();
    {
      await using dev = await startDevNode(options);
      const asked = { compilerVersion: "0", input, path, name: "Box" };
      const refusal = await compileContract(asked, new AbortController().signal).catch(Object);
      const { version } = refusal.reason;
      const made = await compileContract(
        { ...asked, compilerVersion: version },
        new AbortController().signal,
      );
      const data = `0x${made.evm.bytecode.object}`;
      const hash = await dev.call("eth_sendTransaction", { from: TEST_ADDRESSES[0], data });
      address = Object(await dev.call("eth_getTransactionReceipt", hash)).contractAddress;
      const response = await fetch(`${dev.url}/v2/verify/31337/${address}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          stdJsonInput: input,
          compilerVersion: version,
          contractIdentifier: `${path}:Box`,
        }),
      });
      const { verificationId } = Object(await response.json());
      const job = async () =>
        Object(await (await fetch(`${dev.url}/v2/verify/${verificationId}`)).json());
      while (!(await job()).isJobCompleted) await new Promise((resolve) => setTimeout(resolve, 50));
      before = await lookUp(dev.url);
      assert.equal(Object(before).match, "exact_match");
    }
    await using dev = await startDevNode(options);
    assert.deepEqual(await lookUp(dev.url), before);
    await dev.call("hardhat_setCode", address, "0x6001");
    assert.equal(Object(await lookUp(dev.url)).match, null);
  });
});
