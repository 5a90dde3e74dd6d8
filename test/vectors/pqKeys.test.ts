/** Published keys and signatures from seeds: ACVP key generation, Wycheproof deterministic signing. */
import assert from "node:assert/strict";
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";
import {
  slh_dsa_sha2_128s,
  slh_dsa_sha2_192f,
  slh_dsa_shake_192s,
  slh_dsa_shake_256f,
} from "@noble/post-quantum/slh-dsa.js";
import { type MlDsaName, mlDsaPublicKey } from "../../src/crypto/pqKeys.ts";
import { PqVerifier } from "../../src/crypto/pqVerifier.ts";
import { bytesToHex } from "../../src/primitives/hex.ts";
import { describeFixtures } from "../support/fixtures.ts";
import { bytesOf, pqFixturesDir, readVectors } from "../support/pqVectors.ts";

const SETS = [
  [44, ml_dsa44],
  [65, ml_dsa65],
  [87, ml_dsa87],
] as const;
const verifier = new PqVerifier({}, { paranoid: true });

describeFixtures("mlDsaPublicKey", pqFixturesDir(), (directory) => {
  const { testGroups } = readVectors(directory, "acvp/ML-DSA-keyGen-FIPS204.json.gz");
  for (const { parameterSet, tests } of testGroups) {
    const name: MlDsaName = parameterSet;
    for (const { tcId, seed, pk } of tests) {
      it(`acvp ${name} tc${tcId}`, () => {
        assert.equal(bytesToHex(mlDsaPublicKey(name, bytesOf(seed))), `0x${pk.toLowerCase()}`);
      });
    }
  }
});

for (const [set, noble] of SETS) {
  const name = `ML-DSA-${set}` as const;
  describeFixtures(`${name} from a seed`, pqFixturesDir(), (directory) => {
    before(() => verifier.prepare(name));
    const file = `wycheproof/mldsa_${set}_sign_seed_test.json.gz`;
    for (const { privateSeed, publicKey, tests } of readVectors(directory, file).testGroups) {
      for (const { tcId, comment, msg, ctx = "", sig, flags, result } of tests) {
        it(`wycheproof mldsa_${set} sign tc${tcId}: ${comment}`, () => {
          const seed = bytesOf(privateSeed);
          if (result === "invalid") {
            assert.throws(() => mlDsaPublicKey(name, seed), RangeError);
            return;
          }
          const key = mlDsaPublicKey(name, seed);
          assert.equal(bytesToHex(key), `0x${publicKey}`);
          if (msg === undefined) return; // the message representative alone: neither back end takes it
          const [message, context] = [bytesOf(msg), bytesOf(ctx)];
          assert.equal(verifier.verify(name, key, message, bytesOf(sig), context), true);
          if (flags.includes("Randomized") || flags.includes("ManySteps")) return; // rnd is not given; slow
          const { secretKey } = noble.keygen(seed);
          const signed = noble.sign(message, secretKey, { context, extraEntropy: false });
          assert.equal(bytesToHex(signed), `0x${sig}`);
        });
      }
    }
  });
}

describeFixtures("noble's SLH-DSA keys", pqFixturesDir(), (directory) => {
  const schemes = new Map([
    ["SLH-DSA-SHA2-128s", slh_dsa_sha2_128s],
    ["SLH-DSA-SHA2-192f", slh_dsa_sha2_192f],
    ["SLH-DSA-SHAKE-192s", slh_dsa_shake_192s],
    ["SLH-DSA-SHAKE-256f", slh_dsa_shake_256f],
  ]);
  const { testGroups } = readVectors(directory, "acvp/SLH-DSA-keyGen-FIPS205.json.gz");
  for (const { parameterSet, tests } of testGroups) {
    // one key of the slow sets (s) is enough for `npm test`; all of them with QNET_TEST_SLOW
    const slow = parameterSet.endsWith("s") && process.env["QNET_TEST_SLOW"] === undefined;
    for (const { tcId, skSeed, skPrf, pkSeed, pk } of slow ? tests.slice(0, 1) : tests) {
      it(`acvp ${parameterSet} tc${tcId}`, () => {
        const scheme = schemes.get(parameterSet);
        assert.ok(scheme);
        const { publicKey } = scheme.keygen(bytesOf(skSeed + skPrf + pkSeed));
        assert.equal(bytesToHex(publicKey), `0x${pk.toLowerCase()}`);
      }).timeout(60_000);
    }
  }
});
