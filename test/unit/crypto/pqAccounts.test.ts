import assert from "node:assert/strict";
import { mnemonicToSeedSync } from "@scure/bip39";
import * as MlDsa44 from "ox/MlDsa44";
import {
  derivePqSeed,
  openPqKey,
  PQ_ACCOUNT_ALGORITHMS,
  PQ_CONTEXTS,
} from "../../../src/crypto/pqAccounts.ts";
import { pqAlgorithm } from "../../../src/crypto/pqAlgorithms.ts";
import { PqVerifier } from "../../../src/crypto/pqVerifier.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";

const MNEMONIC = "test test test test test test test test test test test junk";
const bip39Seed = mnemonicToSeedSync(MNEMONIC);
const text = new TextEncoder();
/** The published answer of the rule. */
const KNOWN = [
  [
    "0x787f747b571a3511deac4d045a7876ae2349f45b9f9f4e3a6ee40342313a963f",
    "0x7dd7d83248c877bc6ff24b35d02f07df730af327",
  ],
  [
    "0x956ffb9fbc566009dc5017cf3ee850a9b59867ffe118762008c9af578f893ddf",
    "0x67a87504518758ad15e52fe42af099b461a099f8",
  ],
] as const;

describe("derivePqSeed", () => {
  for (const [index, [seed, address]] of KNOWN.entries()) {
    it(`gives the known seed and address of account ${index}`, async () => {
      const derived = derivePqSeed("ML-DSA-44", bip39Seed, index);
      assert.equal(bytesToHex(derived), seed);
      assert.equal((await openPqKey("ML-DSA-44", derived)).address, address);
    });
  }

  it("finds the key that ox finds from the same mnemonic", async () => {
    const privateKey = MlDsa44.fromMnemonic(MNEMONIC);
    const derived = derivePqSeed("ML-DSA-44", bip39Seed, 0);
    assert.equal(bytesToHex(derived), privateKey);
    const { publicKey } = await openPqKey("ML-DSA-44", derived);
    assert.equal(bytesToHex(publicKey), MlDsa44.getPublicKey({ privateKey }));
  });

  it("gives each algorithm and index a seed of its own", () => {
    const seeds = PQ_ACCOUNT_ALGORITHMS.flatMap((name) =>
      [0, 1, 256].map((index) => bytesToHex(derivePqSeed(name, bip39Seed, index))),
    );
    assert.equal(new Set(seeds).size, seeds.length);
  });
});

describe("openPqKey", () => {
  const verifier = new PqVerifier({}, { paranoid: true });
  const message = text.encode("a message");
  const context = text.encode(PQ_CONTEXTS.transaction);

  for (const name of PQ_ACCOUNT_ALGORITHMS) {
    it(`signs with ${name} so that two back ends accept it, in that context alone`, async () => {
      await verifier.prepare(name);
      const key = await openPqKey(name, new Uint8Array(32).fill(5));
      assert.equal(key.publicKey.length, pqAlgorithm(name).publicKeyBytes);
      const signature = await key.sign(message, context);
      const verify = (other: Uint8Array) =>
        verifier.verify(name, key.publicKey, message, signature, other);
      assert.equal(verify(context), true);
      assert.equal(verify(text.encode(PQ_CONTEXTS.message)), false);
      const again = await openPqKey(name, new Uint8Array(32).fill(5));
      assert.equal(again.address, key.address);
    }).timeout(20_000);
  }

  it("refuses a seed of another length", async () => {
    await assert.rejects(openPqKey("ML-DSA-44", new Uint8Array(31)), RangeError);
    await assert.rejects(openPqKey("SLH-DSA-SHA2-128s", new Uint8Array(48)), RangeError);
  });
});
