import assert from "node:assert/strict";
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
import { bytesToHex, type Hex, hexToBytes, keccak256, parseEther, parseGwei } from "viem";
import { seedFromMnemonic } from "../../../sdk/derive.ts";
import { addressOfKey, type MlDsaSigner, signerFromSeed } from "../../../sdk/keyPair.ts";
import {
  parseQuantumTransaction,
  type QuantumTransaction,
  signQuantumTransaction,
  transactionDigest,
} from "../../../sdk/transaction.ts";
import { PqVerifier } from "../../../src/crypto/pqVerifier.ts";

const MNEMONIC = "test test test test test test test test test test test junk";

/** The transaction whose bytes docs/guides/post-quantum.md gives as known answer. */
const known: QuantumTransaction = {
  chainId: 31_337,
  nonce: 0,
  maxPriorityFeePerGas: parseGwei("1"),
  maxFeePerGas: parseGwei("3"),
  gas: 100_000n,
  to: "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
  value: parseEther("1"),
};

describe("seedFromMnemonic", () => {
  it("derives the seeds and addresses of the development mnemonic", () => {
    const [first, second] = [0, 1].map((index) => seedFromMnemonic(MNEMONIC, { index }));
    assert.equal(
      bytesToHex(first as Uint8Array),
      "0x787f747b571a3511deac4d045a7876ae2349f45b9f9f4e3a6ee40342313a963f",
    );
    assert.equal(
      bytesToHex(second as Uint8Array),
      "0x956ffb9fbc566009dc5017cf3ee850a9b59867ffe118762008c9af578f893ddf",
    );
    const addresses = [first, second].map((seed) => {
      const { algorithm, publicKey } = signerFromSeed(seed as Uint8Array);
      return addressOfKey(algorithm, publicKey);
    });
    assert.deepEqual(addresses, [
      "0x7dd7d83248c877bc6ff24b35d02f07df730af327",
      "0x67a87504518758ad15e52fe42af099b461a099f8",
    ]);
  });

  it("gives each algorithm, index and passphrase a seed of its own", () => {
    const seeds = [
      seedFromMnemonic(MNEMONIC),
      seedFromMnemonic(MNEMONIC, { algorithm: "ML-DSA-65" }),
      seedFromMnemonic(MNEMONIC, { algorithm: "ML-DSA-87" }),
      seedFromMnemonic(MNEMONIC, { index: 1 }),
      seedFromMnemonic(MNEMONIC, { passphrase: "x" }),
    ].map((seed) => bytesToHex(seed));
    assert.equal(new Set(seeds).size, seeds.length);
  });

  it("refuses words without a checksum and indexes out of range, saying nothing of the words", () => {
    assert.throws(
      () => seedFromMnemonic(`${MNEMONIC} test`),
      (error: Error) => !error.message.includes("junk"),
    );
    assert.throws(() => seedFromMnemonic(MNEMONIC, { index: -1 }), RangeError);
    assert.throws(() => seedFromMnemonic(MNEMONIC, { index: 2 ** 32 }), RangeError);
  });
});

describe("signQuantumTransaction", () => {
  const signer = signerFromSeed(seedFromMnemonic(MNEMONIC));
  /** The variant of FIPS 204 without randomness, for known answers only. */
  const deterministic: MlDsaSigner = {
    ...signer,
    sign: (digest, context) =>
      Promise.resolve(
        ml_dsa44.sign(digest, ml_dsa44.keygen(seedFromMnemonic(MNEMONIC)).secretKey, {
          context: new TextEncoder().encode(context),
          extraEntropy: false,
        }),
      ),
  };

  it("makes the bytes of the known answer", async () => {
    assert.equal(
      bytesToHex(transactionDigest(known, signer)),
      "0x58506da05e5908cfedc444e34d5038e17df8af49e5e51b3619b2fdfba5ff19d8",
    );
    const raw = await signQuantumTransaction(known, deterministic);
    assert.equal(hexToBytes(raw).length, 3794);
    assert.equal(
      keccak256(raw),
      "0x7ee5fcbeae05c8eb2e033d7ba81f040f874002185f2cd8080768a630c587318e",
    );
    assert.equal(
      keccak256(parseQuantumTransaction(raw).signature),
      "0x6ad1c4861e8f75140ad70f619fa5db1a010bfb9bc95321f02c3b81edd07cebac",
    );
  });

  it("gives every field back, for each algorithm, with a signature that the node's verifier takes", async () => {
    const verifier = new PqVerifier();
    await Promise.all(
      (["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] as const).map((name) => verifier.prepare(name)),
    );
    for (const algorithm of ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] as const) {
      const key = signerFromSeed(seedFromMnemonic(MNEMONIC, { algorithm }), algorithm);
      const transaction: QuantumTransaction = {
        ...known,
        to: null,
        nonce: 300,
        value: 0n,
        data: "0x6001600101",
        accessList: [
          {
            address: "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
            storageKeys: [`0x${"01".repeat(32)}`],
          },
        ],
      };
      const parsed = parseQuantumTransaction(await signQuantumTransaction(transaction, key));
      const { hash, from, algorithm: name, publicKey, signature, digest, ...fields } = parsed;
      assert.deepEqual(fields, transaction);
      assert.deepEqual([name, from], [algorithm, addressOfKey(algorithm, key.publicKey)]);
      assert.equal(publicKey, bytesToHex(key.publicKey));
      assert.match(hash, /^0x[0-9a-f]{64}$/);
      assert.ok(
        verifier.verify(
          algorithm,
          key.publicKey,
          hexToBytes(digest),
          hexToBytes(signature),
          new TextEncoder().encode("QNet/tx/1"),
        ),
      );
    }
  });

  it("refuses what no node would take, and says why", async () => {
    const refused: readonly [Partial<QuantumTransaction>, RegExp][] = [
      [{ nonce: -1 }, /nonce/],
      [{ nonce: 1.5 }, /nonce/],
      [{ maxPriorityFeePerGas: parseGwei("4") }, /maxPriorityFeePerGas up to maxFeePerGas/],
      [{ value: 2n ** 256n }, /value/],
      [{ to: "0x1234" as Hex }, /20 bytes/],
      [{ data: `0x${"00".repeat(131_072)}` }, /131072 bytes/],
    ];
    for (const [change, message] of refused)
      await assert.rejects(
        async () => signQuantumTransaction({ ...known, ...change }, signer),
        (error: Error) => error instanceof RangeError && message.test(error.message),
      );
  });
});

describe("parseQuantumTransaction", () => {
  it("refuses other types, wrong numbers of items and unknown algorithms", async () => {
    const raw = await signQuantumTransaction(known, signerFromSeed(new Uint8Array(32)));
    assert.throws(() => parseQuantumTransaction(`0x02${raw.slice(4)}`), /type 0x51/);
    assert.throws(() => parseQuantumTransaction("0x51c0"), /13 items/);
    assert.throws(
      () => parseQuantumTransaction(raw.replace("8011b90520", "8007b90520") as Hex),
      /id 0x07/,
    );
  });
});
