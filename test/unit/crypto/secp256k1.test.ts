import assert from "node:assert/strict";
import { secp256k1 as noble } from "@noble/curves/secp256k1.js";
import fc from "fast-check";
import { keccak256 } from "../../../src/crypto/keccak.ts";
import {
  addressOf,
  ecrecoverForEvm,
  isPrivateKey,
  publicKeyOf,
  recoverAddress,
  recoverPublicKey,
  SECP256K1_HALF_ORDER,
  SECP256K1_ORDER,
  secp256k1Backend,
  signDigest,
} from "../../../src/crypto/secp256k1.ts";
import { bigIntToBytes, bytesToBigInt, padBytes } from "../../../src/primitives/bytes.ts";
import { bytesToHex, hexToBytes } from "../../../src/primitives/hex.ts";

const KEY = hexToBytes("0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80");
const ADDRESS = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
const DIGEST = keccak256(KEY);
const { r: R, s: S, yParity: PARITY } = signDigest(DIGEST, KEY);

const SHIPPED = ["linux-x64", "darwin-arm64", "win32-x64"];

const privateKeys = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((key) => isPrivateKey(key));
const words = fc.uint8Array({ minLength: 32, maxLength: 32 });
const parities = fc.constantFrom<0 | 1>(0, 1);

/** What noble says; undefined where it throws. */
function nobleRecovery(digest: Uint8Array, r: bigint, s: bigint, yParity: 0 | 1) {
  try {
    const point = new noble.Signature(r, s, yParity).recoverPublicKey(digest);
    return point.toBytes(false).slice(1);
  } catch {
    return undefined;
  }
}

describe("recoverPublicKey", () => {
  it("runs natively where the package ships a binary", function () {
    if (!SHIPPED.includes(`${process.platform}-${process.arch}`)) this.skip();
    assert.equal(secp256k1Backend, "native");
  });

  it("agrees with noble on keys, digests, both parities and both s", () => {
    fc.assert(
      fc.property(privateKeys, words, parities, fc.boolean(), (key, digest, yParity, high) => {
        const signature = signDigest(digest, key);
        const s = high ? SECP256K1_ORDER - signature.s : signature.s;
        assert.deepEqual(
          recoverPublicKey(digest, signature.r, s, yParity),
          nobleRecovery(digest, signature.r, s, yParity),
        );
      }),
      { numRuns: 20 },
    );
  });

  it("agrees with noble on random numbers, half of which are no x-coordinate", () => {
    fc.assert(
      fc.property(words, words, words, parities, (digest, rBytes, sBytes, yParity) => {
        const [r, s] = [bytesToBigInt(rBytes), bytesToBigInt(sBytes)];
        assert.deepEqual(
          recoverPublicKey(digest, r, s, yParity),
          nobleRecovery(digest, r, s, yParity),
        );
      }),
      { numRuns: 20 },
    );
  });

  it("answers undefined for zero, the order, more than 256 bits, negative numbers and short digests", () => {
    for (const bad of [0n, SECP256K1_ORDER, 2n ** 256n - 1n, 2n ** 256n, 2n ** 300n, -1n]) {
      assert.equal(recoverPublicKey(DIGEST, bad, S, 0), undefined);
      assert.equal(recoverPublicKey(DIGEST, R, bad, 0), undefined);
    }
    assert.equal(recoverPublicKey(DIGEST.subarray(1), R, S, 0), undefined);
    assert.equal(recoverPublicKey(new Uint8Array(33), R, S, 0), undefined);
  });
});

describe("recoverAddress", () => {
  it("finds the signer, and another account for the other parity", () => {
    assert.equal(recoverAddress(DIGEST, R, S, PARITY), ADDRESS);
    assert.notEqual(recoverAddress(DIGEST, R, S, PARITY === 0 ? 1 : 0), ADDRESS);
  });
});

describe("signDigest", () => {
  it("makes noble's deterministic signature with low s", () => {
    fc.assert(
      fc.property(privateKeys, words, (key, digest) => {
        const { r, s, yParity } = signDigest(digest, key);
        const bytes = noble.sign(digest, key, { prehash: false, format: "recovered" });
        const expected = noble.Signature.fromBytes(bytes, "recovered");
        assert.deepEqual([r, s, yParity], [expected.r, expected.s, expected.recovery]);
        assert.ok(s <= SECP256K1_HALF_ORDER);
      }),
      { numRuns: 20 },
    );
  });

  it("refuses keys and digests that are none", () => {
    const order = padBytes(bigIntToBytes(SECP256K1_ORDER), 32);
    for (const key of [new Uint8Array(32), order, KEY.subarray(1), new Uint8Array(33).fill(1)])
      assert.throws(() => signDigest(DIGEST, key), RangeError);
    assert.throws(() => signDigest(DIGEST.subarray(1), KEY), RangeError);
  });
});

describe("addressOf", () => {
  it("gives the well-known first development account", () => {
    assert.equal(addressOf(KEY), ADDRESS);
    assert.equal(publicKeyOf(KEY).length, 64);
  });
});

describe("ecrecoverForEvm", () => {
  const [r, s] = [padBytes(bigIntToBytes(R), 32), padBytes(bigIntToBytes(S), 32)];
  const parity = BigInt(PARITY);

  it("takes 27 and 28, 0 and 1, and EIP-155's v with its chain id", () => {
    const expected = bytesToHex(publicKeyOf(KEY));
    assert.equal(bytesToHex(ecrecoverForEvm(DIGEST, 27n + parity, r, s)), expected);
    assert.equal(bytesToHex(ecrecoverForEvm(DIGEST, parity, r, s)), expected);
    assert.equal(bytesToHex(ecrecoverForEvm(DIGEST, 35n + 14n + parity, r, s, 7n)), expected);
  });

  it("throws, as the interface demands, where there is no key", () => {
    assert.throws(() => ecrecoverForEvm(DIGEST, 29n, r, s), RangeError);
    assert.throws(() => ecrecoverForEvm(DIGEST, 27n, new Uint8Array(32), s), RangeError);
  });
});
