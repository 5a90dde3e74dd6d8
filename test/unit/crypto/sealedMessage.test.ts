import assert from "node:assert/strict";
import fc from "fast-check";
import { openPqKey, PQ_ACCOUNT_ALGORITHMS } from "../../../src/crypto/pqAccounts.ts";
import { PqVerifier } from "../../../src/crypto/pqVerifier.ts";
import {
  type EncryptionCard,
  encryptionKeyOf,
  MAX_CONTENT_BYTES,
  makeEncryptionCard,
  openMessage,
  readEncryptionCard,
  recipientOf,
  SEAL_OVERHEAD_BYTES,
  SealError,
  sealMessage,
} from "../../../src/crypto/sealedMessage.ts";
import { parseAddress } from "../../../src/primitives/hex.ts";

const verifier = new PqVerifier();
const text = new TextEncoder();
const content = text.encode("the password of the safe");
const ephemeral = new Uint8Array(32).fill(8);

async function account(
  fill: number,
  algorithm: (typeof PQ_ACCOUNT_ALGORITHMS)[number] = "ML-DSA-44",
) {
  const seed = new Uint8Array(32).fill(fill);
  const key = await openPqKey(algorithm, seed);
  const { publicKey } = encryptionKeyOf(seed);
  return { seed, key, address: key.address, card: await makeEncryptionCard(key, publicKey) };
}

function hasCode(code: string) {
  return (error: unknown) => error instanceof SealError && error.reason.code === code;
}

describe("openMessage", () => {
  for (const algorithm of PQ_ACCOUNT_ALGORITHMS) {
    it(`opens what was sealed to the card of a ${algorithm} account`, async () => {
      const { seed, address, card } = await account(1, algorithm);
      const read = await readEncryptionCard(card, verifier);
      assert.equal(read.address, address);
      const sealed = sealMessage(content, read, ephemeral);
      assert.equal(sealed.length, content.length + SEAL_OVERHEAD_BYTES);
      assert.equal(recipientOf(sealed), address);
      assert.deepEqual(openMessage(sealed, address, seed), content);
    }).timeout(60_000);
  }

  it("opens content of any length, and seals the same content differently each time", async () => {
    const { seed, address, card } = await account(1);
    const read = await readEncryptionCard(card, verifier);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        const sealed = sealMessage(bytes, read, ephemeral);
        assert.deepEqual(openMessage(sealed, address, seed), bytes);
      }),
      { numRuns: 25 },
    );
    assert.notDeepEqual(
      sealMessage(content, read, ephemeral),
      sealMessage(content, read, ephemeral),
    );
    const long = new Uint8Array(3_000_000).fill(7);
    assert.deepEqual(openMessage(sealMessage(long, read, ephemeral), address, seed), long);
  });

  it("opens no message of which a single bit was changed", async () => {
    const { seed, address, card } = await account(1);
    const sealed = sealMessage(content, await readEncryptionCard(card, verifier), ephemeral);
    fc.assert(
      fc.property(fc.nat(8 * sealed.length - 1), (bit) => {
        const changed = Uint8Array.from(sealed);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.throws(() => openMessage(changed, address, seed), SealError);
      }),
      { numRuns: 200 },
    );
    for (const length of [0, 8, 30, SEAL_OVERHEAD_BYTES - 1, sealed.length - 1]) {
      assert.throws(
        () => openMessage(sealed.subarray(0, length), address, seed),
        hasCode("BAD_SEALED_MESSAGE"),
      );
    }
  });

  it("refuses the message of another account, and a seed that is not the account's", async () => {
    const [one, two] = [await account(1), await account(2)];
    const sealed = sealMessage(content, await readEncryptionCard(one.card, verifier), ephemeral);
    assert.throws(() => openMessage(sealed, two.address, two.seed), hasCode("OTHER_RECIPIENT"));
    assert.throws(() => openMessage(sealed, one.address, two.seed), hasCode("BAD_SEALED_MESSAGE"));
  });
});

describe("sealMessage", () => {
  it("refuses too much content, and a key that is none", async () => {
    const { card } = await account(1);
    const read = await readEncryptionCard(card, verifier);
    const long = new Uint8Array(MAX_CONTENT_BYTES + 1);
    assert.throws(() => sealMessage(long, read, ephemeral), hasCode("CONTENT_TOO_LONG"));
    const broken: EncryptionCard = { ...read, encryptionKey: new Uint8Array(1_216).fill(0xff) };
    assert.throws(() => sealMessage(content, broken, ephemeral), hasCode("BAD_CARD"));
  });
});

describe("readEncryptionCard", () => {
  it("believes no card that its account did not sign as it is", async () => {
    const [one, two] = [await account(1), await account(2)];
    const parse = (card: Uint8Array) => JSON.parse(Buffer.from(card).toString());
    const [own, other] = [parse(one.card), parse(two.card)];
    for (const change of [
      { encryptionKey: other.encryptionKey },
      { signature: other.signature },
      { pubkey: other.pubkey },
      { pubkey: other.pubkey, address: other.address },
      { address: parseAddress(`0x${"12".repeat(20)}`) },
      { keytype: "ml-dsa-65" },
      { keytype: "rsa" },
      { kem: "ml-kem" },
      { version: 2 },
      { signature: "0x12" },
      { encryptionKey: "zz" },
      { pubkey: undefined },
    ]) {
      const card = Buffer.from(JSON.stringify({ ...own, ...change }));
      await assert.rejects(readEncryptionCard(card, verifier), hasCode("BAD_CARD"));
    }
    for (const card of ["", "[]", "null", "{}"]) {
      await assert.rejects(readEncryptionCard(Buffer.from(card), verifier), hasCode("BAD_CARD"));
    }
    // a message that the account signed is no card
    const signature = await one.key.sign(new Uint8Array(32), text.encode("QNet/msg/1"));
    const card = Buffer.from(
      JSON.stringify({ ...own, signature: `0x${Buffer.from(signature).toString("hex")}` }),
    );
    await assert.rejects(readEncryptionCard(card, verifier), hasCode("BAD_CARD"));
  });
});
