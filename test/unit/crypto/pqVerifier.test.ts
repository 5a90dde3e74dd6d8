import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  PQ_ALGORITHMS,
  type PqAlgorithmName,
  pqAlgorithm,
  pqAlgorithmById,
} from "../../../src/crypto/pqAlgorithms.ts";
import {
  nativeBackend,
  nobleBackend,
  type PqBackend,
  wasmBackend,
} from "../../../src/crypto/pqBackends.ts";
import { mlDsaPublicKey, signMlDsa } from "../../../src/crypto/pqKeys.ts";
import { slhDsaSha2Answers } from "../../../src/crypto/pqKnownAnswers/slhDsaSha2.ts";
import { PqError, PqVerifier, pqVerifier } from "../../../src/crypto/pqVerifier.ts";
import type { Bytes } from "../../../src/primitives/bytes.ts";

const text = new TextEncoder();
const SEED = new Uint8Array(32).fill(7);
const MESSAGE = text.encode("a message");
const CONTEXT = text.encode("QNet/tx/1");
/**
 * Mutated triples for each parameter set; more of them with QNET_TEST_PQ_RUNS, say
 * `QNET_TEST_PQ_RUNS=100000 npx mocha test/unit/crypto/pqVerifier.test.ts -g "triples of ML-DSA-44"`.
 */
const RUNS = Number(process.env["QNET_TEST_PQ_RUNS"] ?? 150);

/** One algorithm of each kind. */
const QUICK = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "SLH-DSA-SHA2-128s", "Falcon-512"] as const;

function backendsOf(name: PqAlgorithmName): readonly PqBackend[] {
  if (name === "Falcon-512") return [nobleBackend];
  if (name === "ML-DSA-44") return [nativeBackend, wasmBackend, nobleBackend];
  return [nativeBackend, nobleBackend];
}

/** The same meaningless bytes in every run. */
function noise(outputLength: number): Bytes {
  return createHash("shake128", { outputLength }).update("noise").digest();
}

/** A back end that gives the same answer to everything. */
function constantBackend(answer: boolean): PqBackend {
  return { name: "native", load: async () => () => answer };
}

/** Right about the known answer alone: a fault that no self test can find. */
function flawedBackend(): PqBackend {
  return {
    name: "noble",
    load: async (algorithm) => {
      const sound = await nativeBackend.load(algorithm);
      return (publicKey, message, signature, context) =>
        message.length === 17 && sound?.(publicKey, message, signature, context) === true;
    },
  };
}

type Triple = readonly [publicKey: Bytes, message: Bytes, signature: Bytes, context: Bytes];

interface Change {
  readonly part: number;
  readonly position: number;
  readonly value: number;
}

/** One byte of a part, half of them of the signature; its hints, at the end, are what implementations may read differently. */
function changeOf(signatureBytes: number): fc.Arbitrary<Change> {
  return fc.record({
    part: fc.constantFrom(0, 1, 2, 2, 2, 3),
    position: fc.oneof(
      fc.nat(signatureBytes - 1),
      fc.integer({ min: signatureBytes - 96, max: signatureBytes - 1 }),
    ),
    value: fc.integer({ min: 0, max: 255 }),
  });
}

function changed([key, message, signature, context]: Triple, changes: readonly Change[]): Triple {
  const parts = [
    Uint8Array.from(key),
    Uint8Array.from(message),
    Uint8Array.from(signature),
    Uint8Array.from(context),
  ] as const;
  for (const { part, position, value } of changes) {
    const bytes = parts[part] ?? parts[0];
    bytes[position % bytes.length] = value;
  }
  return parts;
}

describe("pqAlgorithm", () => {
  it("has one row for each name, found by name and by id", () => {
    const ids = PQ_ALGORITHMS.map((name) => pqAlgorithm(name).id);
    assert.equal(new Set(ids).size, PQ_ALGORITHMS.length);
    for (const name of PQ_ALGORITHMS)
      assert.equal(pqAlgorithmById(pqAlgorithm(name).id)?.name, name);
    assert.equal(pqAlgorithmById(0x00), undefined);
    assert.equal(pqAlgorithmById(undefined), undefined);
  });
});

describe("PqVerifier", () => {
  const publicKey = mlDsaPublicKey("ML-DSA-44", SEED);
  const signature = signMlDsa("ML-DSA-44", SEED, MESSAGE, CONTEXT);
  const verify = (verifier: PqVerifier) =>
    verifier.verify("ML-DSA-44", publicKey, MESSAGE, signature, CONTEXT);

  for (const name of PQ_ALGORITHMS) {
    for (const backend of backendsOf(name)) {
      it(`passes the known answers of ${name} with ${backend.name}`, async () => {
        const verifier = new PqVerifier({ backends: [backend] });
        await verifier.prepare(name);
        assert.deepEqual(verifier.status(name).selfTests, [
          { backend: backend.name, outcome: "passed", failed: undefined },
        ]);
      });
    }
  }

  it("has ML-DSA-44 ready, natively, and binds message, context, key and lengths", () => {
    assert.equal(pqVerifier.backendOf("ML-DSA-44"), "native");
    assert.equal(verify(pqVerifier), true);
    const check = (key: Bytes, message: Bytes, signed: Bytes, context: Bytes) =>
      pqVerifier.verify("ML-DSA-44", key, message, signed, context);
    assert.equal(check(publicKey, text.encode("another"), signature, CONTEXT), false);
    assert.equal(check(publicKey, MESSAGE, signature, text.encode("QNet/msg/1")), false);
    assert.equal(check(publicKey, MESSAGE, signature, new Uint8Array(0)), false);
    assert.equal(check(publicKey, MESSAGE, signature, new Uint8Array(256)), false);
    assert.equal(check(publicKey.subarray(1), MESSAGE, signature, CONTEXT), false);
    assert.equal(check(Buffer.concat([publicKey, CONTEXT]), MESSAGE, signature, CONTEXT), false);
    assert.equal(check(publicKey, MESSAGE, Buffer.concat([signature, CONTEXT]), CONTEXT), false);
  });

  it("takes the next back end when one fails, and says which test", async () => {
    for (const [answer, failed] of [
      [false, "valid signature"],
      [true, "flipped bit"],
    ] as const) {
      const backends = [constantBackend(answer), nobleBackend];
      const verifier = new PqVerifier({ backends });
      await verifier.prepare("ML-DSA-44");
      assert.equal(verifier.backendOf("ML-DSA-44"), "noble");
      assert.equal(verify(verifier), true);
      const [first] = verifier.status("ML-DSA-44").selfTests;
      assert.deepEqual(first, { backend: "native", outcome: "failed", failed });
    }
  });

  it("refuses an algorithm that no back end gets right", async () => {
    const verifier = new PqVerifier({ backends: [constantBackend(true)] });
    await assert.rejects(
      verifier.prepare("ML-DSA-65"),
      (error) => error instanceof PqError && error.reason.code === "NO_PQ_BACKEND",
    );
    assert.equal(verifier.isPrepared("ML-DSA-65"), false);
  });

  it("asks two of three back ends when paranoid", async () => {
    const paranoid = new PqVerifier({}, { paranoid: true });
    await Promise.all([paranoid.prepare("ML-DSA-44"), paranoid.prepare("ML-DSA-65")]);
    assert.equal(paranoid.describe("ML-DSA-44"), "native checked by wasm");
    assert.equal(paranoid.describe("ML-DSA-65"), "native checked by noble");
    assert.equal(verify(paranoid), true);
  });

  it("falls back from OpenSSL to WebAssembly, and from there to JavaScript", async () => {
    const backends = [constantBackend(false), wasmBackend, nobleBackend];
    const verifier = new PqVerifier({ backends });
    await Promise.all([verifier.prepare("ML-DSA-44"), verifier.prepare("ML-DSA-87")]);
    assert.equal(verifier.backendOf("ML-DSA-44"), "wasm");
    assert.equal(verifier.backendOf("ML-DSA-87"), "noble");
    assert.equal(verify(verifier), true);
  });

  it("has the same answer for a message of 4 MB in WebAssembly, whose memory has to grow", async () => {
    const message = new Uint8Array(4_000_000).fill(9);
    const signed = signMlDsa("ML-DSA-44", SEED, message, CONTEXT);
    const verifyIn = await wasmBackend.load("ML-DSA-44");
    assert.equal(verifyIn?.(publicKey, message, signed, CONTEXT), true);
    assert.equal(verifyIn?.(publicKey, MESSAGE, signature, CONTEXT), true);
  });

  it("loads no second back end unless paranoid, and then throws when they disagree", async () => {
    const backends = [nativeBackend, flawedBackend()];
    const trusting = new PqVerifier({ backends });
    await trusting.prepare("ML-DSA-44");
    assert.equal(verify(trusting), true);
    assert.equal(trusting.status("ML-DSA-44").selfTests[1]?.outcome, "not loaded");
    const heard: PqError[] = [];
    const onDisagreement = (error: PqError) => heard.push(error);
    const paranoid = new PqVerifier({ backends, onDisagreement }, { paranoid: true });
    await paranoid.prepare("ML-DSA-44");
    assert.throws(
      () => verify(paranoid),
      (error) => error instanceof PqError && error.reason.code === "PQ_BACKENDS_DISAGREE",
    );
    assert.deepEqual(
      heard.map(({ reason }) => reason),
      [
        {
          code: "PQ_BACKENDS_DISAGREE",
          algorithm: "ML-DSA-44",
          verdicts: "native: true, noble: false",
        },
      ],
    );
  });

  for (const name of QUICK) {
    for (const backend of backendsOf(name)) {
      it(`answers noise of every length with false: ${name} with ${backend.name}`, async () => {
        const verifier = new PqVerifier({ backends: [backend] });
        await verifier.prepare(name);
        const { publicKeyBytes, signatureBytes } = pqAlgorithm(name);
        const answer = (key: Bytes, signed: Bytes) =>
          verifier.verify(name, key, MESSAGE, signed, CONTEXT);
        const signed = noise(signatureBytes);
        assert.equal(answer(noise(publicKeyBytes), signed), false);
        assert.equal(answer(noise(publicKeyBytes - 1), signed), false);
        assert.equal(answer(noise(publicKeyBytes), noise(signatureBytes + 1)), false);
        assert.equal(answer(new Uint8Array(publicKeyBytes).fill(0xff), signed), false);
        assert.equal(answer(new Uint8Array(0), new Uint8Array(0)), false);
      });
    }
  }
});

describe("the back ends", () => {
  const verifier = new PqVerifier({}, { paranoid: true });

  for (const set of [44, 65, 87] as const) {
    const name = `ML-DSA-${set}` as const;
    const backends = backendsOf(name);
    const names = backends.map((backend) => backend.name).join(", ");
    it(`agree on mutated triples of ${name}: ${names}`, async () => {
      const verdicts = await Promise.all(backends.map((backend) => backend.load(name)));
      const original = [
        mlDsaPublicKey(name, SEED),
        MESSAGE,
        signMlDsa(name, SEED, MESSAGE, CONTEXT),
        CONTEXT,
      ] as const;
      fc.assert(
        fc.property(fc.array(changeOf(original[2].length), { maxLength: 3 }), (changes) => {
          const [key, message, signature, context] = changed(original, changes);
          const same = original.every((part, at) =>
            Buffer.from(part).equals([key, message, signature, context][at] ?? part),
          );
          for (const verify of verdicts)
            assert.equal(verify?.(key, message, signature, context), same);
        }),
        { numRuns: RUNS },
      );
    }).timeout(10_000 + RUNS * 50);
  }

  for (const name of ["SLH-DSA-SHA2-128s", "SLH-DSA-SHA2-192f"] as const) {
    it(`agree on damaged signatures of ${name}`, async () => {
      await verifier.prepare(name);
      const key = Buffer.from(slhDsaSha2Answers[name].publicKey, "base64");
      const signed = Buffer.from(slhDsaSha2Answers[name].signature, "base64");
      // message and context of the known answers
      const [message, context] = [
        text.encode("QNet known answer"),
        text.encode("QNet/self-test/1"),
      ];
      assert.equal(verifier.verify(name, key, message, signed, context), true);
      fc.assert(
        fc.property(fc.nat(signed.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
          const damaged = Uint8Array.from(signed);
          damaged[at] = (damaged[at] ?? 0) ^ bits;
          assert.equal(verifier.verify(name, key, message, damaged, context), false);
        }),
        { numRuns: 40 },
      );
    });
  }
});
