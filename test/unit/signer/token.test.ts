import assert from "node:assert/strict";
import { join } from "node:path";
import { openPqKey } from "../../../src/crypto/pqAccounts.ts";
import { decryptSeed, parseSeedKeystore } from "../../../src/crypto/seedKeystore.ts";
import { NodeError } from "../../../src/primitives/errors.ts";
import { SignerError } from "../../../src/signer/signer.ts";
import { Token } from "../../../src/signer/token.ts";
import { temporaryFolder } from "../../support/cli.ts";
import {
  describeSoftHsm,
  initialiseToken,
  SOFTHSM_MODULE,
  SOFTHSM_PIN,
} from "../../support/softHsm.ts";

const seed = new Uint8Array(32).fill(9);

const isTokenFailure = (detail: RegExp) => (error: unknown) =>
  error instanceof SignerError &&
  error.reason.code === "TOKEN_FAILED" &&
  detail.test(error.message);

describeSoftHsm("Token", () => {
  const folder = temporaryFolder();
  const options = { module: SOFTHSM_MODULE, token: "qnet-test", pin: SOFTHSM_PIN };

  before(() => initialiseToken(folder.path, options.token));
  after(() => folder[Symbol.dispose]());

  it("opens what it sealed, in a later session too, and no password does", async () => {
    const { publicKey, address } = await openPqKey("ML-DSA-44", seed);
    let file: Uint8Array;
    {
      using token = await Token.open(options);
      file = token.seal({ algorithm: "ML-DSA-44", publicKey, seed });
    }
    assert.doesNotMatch(Buffer.from(file).toString(), /0909090909/);
    const parsed = parseSeedKeystore(file);
    assert.equal(parsed.address, address);
    assert.deepEqual(parsed.lock, { kind: "pkcs11", token: "qnet-test", key: "qnet-seal" });
    using token = await Token.open(options);
    assert.deepEqual(token.unseal(parsed), seed);
    await assert.rejects(
      decryptSeed(parsed, SOFTHSM_PIN),
      (error) => error instanceof NodeError && error.reason.code === "BAD_KEYSTORE",
    );
  });

  it("refuses a seed under another type or key, and a changed one", async () => {
    using token = await Token.open(options);
    const { publicKey } = await openPqKey("ML-DSA-44", seed);
    const parsed = parseSeedKeystore(token.seal({ algorithm: "ML-DSA-44", publicKey, seed }));
    for (const change of [
      { algorithm: "ML-DSA-65" as const },
      { publicKey: new Uint8Array(1312) },
      { sealed: new Uint8Array(48) },
    ]) {
      assert.throws(() => token.unseal({ ...parsed, ...change }), isTokenFailure(/CKR_/));
    }
    assert.deepEqual(token.unseal(parsed), seed);
  });

  it("tells a wrong PIN, a missing token and a missing library apart", async () => {
    await assert.rejects(Token.open({ ...options, pin: "0000" }), isTokenFailure(/CKR_PIN/));
    await assert.rejects(
      Token.open({ ...options, token: "x" }),
      isTokenFailure(/no token of this/),
    );
    const module = join(folder.path, "no.so");
    await assert.rejects(Token.open({ ...options, module }), isTokenFailure(/no\.so/));
  });
});
