/** The Solidity verifier on what the node's own codecs and tries make, and the gas of a hundred validators. */
import assert from "node:assert/strict";
import {
  decodeErrorResult,
  decodeFunctionResult,
  encodeDeployData,
  encodeFunctionData,
} from "viem";
import { inclusionOf } from "../../../src/consensus/finalityProof.ts";
import type { LightBlock } from "../../../src/consensus/light.ts";
import { pqVerifier } from "../../../src/crypto/pqVerifier.ts";
import { type Address, bytesToHex, hexToBytes } from "../../../src/primitives/hex.ts";
import { orderedTrieProof } from "../../../src/state/orderedTrie.ts";
import { signersOf } from "../../../src/types/certificate.ts";
import { encodeHeader } from "../../../src/types/header.ts";
import { encodeMacroHeader, microRootOf } from "../../../src/types/macroHeader.ts";
import { hashValidators, type Members } from "../../../src/types/validatorSet.ts";
import {
  mineTestBlock,
  openTestChain,
  plainGenesis,
  testTransaction,
} from "../../support/chains.ts";
import { type Artifact, compileContract } from "../../support/compile.ts";
import { certify, headersOf, member, networkOf } from "../../support/lightChain.ts";
import { ownerOf, StakingChain } from "../../support/stakingChain.ts";
import { MIN } from "../../support/stakingScene.ts";

const NETWORK = networkOf(pqVerifier);

class Client {
  readonly #chain: StakingChain;
  readonly #artifact: Artifact;
  readonly #address: Address;

  private constructor(chain: StakingChain, artifact: Artifact, address: Address) {
    this.#chain = chain;
    this.#artifact = artifact;
    this.#address = address;
  }

  static async deploy(epoch: number, members: Members): Promise<Client> {
    const chain = await StakingChain.create({ stakes: [MIN] });
    const artifact = await compileContract("contracts/samples/FinalityClient.sol");
    const { chainId, salt } = NETWORK;
    const args = [{ chainId, salt }, BigInt(epoch), hashValidators(members), 0n];
    const { abi, bytecode } = artifact;
    const data = hexToBytes(encodeDeployData({ abi, bytecode, args }));
    const { contractAddress, failure } = await chain.call(ownerOf(0), undefined, data);
    assert.equal(failure, undefined);
    assert.ok(contractAddress);
    return new Client(chain, artifact, contractAddress);
  }

  /** Result, or the error's name, and gas. */
  async call(functionName: string, args: readonly unknown[]) {
    const { abi } = this.#artifact;
    const data = hexToBytes(encodeFunctionData({ abi, functionName, args }));
    const outcome = await this.#chain.call(ownerOf(0), this.#address, data);
    const returned = bytesToHex(outcome.returnData);
    if (outcome.failure !== undefined) {
      const error =
        returned.length === 2
          ? outcome.failure
          : decodeErrorResult({ abi, data: returned }).errorName;
      return { error, value: undefined, gasUsed: outcome.gasUsed };
    }
    const value = decodeFunctionResult({ abi, functionName, data: returned });
    return { error: undefined, value, gasUsed: outcome.gasUsed };
  }

  advance(block: LightBlock) {
    return this.call("advance", advanceArgs(block));
  }
}

function advanceArgs({ header, certificate, validators }: LightBlock): readonly unknown[] {
  const { members, keys } = validators;
  const signers = new Set(signersOf(certificate.bitmap, members, "test"));
  const publicKeys = members
    .filter(({ id }) => signers.has(id))
    .map(({ keyHash }) => bytesToHex(keys.get(keyHash) ?? new Uint8Array(0)));
  return [
    bytesToHex(encodeMacroHeader(header)),
    members,
    {
      bitmap: bytesToHex(certificate.bitmap),
      publicKeys,
      signatures: certificate.signatures.map(bytesToHex),
    },
  ];
}

/** Ids that sign with their own keys. */
function signing(ids: readonly number[]): Map<number, number> {
  return new Map(ids.map((id) => [id, id]));
}

describe("FinalityClient on the node's own objects", function () {
  this.timeout(300_000);

  it("takes what the codecs make, epoch by epoch, through a hand-off", async () => {
    const [a, b] = [
      [0, 1, 2, 3],
      [3, 4, 5, 6],
    ].map((ids) => ids.map((id) => member(id)));
    assert.ok(a && b);
    const joint = [...new Map([...a, ...b].map((one) => [one.id, one])).values()]
      .sort((x, y) => x.id - y.id)
      .map((one) => ({
        ...one,
        stakeOld: a.some(({ id }) => id === one.id) ? one.stakeOld : 0n,
        stakeNew: b.some(({ id }) => id === one.id) ? one.stakeNew : 0n,
      }));
    const setOf = (epoch: number) => (epoch < 4 ? a : epoch < 6 ? joint : b);
    const headers = headersOf(9, setOf);
    const client = await Client.deploy(1, a);
    const advance = async (epoch: number, ids: readonly number[]) => {
      const header = headers[epoch];
      assert.ok(header);
      return client.advance(await certify(NETWORK, header, setOf(epoch), signing(ids)));
    };
    assert.equal((await advance(1, [0, 1, 2])).error, undefined);
    assert.equal((await advance(3, [0, 1, 3])).error, undefined);
    // a quorum of the old set alone, of the new set alone, and of both
    assert.equal((await advance(4, [0, 1, 2])).error, "NoQuorum");
    assert.equal((await advance(4, [3, 4, 5])).error, "NoQuorum");
    assert.equal((await advance(4, [0, 1, 3, 4, 5])).error, undefined);
    // epoch 8 is known only after 6 or 7
    assert.equal((await advance(8, [3, 4, 5])).error, "UnknownValidators");
    assert.equal((await advance(6, [3, 4, 5])).error, undefined);
    assert.equal((await advance(8, [3, 4, 5])).error, undefined);
  });

  it("finds transactions in tries of many, and the proof of none", async () => {
    const { chain } = await openTestChain(plainGenesis());
    const blocks = [];
    for (let block = 0; block < 3; block++) {
      const transactions = Array.from({ length: 140 }, (_, nonce) =>
        testTransaction(chain, 0, 140 * block + nonce),
      );
      blocks.push(await mineTestBlock(chain, transactions));
    }
    const members = [member(0)];
    const [, template] = headersOf(2, () => members);
    const last = blocks.at(-1);
    assert.ok(template && last);
    const hashes = blocks.map(({ hash }) => hash);
    const header = {
      ...template,
      firstNumber: 1,
      lastNumber: 3,
      microRoot: microRootOf(hashes),
      stateRoot: last.header.stateRoot,
    };
    const client = await Client.deploy(1, members);
    const block = await certify(NETWORK, header, members, signing([0]));
    assert.equal((await client.advance(block)).error, undefined);
    const raw = last.transactions.map((one) => one.raw);
    const read = (index: number, siblings: readonly string[]) =>
      client.call("transactionAt", [
        last.header.number,
        bytesToHex(encodeHeader(last.header)),
        siblings,
        BigInt(index),
        orderedTrieProof(raw, index).map(bytesToHex),
      ]);
    const siblings = inclusionOf(hashes, 2);
    for (const index of [0, 1, 127, 128, 139]) {
      const { value } = await read(index, siblings);
      assert.equal(value, bytesToHex(raw[index] ?? new Uint8Array(0)), `transaction ${index}`);
    }
    for (const wrong of [siblings.slice(1), [...siblings, ...siblings], siblings.toReversed()])
      assert.equal((await read(0, wrong)).error, "NotFinal");
    const proof = orderedTrieProof(raw, 5).map(bytesToHex);
    const args = [last.header.number, bytesToHex(encodeHeader(last.header)), siblings, 6n];
    assert.equal((await client.call("transactionAt", [...args, proof])).error, "BadProof");
  });

  it("takes 67 acks of 100 validators in one transaction below EIP-7825's 2^24 gas", async () => {
    const members = Array.from({ length: 100 }, (_, id) => member(id));
    const [, header] = headersOf(2, () => members);
    assert.ok(header);
    const client = await Client.deploy(1, members);
    const ids = Array.from({ length: 67 }, (_, id) => id);
    const { error, gasUsed } = await client.advance(
      await certify(NETWORK, header, members, signing(ids)),
    );
    assert.equal(error, undefined);
    assert.ok(gasUsed > 8_000_000n && gasUsed < 2n ** 24n, `${gasUsed}`);
  });
});
