import assert from "node:assert/strict";
import { openPqKey } from "../../../src/crypto/pqAccounts.ts";
import {
  decryptSeed,
  encryptSeed,
  parseSeedKeystore,
  type SeedRandomness,
} from "../../../src/crypto/seedKeystore.ts";
import { NodeError } from "../../../src/primitives/errors.ts";

const cheap = { memoryKib: 64, passes: 1, lanes: 1 };
const seed = new Uint8Array(32).fill(3);
const randomness: SeedRandomness = {
  salt: new Uint8Array(32).fill(1),
  iv: new Uint8Array(12).fill(2),
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
};

// biome-ignore lint/suspicious/noExplicitAny: the tests break the file in every place
type File = any;

async function seedFile(password = "open sesame"): Promise<Uint8Array> {
  const { publicKey } = await openPqKey("ML-DSA-44", seed);
  return encryptSeed({ algorithm: "ML-DSA-44", publicKey, seed }, password, randomness, cheap);
}

function hasReason(code: string) {
  return (error: unknown) => error instanceof NodeError && error.reason.code === code;
}

describe("decryptSeed", () => {
  it("opens what encryptSeed wrote, and nothing in the file is the seed", async () => {
    const file = await seedFile();
    const parsed = parseSeedKeystore(file);
    assert.deepEqual(await decryptSeed(parsed, "open sesame"), seed);
    assert.equal(parsed.address, (await openPqKey("ML-DSA-44", seed)).address);
    assert.doesNotMatch(Buffer.from(file).toString(), /0303030303/);
  });

  it("takes one password however it is typed (EIP-2335)", async () => {
    const parsed = parseSeedKeystore(await seedFile("p\u00e4ss\u0007word"));
    assert.deepEqual(await decryptSeed(parsed, "pa\u0308ssword"), seed);
  });

  it("refuses a wrong password, and a seed under another type, key or tag", async () => {
    const parsed = parseSeedKeystore(await seedFile());
    const wrong = (changes: object, password = "open sesame") =>
      assert.rejects(decryptSeed({ ...parsed, ...changes }, password), hasReason("WRONG_PASSWORD"));
    await wrong({}, "open");
    await wrong({ algorithm: "ML-DSA-65" });
    await wrong({ publicKey: new Uint8Array(1312) });
    await wrong({ sealed: new Uint8Array(48) });
    await wrong({ iv: new Uint8Array(12) });
  });
});

describe("parseSeedKeystore", () => {
  it("refuses what is missing, unknown, too dear or contradictory", async () => {
    const file = await seedFile();
    const changes: readonly ((json: File) => void)[] = [
      (json) => delete json.crypto,
      (json) => delete json.crypto.cipher,
      (json) => delete json.address,
      (json) => (json.version = 5),
      (json) => (json.keytype = "ml-dsa-45"),
      (json) => (json.keytype = "ml-dsa-65"),
      (json) => (json.pubkey = "00"),
      (json) => (json.address = "00".repeat(20)),
      (json) => (json.crypto.cipher.function = "aes-128-ctr"),
      (json) => (json.crypto.cipher.message = "zz"),
      (json) => (json.crypto.cipher.params.iv = "00".repeat(16)),
      (json) => (json.crypto.checksum.function = "sha256"),
      (json) => (json.crypto.checksum.message = ""),
      (json) => (json.crypto.kdf.function = "pbkdf2"),
      (json) => (json.crypto.kdf.params.memory = 2 ** 30),
      (json) => (json.crypto.kdf.params.memory = 7),
      (json) => (json.crypto.kdf.params.passes = 0),
      (json) => (json.crypto.kdf.params.parallelism = 1.5),
      (json) => (json.crypto.kdf.params.dklen = 16),
      (json) => (json.crypto.kdf.params.salt = "00"),
    ];
    for (const change of changes) {
      const json: File = JSON.parse(Buffer.from(file).toString());
      change(json);
      const changed = Buffer.from(JSON.stringify(json));
      assert.throws(() => parseSeedKeystore(changed), hasReason("BAD_KEYSTORE"), String(change));
    }
  });
});
