/** Finality of development chains: one validator, the same core as a network's, epochs of six blocks. */
import assert from "node:assert/strict";
import { domainOf } from "../../src/consensus/core/params.ts";
import type { ConsensusQueries } from "../../src/consensus/queries.ts";
import { StartError } from "../../src/consensus/startState.ts";
import { pqVerifier } from "../../src/crypto/pqVerifier.ts";
import { EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import { bytesToHash } from "../../src/primitives/hex.ts";
import type { Block } from "../../src/types/block.ts";
import { consensusMessage, MESSAGE_KIND } from "../../src/types/consensusMessage.ts";
import { parseGenesis } from "../../src/types/genesis.ts";
import { encodeSeal } from "../../src/types/seal.ts";
import { sealOf } from "../../src/types/sealedBlock.ts";
import { hashSidecar } from "../../src/types/sidecar.ts";
import {
  devnetGenesis,
  mineTestBlock,
  networkText,
  openTestChain,
  testTransaction,
} from "../support/chains.ts";
import { runCommand, temporaryFolder } from "../support/cli.ts";
import { type DevNode, startDevNode } from "../support/devNode.ts";

const EPOCH = 6;
const alice = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const bob = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";

async function tags(dev: DevNode): Promise<readonly [number, number, number]> {
  const at = async (tag: string) => {
    const block: unknown = await dev.call("eth_getBlockByNumber", tag, false);
    assert.ok(typeof block === "object" && block !== null && "number" in block);
    return Number(block.number);
  };
  return [await at("latest"), await at("safe"), await at("finalized")];
}

const lastOfEpoch = (number: number) => number - (number % EPOCH);
/** The tags of a chain of one validator: each epoch is final with its last block. */
const tagsAt = (number: number) => [number, lastOfEpoch(number), lastOfEpoch(number)];

/** Whatever the chain says about itself holds: sidecars, seals, beacon, macro headers, certificates. */
function audit({ node }: DevNode): void {
  const { chain } = node;
  const consensus: ConsensusQueries | undefined = node.consensus;
  assert.ok(consensus);
  for (let number = 1n; number <= chain.head.header.number; number++)
    auditBlock(consensus, chain.blockByNumber(number));
  const final = Number(chain.finalized.header.number);
  assert.equal(consensus.engine.view.finalized.header.lastNumber, final);
  const block = chain.blockByNumber(BigInt(final));
  if (final === 0 || block === undefined) return;
  const proof = consensus.finalityProof(block);
  assert.equal(proof?.certificate.macroHash, consensus.engine.view.finalized.hash);
}

function auditBlock(consensus: ConsensusQueries, block: Block | undefined): void {
  assert.ok(block);
  const { number, extraData, parentBeaconBlockRoot } = block.header;
  const found = consensus.sidecar(block);
  assert.ok(found, `block ${number} has a sidecar`);
  const { sealed, epoch } = found;
  assert.equal(bytesToHash(extraData), hashSidecar(sealed.core));
  assert.equal(parentBeaconBlockRoot, consensus.checkpoint(epoch - 1)?.hash);
  const [member] = consensus.validators(epoch) ?? [];
  assert.ok(member?.publicKey && sealed.seal);
  const domain = domainOf(consensus.engine.params);
  const message = consensusMessage(domain, MESSAGE_KIND.seal, encodeSeal(sealOf(sealed)));
  const { publicKey } = member;
  const isSealed = pqVerifier.verify("ML-DSA-44", publicKey, message, sealed.seal, EMPTY_BYTES);
  assert.ok(isSealed, `block ${number} is sealed`);
}

describe("finality of a development chain", function () {
  this.timeout(60_000);

  it("comes with the last block of each epoch, block by block", async () => {
    await using dev = await startDevNode();
    for (let number = 1; number <= 2 * EPOCH + 2; number++) {
      if (number % 2 === 0) await dev.call("evm_mine");
      else {
        await dev.call("eth_sendTransaction", { from: alice, to: bob, value: "0x1" });
        await dev.settled();
      }
      assert.deepEqual(await tags(dev), tagsAt(number));
    }
    audit(dev);
    const { chain } = dev.node;
    assert.equal(chain.headerByNumber(13n)?.parentBeaconBlockRoot !== undefined, true);
    assert.ok((chain.blockByNumber(13n)?.withdrawals ?? []).length > 0, "rewards are minted");
  });

  it("is proved to a light client that has the genesis alone", async () => {
    await using dev = await startDevNode();
    await dev.call("hardhat_mine", "0x14");
    const args = ["light", "verify", "--network", "devnet", "--rpc-url", dev.url, "--json"];
    const { status, stdout } = await runCommand(args);
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).blockNumber, 18);
  });

  it("follows thousands of blocks and a year's jump", async () => {
    await using dev = await startDevNode();
    await dev.call("anvil_mine", "0x400");
    await dev.call("evm_increaseTime", 31_536_000);
    await dev.call("anvil_mine", "0x3", "0x15180");
    assert.deepEqual(await tags(dev), tagsAt(1027));
  });

  it("goes back with a snapshot, over final blocks and to a fork of them", async () => {
    await using dev = await startDevNode();
    await dev.call("hardhat_mine", "0x8");
    const id = await dev.call("evm_snapshot");
    const { hash } = dev.node.chain.finalized;
    await dev.call("hardhat_mine", "0x64");
    assert.deepEqual(await tags(dev), tagsAt(108));
    await dev.call("evm_revert", id);
    assert.deepEqual(await tags(dev), tagsAt(8));
    assert.equal(dev.node.chain.finalized.hash, hash);
    await dev.call("hardhat_setBalance", bob, "0x7");
    await dev.call("hardhat_mine", "0x10");
    assert.deepEqual(await tags(dev), tagsAt(24));
    audit(dev);
    assert.equal((await dev.node.consensus?.evidence())?.length, 0, "nobody contradicts himself");
  });

  it("stays true through reorganisations, roll-backs, a reset and debug_setHead", async () => {
    await using dev = await startDevNode();
    await dev.call("hardhat_mine", "0x20");
    await dev.call("anvil_reorg", 20, []);
    assert.deepEqual(await tags(dev), tagsAt(32));
    audit(dev);
    await dev.call("anvil_rollback", 15);
    assert.deepEqual(await tags(dev), tagsAt(17));
    await dev.call("debug_setHead", "0xa");
    assert.deepEqual(await tags(dev), tagsAt(10));
    await dev.call("hardhat_mine", "0x9");
    audit(dev);
    await dev.call("hardhat_reset");
    assert.deepEqual(await tags(dev), tagsAt(0));
    await dev.call("hardhat_mine", "0x7");
    assert.deepEqual(await tags(dev), tagsAt(7));
    audit(dev);
  });

  it("heeds wishes and edits, and goes on from them", async () => {
    await using dev = await startDevNode();
    const randao = `0x${"ab".repeat(32)}`;
    for (let round = 0; round < 8; round++) {
      await dev.call("hardhat_setPrevRandao", randao);
      await dev.call("hardhat_setNextBlockBaseFeePerGas", "0x77359400");
      await dev.call("evm_setBlockGasLimit", round % 2 === 0 ? "0x1000000" : "0x5000000");
      await dev.call("hardhat_setBalance", bob, `0x${(round + 1).toString(16)}`);
      await dev.call("evm_mine");
      await dev.call("evm_mine");
    }
    const { chain } = dev.node;
    assert.equal(chain.headerByNumber(15n)?.mixHash, randao);
    assert.notEqual(chain.headerByNumber(16n)?.mixHash, randao);
    assert.equal(chain.headerByNumber(16n)?.gasLimit, 0x5000000n);
    assert.deepEqual(await tags(dev), tagsAt(16));
    audit(dev);
  });

  it("does not begin on blocks without seals, and says why", async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/chain`;
    {
      await using old = await openTestChain(devnetGenesis(), { path });
      await mineTestBlock(old.chain);
    }
    await assert.rejects(startDevNode({ databasePath: path }), (error) => {
      assert.ok(error instanceof StartError && error.reason.code === "BLOCK_WITHOUT_SEAL");
      return error.reason.number === 1n;
    });
  });

  it("makes a block once more without the edits that it had as head before", async () => {
    await using dev = await startDevNode();
    const balance = await dev.call("eth_getBalance", bob, "latest");
    const id = await dev.call("evm_snapshot");
    const { timestamp } = dev.node.chain.head.header;
    const at = Number(timestamp) + 1_000;
    await dev.call("evm_mine", at);
    const { hash } = dev.node.chain.head;
    await dev.call("hardhat_setBalance", bob, "0x7");
    await dev.call("evm_revert", id);
    await dev.call("evm_mine", at);
    assert.equal(dev.node.chain.head.hash, hash);
    assert.equal(await dev.call("eth_getBalance", bob, "latest"), balance);
  });

  it("is the same after a restart at any block of an epoch, also after going back", async () => {
    using folder = temporaryFolder();
    const databasePath = `${folder.path}/chain`;
    for (let number = 1; number <= 2 * EPOCH + 1; number++) {
      await using dev = await startDevNode({ databasePath });
      assert.deepEqual(await tags(dev), tagsAt(number - 1));
      await dev.call("evm_mine");
    }
    {
      await using dev = await startDevNode({ databasePath });
      const id = await dev.call("evm_snapshot");
      await dev.call("hardhat_mine", "0xc8");
      await dev.call("evm_revert", id);
    }
    await using dev = await startDevNode({ databasePath });
    assert.deepEqual(await tags(dev), tagsAt(13));
    await dev.call("hardhat_mine", "0x5");
    assert.deepEqual(await tags(dev), tagsAt(18));
    audit(dev);
  });

  it("comes in interval mode too, also where blocks share a second", async () => {
    const json = JSON.parse(networkText("devnet"));
    json.config.qnet.consensus.tickMs = 20;
    await using dev = await startDevNode({
      genesis: parseGenesis(json),
      producer: { mode: "interval", blockTimeMs: 20 },
    });
    const { chain, pool } = dev.node;
    const deadlineMs = performance.now() + 30_000;
    const seconds = new Set<bigint>();
    for (let nonce = 0; chain.head.header.number < 20n; nonce++) {
      assert.ok(performance.now() < deadlineMs, "blocks come");
      await pool.add(testTransaction(chain, 0, nonce).raw, "local");
      await new Promise((resolve) => setTimeout(resolve, 20));
      seconds.add(chain.head.header.timestamp);
    }
    assert.ok(seconds.size < 20, "blocks share seconds");
    await dev.call("evm_setIntervalMining", 0);
    const [latest, , finalized] = await tags(dev);
    assert.deepEqual([latest, finalized], [latest, lastOfEpoch(latest)]);
    audit(dev);
  });
});
