// Runs on a QNet node: `npx hardhat test --network devnet` beside `npm start`.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import { parseEther } from "viem";

const { viem } = await network.create();
const [owner, friend] = await viem.getWalletClients();
const supply = parseEther("1000");

describe("SampleToken", () => {
  it("gives the whole supply to its deployer", async () => {
    const token = await viem.deployContract("SampleToken", [supply]);
    assert.equal(await token.read.totalSupply(), supply);
    assert.equal(await token.read.balanceOf([owner.account.address]), supply);
  });

  it("moves tokens and says so in an event", async () => {
    const token = await viem.deployContract("SampleToken", [supply]);
    await viem.assertions.emitWithArgs(
      token.write.transfer([friend.account.address, 5n]),
      token,
      "Transfer",
      [owner.account.address, friend.account.address, 5n],
    );
    assert.equal(await token.read.balanceOf([friend.account.address]), 5n);
  });

  it("refuses to move more than there is, naming both amounts", async () => {
    const token = await viem.deployContract("SampleToken", [supply]);
    await viem.assertions.revertWithCustomErrorWithArgs(
      token.write.transfer([owner.account.address, 1n], { account: friend.account }),
      token,
      "InsufficientBalance",
      [friend.account.address, 0n, 1n],
    );
  });

  it("lets a spender move what was approved, once", async () => {
    const token = await viem.deployContract("SampleToken", [supply]);
    await token.write.approve([friend.account.address, 7n]);
    const take = [owner.account.address, friend.account.address, 7n] as const;
    await token.write.transferFrom([...take], { account: friend.account });
    assert.equal(await token.read.allowance([owner.account.address, friend.account.address]), 0n);
    await viem.assertions.revertWithCustomError(
      token.write.transferFrom([...take], { account: friend.account }),
      token,
      "InsufficientAllowance",
    );
  });
});
