import assert from "node:assert/strict";
import { decryptKeystore, encryptKeystore, keystoreAddress } from "../../../src/crypto/keystore.ts";
import { NodeError } from "../../../src/primitives/errors.ts";
import { bytesToHex, hexToBytes } from "../../../src/primitives/hex.ts";

const cheap = { n: 1024, r: 8, p: 1 };
const privateKey = hexToBytes(`0x${"7a".repeat(32)}`);
const randomness = {
  salt: new Uint8Array(32).fill(1),
  iv: new Uint8Array(16).fill(2),
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
};

async function throwsReason(action: () => Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(action, (error) => error instanceof NodeError && error.reason.code === code);
}

/** PBKDF2 vector of the Web3 Secret Storage Definition. */
const pbkdf2Vector = JSON.stringify({
  crypto: {
    cipher: "aes-128-ctr",
    cipherparams: { iv: "6087dab2f9fdbbfaddc31a909735c1e6" },
    ciphertext: "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
    kdf: "pbkdf2",
    kdfparams: {
      c: 262144,
      dklen: 32,
      prf: "hmac-sha256",
      salt: "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
    },
    mac: "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
  },
  id: "3198bc9c-6672-5ab3-d995-4942343ae5b6",
  version: 3,
});

describe("decryptKeystore", () => {
  it("opens what encryptKeystore wrote", async () => {
    const file = await encryptKeystore(privateKey, "pässword", randomness, cheap);
    assert.deepEqual(await decryptKeystore(file, "pässword"), privateKey);
    assert.ok(keystoreAddress(file));
  });

  it("opens the published PBKDF2 vector", async () => {
    const key = await decryptKeystore(Buffer.from(pbkdf2Vector), "testpassword");
    assert.equal(
      bytesToHex(key),
      "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d",
    );
  });

  it("tells a wrong password from a broken file", async () => {
    const file = await encryptKeystore(privateKey, "a", randomness, cheap);
    await throwsReason(() => decryptKeystore(file, "b"), "WRONG_PASSWORD");
    const broken = (change: (json: ReturnType<typeof JSON.parse>) => void) => {
      const json = JSON.parse(Buffer.from(file).toString());
      change(json);
      return throwsReason(
        () => decryptKeystore(Buffer.from(JSON.stringify(json)), "a"),
        "BAD_KEYSTORE",
      );
    };
    await broken((json) => {
      json.version = 1;
    });
    await broken((json) => {
      json.crypto.cipher = "des";
    });
    await broken((json) => {
      json.crypto.ciphertext = "zz";
    });
    await broken((json) => {
      json.crypto.kdfparams.n = 2 ** 30;
    });
    await broken((json) => {
      json.crypto.kdfparams.n = 1000;
    });
    await broken((json) => {
      json.crypto.kdfparams.salt = "abc";
    });
    await broken((json) => {
      delete json.crypto;
    });
    await throwsReason(() => decryptKeystore(Buffer.from("[]"), "a"), "BAD_KEYSTORE");
    await throwsReason(() => decryptKeystore(Buffer.from("{"), "a"), "BAD_KEYSTORE");
  });
});
