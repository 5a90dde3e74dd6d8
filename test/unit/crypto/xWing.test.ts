import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { ml_kem768_x25519 as noble } from "@noble/post-quantum/hybrid.js";
import { xWingEncapsulate, xWingKey } from "../../../src/crypto/xWing.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { bytesOf } from "../../support/pqVectors.ts";

/** The draft's first two test vectors (appendix C): seed, randomness of the encapsulation, shared secret; and the public key's first bytes. */
const VECTORS = [
  {
    seed: "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
    eseed:
      "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2",
    publicKey: "e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5",
    secret: "d2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384",
  },
  {
    seed: "badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea",
    eseed:
      "17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdefaee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d",
    publicKey: "0333285fa253661508c9fb444852caa4061636cb060e69943b431400134ae1fb",
    secret: "f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150",
  },
] as const;

function bytes(label: string, outputLength = 32): Uint8Array {
  return createHash("shake128", { outputLength }).update(label).digest();
}

describe("xWingKey", () => {
  for (const [at, { seed, eseed, publicKey, secret }] of VECTORS.entries()) {
    it(`has public key and shared secret of the draft's vector ${at + 1}`, () => {
      const key = xWingKey(bytesOf(seed));
      assert.equal(bytesToHex(key.publicKey.subarray(0, 32)), `0x${publicKey}`);
      // OpenSSL does not take the randomness of an encapsulation; noble does, and makes the vector's ciphertext
      const { cipherText } = noble.encapsulate(key.publicKey, bytesOf(eseed));
      const opened = key.decapsulate(cipherText);
      assert.ok(opened);
      assert.equal(bytesToHex(opened), `0x${secret}`);
    });
  }

  it("agrees with noble in both directions", () => {
    for (let run = 0; run < 10; run++) {
      const seed = bytes(`seed ${run}`);
      const [own, other] = [xWingKey(seed), noble.keygen(seed)];
      assert.deepEqual(own.publicKey, Uint8Array.from(other.publicKey));
      const sealed = xWingEncapsulate(own.publicKey, bytes(`ephemeral ${run}`));
      assert.ok(sealed);
      assert.deepEqual(noble.decapsulate(sealed.ciphertext, other.secretKey), sealed.secret);
      assert.deepEqual(own.decapsulate(sealed.ciphertext), sealed.secret);
      const { cipherText, sharedSecret } = noble.encapsulate(own.publicKey);
      assert.deepEqual(own.decapsulate(cipherText), sharedSecret);
    }
  });

  it("gives another secret, or none, for a damaged ciphertext", () => {
    const key = xWingKey(bytes("seed"));
    const sealed = xWingEncapsulate(key.publicKey, bytes("ephemeral"));
    assert.ok(sealed);
    for (const at of [0, 500, 1087, 1088, 1119]) {
      const damaged = Uint8Array.from(sealed.ciphertext);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      assert.notDeepEqual(key.decapsulate(damaged), sealed.secret);
    }
    assert.equal(key.decapsulate(sealed.ciphertext.subarray(1)), undefined);
    const small = Uint8Array.from(sealed.ciphertext).fill(0, 1_088);
    assert.equal(key.decapsulate(small), undefined);
  });
});

describe("xWingEncapsulate", () => {
  it("answers undefined for bytes that are no public key", () => {
    const { publicKey } = xWingKey(bytes("seed"));
    const ephemeral = bytes("ephemeral");
    assert.equal(xWingEncapsulate(publicKey.subarray(1), ephemeral), undefined);
    assert.equal(xWingEncapsulate(Uint8Array.from(publicKey).fill(0, 1_184), ephemeral), undefined);
    // coefficients above the modulus. FIPS 203, section 7.2, "modulus check"
    assert.equal(
      xWingEncapsulate(Uint8Array.from(publicKey).fill(0xff, 0, 300), ephemeral),
      undefined,
    );
  });
});
