import assert from "node:assert/strict";
import fc from "fast-check";
import { isPrivateKey } from "../../../src/crypto/secp256k1.ts";
import { loadNativeBackend, nobleBackend } from "../../../src/crypto/secp256k1Backends.ts";

const words = fc.uint8Array({ minLength: 32, maxLength: 32 });
const native = await loadNativeBackend();

describe("nobleBackend", () => {
  it("signs, recovers and derives keys as the native library does", function () {
    if (native === undefined) return this.skip();
    fc.assert(
      fc.property(words.filter(isPrivateKey), words, (privateKey, digest) => {
        const signature = nobleBackend.sign(digest, privateKey);
        const publicKey = nobleBackend.publicKey(privateKey);
        const nativeSignature = native.sign(digest, privateKey);
        assert.deepEqual(
          [...nativeSignature.compact, nativeSignature.recovery],
          [...signature.compact, signature.recovery],
        );
        assert.deepEqual(native.publicKey(privateKey), publicKey);
        assert.deepEqual(nobleBackend.recover(digest, signature), publicKey);
        assert.deepEqual(native.recover(digest, signature), publicKey);
      }),
      { numRuns: 20 },
    );
  });

  it("answers undefined to a signature that nobody can have made", () => {
    const compact = new Uint8Array(64);
    compact[31] = 5; // 5 is no x-coordinate of the curve
    compact[63] = 1;
    const digest = new Uint8Array(32).fill(1);
    assert.equal(nobleBackend.recover(digest, { compact, recovery: 0 }), undefined);
    assert.equal(native?.recover(digest, { compact, recovery: 0 }), undefined);
  });
});
