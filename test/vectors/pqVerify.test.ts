/** Published verification vectors on every back end that offers the algorithm: Wycheproof, ACVP, the KAT of EIP-8051. */
import assert from "node:assert/strict";
import { slh_dsa_sha2_192s, slh_dsa_shake_128f } from "@noble/post-quantum/slh-dsa.js";
import type { PqAlgorithmName } from "../../src/crypto/pqAlgorithms.ts";
import { nativeBackend, nobleBackend, wasmBackend } from "../../src/crypto/pqBackends.ts";
import { PqVerifier } from "../../src/crypto/pqVerifier.ts";
import { describeFixtures } from "../support/fixtures.ts";
import { bytesOf, pqFixturesDir, readVectors } from "../support/pqVectors.ts";

/** Parameter sets that a back end offers. */
const SETS = { native: [44, 65, 87], wasm: [44], noble: [44, 65, 87] } as const;
const NONE = new Uint8Array(0);

for (const backend of [nativeBackend, wasmBackend, nobleBackend]) {
  describeFixtures(`PqVerifier on ${backend.name}`, pqFixturesDir(), (directory) => {
    const verifier = new PqVerifier({ backends: [backend] });
    const sets = SETS[backend.name];
    before(() => Promise.all(sets.map((set) => verifier.prepare(`ML-DSA-${set}`))));

    for (const set of sets) {
      const { testGroups } = readVectors(directory, `wycheproof/mldsa_${set}_verify_test.json.gz`);
      for (const { publicKey, tests } of testGroups) {
        for (const { tcId, comment, msg, ctx = "", sig, result } of tests) {
          it(`wycheproof mldsa_${set} tc${tcId}: ${comment}`, () => {
            const [key, message] = [bytesOf(publicKey), bytesOf(msg)];
            const valid = verifier.verify(
              `ML-DSA-${set}`,
              key,
              message,
              bytesOf(sig),
              bytesOf(ctx),
            );
            assert.equal(valid, result === "valid");
          });
        }
      }
    }

    const acvp = readVectors(directory, "acvp/ML-DSA-sigVer-FIPS204.json.gz");
    for (const { parameterSet, tests } of acvp.testGroups) {
      const name: PqAlgorithmName = parameterSet;
      if (!sets.some((set) => name === `ML-DSA-${set}`)) continue;
      for (const { tcId, reason, pk, message, context, signature, testPassed } of tests) {
        it(`acvp ${name} tc${tcId}: ${reason}`, () => {
          const [key, text] = [bytesOf(pk), bytesOf(message)];
          const valid = verifier.verify(name, key, text, bytesOf(signature), bytesOf(context));
          assert.equal(valid, testPassed);
        });
      }
    }

    for (const { count, pk, msg, sig } of readVectors(directory, "kat/ml-dsa-44-eip8051.json.gz")) {
      it(`EIP-8051 KAT ${count}`, () => {
        const [key, message] = [bytesOf(pk), bytesOf(msg)];
        assert.equal(verifier.verify("ML-DSA-44", key, message, bytesOf(sig), NONE), true);
      });
    }
  });
}

/** The internal interface, which signs the message without the two bytes in front: OpenSSL through Node has none. */
describeFixtures("noble's SLH-DSA, internal interface", pqFixturesDir(), (directory) => {
  const schemes = new Map([
    ["SLH-DSA-SHA2-192s", slh_dsa_sha2_192s],
    ["SLH-DSA-SHAKE-128f", slh_dsa_shake_128f],
  ]);
  const { testGroups } = readVectors(directory, "acvp/SLH-DSA-sigVer-FIPS205.json.gz");
  for (const { parameterSet, tests } of testGroups) {
    for (const { tcId, reason, pk, message, signature, testPassed } of tests) {
      it(`acvp ${parameterSet} tc${tcId}: ${reason}`, () => {
        const internal = schemes.get(parameterSet)?.internal;
        assert.ok(internal);
        const verify = () => internal.verify(bytesOf(signature), bytesOf(message), bytesOf(pk));
        assert.equal(answer(verify), testPassed);
      });
    }
  }
});

/** noble throws on a signature of another length. */
function answer(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}
