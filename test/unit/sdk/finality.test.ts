import assert from "node:assert/strict";
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
import { bytesToHex, type Hex, keccak256 } from "viem";
import {
  type FinalityProof,
  type FinalityValidator,
  hashValidators,
  verifyBlock,
  verifyFinality,
} from "../../../sdk/finality.ts";
import { ProofError } from "../../../sdk/trieProof.ts";
import { bigIntToHash, hexToBytes, parseHash, ZERO_HASH } from "../../../src/primitives/hex.ts";
import { encodeAckQC, makeAckQC } from "../../../src/types/certificate.ts";
import { consensusMessage, MESSAGE_KIND } from "../../../src/types/consensusMessage.ts";
import {
  encodeMacroHeader,
  hashMacroHeader,
  type MacroHeader,
  microRootOf,
} from "../../../src/types/macroHeader.ts";
import { merkleProof } from "../../../src/types/merkle.ts";
import * as members from "../../../src/types/validatorSet.ts";
import { encodeAck } from "../../../src/types/vote.ts";

const network = { chainId: 31_337, salt: bigIntToHash(0x11n) };
const domain = { chainId: 31_337n, salt: network.salt };
const keys = Array.from({ length: 4 }, (_, index) =>
  ml_dsa44.keygen(new Uint8Array(32).fill(index + 1)),
);
const blocks = Array.from({ length: 90 }, (_, index) => bigIntToHash(BigInt(index + 1)));

/** Stakes by validator; the same in both sets unless a second list is given. */
function proofOf(
  signers: readonly number[],
  stakes: readonly (readonly [bigint, bigint])[] = [1n, 1n, 1n, 1n].map((stake) => [stake, stake]),
): FinalityProof & { readonly macro: MacroHeader } {
  const validators: FinalityValidator[] = stakes.map(([stakeOld, stakeNew], index) => ({
    id: index + 10,
    stakeOld,
    stakeNew,
    publicKey: bytesToHex(keys[index]?.publicKey as Uint8Array),
  }));
  const set = validators.map(({ publicKey, ...rest }) => ({
    ...rest,
    keyHash: parseHash(keccak256(publicKey)),
  }));
  const validatorsHash = members.hashValidators(set);
  const macro: MacroHeader = {
    epoch: 7,
    parentMacroHash: bigIntToHash(6n),
    firstNumber: 541,
    lastNumber: 630,
    lastBlockHash: bigIntToHash(90n),
    stateRoot: bigIntToHash(3n),
    microRoot: microRootOf(blocks),
    timeMs: 1_800_000_000_000,
    mix: bigIntToHash(4n),
    finalizedEpoch: 5,
    handoff: 0,
    validatorsHash,
    nextValidatorsHash: validatorsHash,
    afterNextValidatorsHash: ZERO_HASH,
    summaryHash: bigIntToHash(5n),
  };
  const macroHash = hashMacroHeader(macro);
  const acks = new Map(
    signers.map((index) => {
      const ack = { validator: index + 10, epoch: 7, macroHash };
      const message = consensusMessage(domain, MESSAGE_KIND.ack, encodeAck(ack));
      const signature = ml_dsa44.sign(message, keys[index]?.secretKey as Uint8Array);
      return [ack.validator, { ack, signature }];
    }),
  );
  return {
    network,
    validatorsHash,
    validators,
    header: bytesToHex(encodeMacroHeader(macro)),
    certificate: bytesToHex(encodeAckQC(makeAckQC(set, acks))),
    macro,
  };
}

describe("verifyFinality", () => {
  it("reads what the node certified, and names the sets of the next epochs", () => {
    const { macro, ...proof } = proofOf([0, 1, 3]);
    const read = verifyFinality(proof);
    assert.equal(read.hash, hashMacroHeader(macro));
    assert.deepEqual(
      [read.epoch, read.stateRoot, read.microRoot, read.lastNumber],
      [7, macro.stateRoot, macro.microRoot, 630],
    );
    assert.deepEqual(read.validatorsHashes, [
      proof.validatorsHash,
      proof.validatorsHash,
      ZERO_HASH,
    ]);
  });

  it("demands two thirds of the stake, of both sets in a hand-off", () => {
    assert.throws(() => verifyFinality(proofOf([0, 1])), /two thirds/);
    const joint = [
      [1n, 0n],
      [1n, 1n],
      [1n, 1n],
      [0n, 1n],
    ] as const;
    assert.throws(() => verifyFinality(proofOf([0, 1], joint)), /two thirds/);
    assert.equal(verifyFinality(proofOf([1, 2], joint)).epoch, 7);
  });

  it("refuses other validators, another header, another network and forged signatures", () => {
    const good = proofOf([0, 1, 2]);
    const refuse = (change: Partial<FinalityProof>, message: RegExp) =>
      assert.throws(
        () => verifyFinality({ ...good, ...change }),
        (error: Error) => error instanceof ProofError && message.test(error.message),
      );
    const others = good.validators.map((one) => ({ ...one, stakeOld: 5n }));
    refuse({ validators: others }, /validators with the hash/);
    refuse({ validatorsHash: hashValidators(others), validators: others }, /another validator set/);
    refuse({ validators: good.validators.toReversed() }, /ascending/);
    const macro = { ...good.macro, stateRoot: bigIntToHash(9n) };
    refuse({ header: bytesToHex(encodeMacroHeader(macro)) }, /expected a certificate of/);
    refuse({ network: { ...network, chainId: 1 } }, /signature of validator 10 is wrong/);
    const forged = hexToBytes(good.certificate);
    forged[forged.length - 5] = (forged[forged.length - 5] ?? 0) ^ 1;
    refuse({ certificate: bytesToHex(forged) }, /validator 12 is wrong/);
    refuse({ certificate: "0xc0" }, /4 items/);
    refuse({ header: "0x01" }, /16 items/);
    refuse({ header: good.header.slice(0, -2) as Hex }, /in RLP/);
  });
});

describe("verifyBlock", () => {
  it("takes each of the 90 blocks at its number alone", () => {
    const header = verifyFinality(proofOf([0, 1, 2]));
    const leaves = blocks.map((block) => hexToBytes(block));
    for (const [index, hash] of blocks.entries()) {
      const siblings = merkleProof(leaves, index);
      verifyBlock(header, { number: 541 + index, hash, siblings });
      assert.throws(() => verifyBlock(header, { number: 540 + index, hash, siblings }), ProofError);
    }
  });
});
