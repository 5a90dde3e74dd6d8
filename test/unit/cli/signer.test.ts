import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../../cli/run.ts";
import { keccak256 } from "../../../src/crypto/keccak.ts";
import { PQ_CONTEXTS } from "../../../src/crypto/pqAccounts.ts";
import { pqVerifier } from "../../../src/crypto/pqVerifier.ts";
import { hexToBytes } from "../../../src/primitives/hex.ts";
import { commandIo, runLight, temporaryFolder } from "../../support/cli.ts";
import {
  describeSoftHsm,
  initialiseToken,
  SOFTHSM_MODULE,
  SOFTHSM_PIN,
} from "../../support/softHsm.ts";

const text = new TextEncoder();
const MESSAGE = "pay 5 to the baker\n";

function setUp(folder: string) {
  const password = join(folder, "password");
  const message = join(folder, "message");
  writeFileSync(password, "open sesame\n");
  writeFileSync(message, MESSAGE);
  return { message, password, keys: ["--datadir", folder, "--password", password] };
}

async function ok(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runLight(args);
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

/** Whether a proof, public key ‖ signature, is one over MESSAGE by ML-DSA-44. */
function proves(proof: string): boolean {
  const bytes = hexToBytes(proof);
  const digest = keccak256(
    text.encode(`\x19Ethereum Signed Message:\n${MESSAGE.length}${MESSAGE}`),
  );
  const [key, signature] = [bytes.subarray(0, 1312), bytes.subarray(1312)];
  const context = text.encode(PQ_CONTEXTS.message);
  return pqVerifier.verify("ML-DSA-44", key, digest, signature, context);
}

describe("qnet account sign", function () {
  this.timeout(120_000);

  it("signs a file with the key of a key file, as wallets sign messages", async () => {
    using folder = temporaryFolder();
    const { message, keys } = setUp(folder.path);
    const made = JSON.parse(await ok("account", "new", "--type", "ml-dsa-44", "--json", ...keys));
    assert.equal(proves(await ok("account", "sign", made.address, message, ...keys)), true);
    const shown = JSON.parse(await ok("account", "sign", made.address, message, "--json", ...keys));
    assert.equal(shown.address, made.address);
    assert.equal(proves(shown.publicKey + shown.signature.slice(2)), true);
    writeFileSync(message, "pay 6 to the baker\n");
    assert.equal(proves(await ok("account", "sign", made.address, message, ...keys)), false);
  });

  it("signs with secp256k1 as cast and ethers do", async () => {
    using folder = temporaryFolder();
    const { message, keys } = setUp(folder.path);
    const made = JSON.parse(await ok("account", "new", "--json", ...keys));
    const signature = await ok("account", "sign", made.address, message, ...keys);
    const { verifyMessage } = await import("ethers");
    assert.equal(verifyMessage(MESSAGE, signature).toLowerCase(), made.address);
  });
});

describe("qnet signer", function () {
  this.timeout(120_000);

  it("makes certificates, serves keys to their holders, and signs for them", async () => {
    using folder = temporaryFolder();
    const { message, keys } = setUp(folder.path);
    const made = JSON.parse(await ok("account", "new", "--type", "ml-dsa-44", "--json", ...keys));
    const out = join(folder.path, "tls");
    const file = (name: string) => join(out, name);
    for (const name of ["signer", "node", "stranger"]) {
      await ok("signer", "cert", name, "--out", out);
      assert.equal(statSync(file(`${name}.key`)).mode & 0o777, 0o600);
    }
    assert.equal((await runLight(["signer", "cert", "node", "--out", out])).status, 1);
    const side = (own: string, other: string) => [
      "--signer.cert",
      file(`${own}.crt`),
      "--signer.key",
      file(`${own}.key`),
      "--signer.trust",
      file(`${other}.crt`),
    ];
    const stop = new AbortController();
    const { io, out: printed, err } = commandIo({ stop: stop.signal });
    const args = ["signer", "serve", ...keys, "--signer.port", "0", ...side("signer", "node")];
    const serving = run(args, io);
    const deadline = Date.now() + 15_000;
    while (printed.length === 0) {
      assert.ok(Date.now() < deadline, err.join(""));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const url = printed.join("").trim();
    const sign = ["account", "sign", made.address, message, "--signer", url];
    assert.equal(proves(await ok(...sign, ...side("node", "signer"))), true);
    const refused = await runLight([...sign, ...side("stranger", "signer")]);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /Fatal: cannot reach the signer at https/);
    const nameless = await runLight(sign);
    assert.match(nameless.stderr, /--signer\.cert is needed/);
    stop.abort();
    assert.equal(await serving, 0);
  });

  it("refuses to serve nothing, secp256k1 keys, and bad names", async () => {
    using folder = temporaryFolder();
    const { keys } = setUp(folder.path);
    const out = ["--out", folder.path];
    await ok("signer", "cert", "a", ...out);
    const [cert, key] = [join(folder.path, "a.crt"), join(folder.path, "a.key")];
    const side = ["--signer.cert", cert, "--signer.key", key, "--signer.trust", cert];
    const nothing = await runLight(["signer", "serve", ...keys, ...side]);
    assert.match(nothing.stderr, /there is no post-quantum key/);
    const made = JSON.parse(await ok("account", "new", "--json", ...keys));
    const classical = await runLight(["signer", "serve", made.address, ...keys, ...side]);
    assert.match(classical.stderr, /not served/);
    assert.equal((await runLight(["signer", "cert", "../x", ...out])).status, 2);
    assert.equal((await runLight(["signer", "cert", "b", "--hosts", "::1", ...out])).status, 2);
    assert.equal((await runLight(["signer"])).status, 2);
  });
});

describeSoftHsm("qnet account update --pkcs11.token", () => {
  const folder = temporaryFolder();
  before(() => initialiseToken(folder.path, "qnet-cli"));
  after(() => folder[Symbol.dispose]());

  it("seals a key, which then signs with the PIN, and takes it back", async () => {
    const { message, password, keys } = setUp(folder.path);
    const pin = join(folder.path, "pin");
    writeFileSync(pin, `${SOFTHSM_PIN}\n`);
    const module = ["--pkcs11.module", SOFTHSM_MODULE];
    const made = JSON.parse(await ok("account", "new", "--type", "ml-dsa-44", "--json", ...keys));
    const seal = ["account", "update", made.address, "--new-password", pin, ...keys];
    assert.equal((await runLight([...seal, "--pkcs11.token", "qnet-cli"])).status, 2);
    await ok(...seal, ...module, "--pkcs11.token", "qnet-cli");
    assert.match(readFileSync(made.file, "utf8"), /"function":"pkcs11"/);
    assert.equal(statSync(made.file).mode & 0o777, 0o600);

    const withPin = ["--datadir", folder.path, "--password", pin];
    const sign = ["account", "sign", made.address, message];
    assert.match((await runLight([...sign, ...withPin])).stderr, /--pkcs11\.module is needed/);
    assert.equal(proves(await ok(...sign, ...withPin, ...module)), true);
    assert.match((await runLight([...sign, ...keys, ...module])).stderr, /CKR_PIN/);

    await ok("account", "update", made.address, ...withPin, ...module, "--new-password", password);
    assert.equal(proves(await ok(...sign, ...keys)), true);
  }).timeout(120_000);
});
