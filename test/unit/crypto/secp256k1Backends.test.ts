import assert from "node:assert/strict";
import fc from "fast-check";
import { isPrivateKey } from "../../../src/crypto/secp256k1.ts";
import {
  type EcdsaBackend,
  loadNativeBackend,
  loadWasmBackend,
  nobleBackend,
} from "../../../src/crypto/secp256k1Backends.ts";

const words = fc.uint8Array({ minLength: 32, maxLength: 32 });
const compacts = fc.uint8Array({ minLength: 64, maxLength: 64 });
const backends: readonly (readonly [string, EcdsaBackend | undefined])[] = [
  ["native", await loadNativeBackend()],
  ["wasm", await loadWasmBackend()],
];

for (const [name, backend] of backends) {
  describe(`secp256k1 on ${name} and noble`, () => {
    before(function () {
      if (backend === undefined) this.skip();
    });

    it("agrees on signatures, recovery and keys", () => {
      fc.assert(
        fc.property(words.filter(isPrivateKey), words, (privateKey, digest) => {
          const signature = nobleBackend.sign(digest, privateKey);
          const publicKey = nobleBackend.publicKey(privateKey);
          const other = backend?.sign(digest, privateKey);
          assert.deepEqual(
            [...(other?.compact ?? []), other?.recovery],
            [...signature.compact, signature.recovery],
          );
          assert.deepEqual(backend?.publicKey(privateKey), publicKey);
          assert.deepEqual(nobleBackend.recover(digest, signature), publicKey);
          assert.deepEqual(backend?.recover(digest, signature), publicKey);
        }),
        { numRuns: 20 },
      );
    });

    it("agrees on signatures that nobody made, half of which recover to some key", () => {
      fc.assert(
        fc.property(
          compacts,
          words,
          fc.integer({ min: 0, max: 1 }),
          (compact, digest, recovery) => {
            const expected = nobleBackend.recover(digest, { compact, recovery });
            assert.deepEqual(backend?.recover(digest, { compact, recovery }), expected);
          },
        ),
        { numRuns: 40 },
      );
    });

    it("answers undefined to a signature that nobody can have made", () => {
      const compact = new Uint8Array(64);
      compact[31] = 5; // 5 is no x-coordinate of the curve
      compact[63] = 1;
      const digest = new Uint8Array(32).fill(1);
      assert.equal(nobleBackend.recover(digest, { compact, recovery: 0 }), undefined);
      assert.equal(backend?.recover(digest, { compact, recovery: 0 }), undefined);
      const zero = new Uint8Array(64);
      assert.equal(backend?.recover(digest, { compact: zero, recovery: 1 }), undefined);
    });

    it("refuses the private key 0", () => {
      const digest = new Uint8Array(32).fill(1);
      assert.throws(() => backend?.publicKey(new Uint8Array(32)));
      assert.throws(() => backend?.sign(digest, new Uint8Array(32)));
    });
  });
}
