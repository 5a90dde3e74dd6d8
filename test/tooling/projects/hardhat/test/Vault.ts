import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { network } from "hardhat";
import { getAddress, numberToHex, parseEther } from "viem";

const { networkHelpers, provider, viem } = await network.create();
const { loadFixture, time } = networkHelpers;
const client = await viem.getPublicClient();
const [owner, other] = await viem.getWalletClients();
const stranger = getAddress(numberToHex(0xda017n, { size: 20 }));

async function lockedVault() {
  const unlockTime = BigInt((await time.latest()) + time.duration.days(365));
  const amount = parseEther("1");
  const vault = await viem.deployContract("Vault", [unlockTime], { value: amount });
  return { vault, unlockTime, amount };
}

describe("Vault", () => {
  it("keeps its owner, its time and its coins", async () => {
    const { vault, unlockTime, amount } = await loadFixture(lockedVault);
    assert.equal(await vault.read.unlockTime(), unlockTime);
    assert.equal(await vault.read.owner(), getAddress(owner.account.address));
    assert.equal(await client.getBalance({ address: vault.address }), amount);
  });

  it("refuses a time that has passed", async () => {
    const past = BigInt(await time.latest());
    await assert.rejects(
      viem.deployContract("Vault", [past], { value: 1n }),
      /Unlock time should be in the future/,
    );
  });

  it("opens for nobody before its time", async () => {
    const { vault } = await loadFixture(lockedVault);
    await viem.assertions.revertWithCustomError(vault.write.withdraw(), vault, "TooEarly");
  });

  it("opens at its time, for its owner alone", async () => {
    const { vault, unlockTime } = await loadFixture(lockedVault);
    await time.increaseTo(unlockTime);
    await viem.assertions.revertWith(
      vault.write.withdraw({ account: other.account }),
      "You aren't the owner",
    );
  });

  it("pays its owner once the time has passed", async () => {
    const { vault, unlockTime, amount } = await loadFixture(lockedVault);
    await time.setNextBlockTimestamp(unlockTime);
    await viem.assertions.emitWithArgs(vault.write.withdraw(), vault, "Withdrawn", [
      amount,
      unlockTime,
    ]);
    assert.equal(await vault.read.withdrawals(), 1n);
    assert.equal(await client.getBalance({ address: vault.address }), 0n);
  });

  it("moves its coins in one transaction", async () => {
    const { vault, unlockTime, amount } = await loadFixture(lockedVault);
    await time.increaseTo(unlockTime);
    await viem.assertions.balancesHaveChanged(vault.write.withdraw(), [
      { address: vault.address, amount: -amount },
    ]);
  });
});

describe("network helpers", () => {
  it("time.increase, time.latest, time.latestBlock", async () => {
    const [start, height] = [await time.latest(), await time.latestBlock()];
    const reached = await time.increase(3600);
    assert.ok(reached >= start + 3600 && reached < start + 3660);
    assert.deepEqual([await time.latest(), await time.latestBlock()], [reached, height + 1]);
  });

  it("mine, mineUpTo", async () => {
    const [start, height] = [await time.latest(), await time.latestBlock()];
    await networkHelpers.mine(3, { interval: 60 });
    assert.equal(await time.latestBlock(), height + 3);
    assert.ok((await time.latest()) >= start + 120);
    await networkHelpers.mineUpTo(height + 10);
    assert.equal(await time.latestBlock(), height + 10);
    await networkHelpers.mine(1_000);
    assert.equal(await time.latestBlock(), height + 1_010);
  });

  it("setBalance, setNonce, setCode, setStorageAt, getStorageAt", async () => {
    await networkHelpers.setBalance(stranger, 77n);
    await networkHelpers.setNonce(stranger, 5);
    await networkHelpers.setCode(stranger, "0x602a5f5260205ff3");
    await networkHelpers.setStorageAt(stranger, 2, 9);
    assert.equal(await client.getBalance({ address: stranger }), 77n);
    assert.equal(await client.getTransactionCount({ address: stranger }), 5);
    assert.equal(BigInt((await client.call({ to: stranger })).data ?? "0x0"), 42n);
    assert.equal(BigInt(await networkHelpers.getStorageAt(stranger, 2)), 9n);
  });

  it("setPrevRandao, setCoinbase, setBlockGasLimit, setNextBlockBaseFeePerGas", async () => {
    const { vault } = await loadFixture(lockedVault);
    const { gasLimit } = await client.getBlock();
    await networkHelpers.setPrevRandao(1234);
    await networkHelpers.setCoinbase(stranger);
    await networkHelpers.setBlockGasLimit(12_345_678);
    await networkHelpers.setNextBlockBaseFeePerGas(4321);
    await networkHelpers.mine();
    const { baseFeePerGas, number } = await client.getBlock();
    assert.equal(baseFeePerGas, 4321n);
    assert.deepEqual(await vault.read.environment({ blockNumber: number }), [
      1234n,
      stranger,
      12_345_678n,
    ]);
    await networkHelpers.setBlockGasLimit(gasLimit);
  });

  it("impersonateAccount, stopImpersonatingAccount", async () => {
    const { vault, unlockTime } = await loadFixture(lockedVault);
    await time.increaseTo(unlockTime);
    await networkHelpers.impersonateAccount(vault.address);
    const asVault = await viem.getWalletClient(vault.address);
    const hash = await asVault.sendTransaction({ to: stranger, value: 1n, gasPrice: 10n ** 10n });
    await client.waitForTransactionReceipt({ hash });
    assert.equal(await client.getTransactionCount({ address: vault.address }), 2);
    await networkHelpers.stopImpersonatingAccount(vault.address);
    await assert.rejects(asVault.sendTransaction({ to: stranger, value: 1n }));
  });

  it("dropTransaction", async () => {
    await provider.request({ method: "evm_setAutomine", params: [false] });
    const hash = await other.sendTransaction({ to: stranger, value: 1n });
    assert.equal(await networkHelpers.dropTransaction(hash), true);
    await provider.request({ method: "evm_setAutomine", params: [true] });
    await networkHelpers.mine();
    await assert.rejects(client.getTransactionReceipt({ hash }));
  });

  it("takeSnapshot, restore, clearSnapshots", async () => {
    const snapshot = await networkHelpers.takeSnapshot();
    const [start, height] = [await time.latest(), await time.latestBlock()];
    await networkHelpers.setBalance(stranger, 1234n);
    await time.increase(1_000_000);
    await snapshot.restore();
    assert.deepEqual([await time.latest(), await time.latestBlock()], [start, height]);
    assert.notEqual(await client.getBalance({ address: stranger }), 1234n);
    networkHelpers.clearSnapshots();
  });
});

describe("an account of one's own key", () => {
  it("signs, deploys and pays", async () => {
    const signed = await network.create("signed");
    const [wallet] = await signed.viem.getWalletClients();
    const unlockTime = BigInt((await time.latest()) + 60);
    const vault = await signed.viem.deployContract("Vault", [unlockTime], { value: 5n });
    assert.equal(await vault.read.owner(), getAddress(wallet.account.address));
    await time.increaseTo(unlockTime);
    await signed.viem.assertions.emit(vault.write.withdraw(), vault, "Withdrawn");
  });
});
