import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { decryptKeystoreJson, encryptKeystoreJson } from "ethers";
import { packageFolder } from "../../../cli/package.ts";
import { runCommand, runLight, temporaryFolder } from "../../support/cli.ts";

const privateKey = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const address = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";

describe("qnet account", function () {
  this.timeout(120_000); // each keystore costs a second of scrypt, and several on a busy machine

  it("writes a keystore that ethers and cast read, and only its owner may", async () => {
    using folder = temporaryFolder();
    const password = join(folder.path, "password");
    const keyFile = join(folder.path, "key");
    writeFileSync(password, "open sesame\n");
    writeFileSync(keyFile, `${privateKey}\n`);
    const common = ["--datadir", folder.path, "--password", password];
    const imported = await runCommand(["account", "import", keyFile, ...common, "--json"]);
    assert.equal(imported.status, 0, imported.stderr);
    const { file, address: shown } = JSON.parse(imported.stdout);
    assert.equal(shown, address);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(readdirSync(join(folder.path, "keystore")).length, 1);
    const wallet = await decryptKeystoreJson(readFileSync(file, "utf8"), "open sesame");
    assert.equal(wallet.privateKey, privateKey);
    const cast = join(packageFolder(), "node_modules/.bin/cast");
    const { stdout } = await promisify(execFile)(cast, [
      "wallet",
      "address",
      "--keystore",
      file,
      "--password",
      "open sesame",
    ]);
    assert.equal(stdout.trim().toLowerCase(), address);

    const exported = await runCommand(["account", "export", address, ...common]);
    assert.equal(exported.stdout.trim(), privateKey);
    assert.match((await runCommand(["account", "list", ...common])).stdout, new RegExp(address));
    const again = await runCommand(["account", "import", keyFile, ...common]);
    assert.equal(again.status, 1);
    assert.match(again.stderr, /already/);
    writeFileSync(password, "wrong\n");
    const wrong = await runCommand(["account", "export", address, ...common]);
    assert.equal(wrong.status, 1);
    assert.match(wrong.stderr, /Fatal: wrong password/);
  });

  it("imports a keystore that ethers made", async () => {
    using folder = temporaryFolder();
    const password = join(folder.path, "password");
    const keyFile = join(folder.path, "key.json");
    writeFileSync(password, "x");
    const options = { scrypt: { N: 1024, r: 8, p: 1 } };
    writeFileSync(keyFile, await encryptKeystoreJson({ address, privateKey }, "x", options));
    const common = ["--datadir", folder.path, "--password", password];
    const { status, stdout } = await runLight(["account", "import", keyFile, ...common]);
    assert.equal(status, 0);
    assert.match(stdout, new RegExp(address));
  });

  it("asks on a terminal, twice for a new key, and refuses without one", async () => {
    using folder = temporaryFolder();
    const args = ["account", "new", "--keystore", folder.path];
    assert.equal((await runLight(args)).status, 2);
    const answers = ["a", "b"];
    const differing = await runLight(args, { askSecret: async () => answers.pop() ?? "" });
    assert.match(differing.stderr, /differ/);
    const made = await runLight(args, { askSecret: async () => "a" });
    assert.equal(made.status, 0);
  });

  it("refuses what is no key", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "key");
    writeFileSync(file, "0x1234");
    const { status, stderr } = await runLight(["account", "import", file, "--password", file]);
    assert.equal(status, 1);
    assert.match(stderr, /neither 64 hex digits/);
  });

  for (const type of ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87", "slh-dsa-sha2-128s"]) {
    it(`keeps a seed of ${type}: new, list, export, import again`, async () => {
      using folder = temporaryFolder();
      const password = join(folder.path, "password");
      writeFileSync(password, "open sesame\n");
      const common = ["--datadir", folder.path, "--password", password, "--json"];
      const made = await runLight(["account", "new", "--type", type, ...common]);
      assert.equal(made.status, 0, made.stderr);
      const key = JSON.parse(made.stdout);
      assert.equal(key.type, type);
      assert.equal(statSync(key.file).mode & 0o777, 0o600);
      const listed = await runLight(["account", "list", ...common]);
      assert.deepEqual(JSON.parse(listed.stdout), [key]);
      const exported = await runLight(["account", "export", key.address, ...common]);
      const { seed, address: shown } = JSON.parse(exported.stdout);
      assert.equal(shown, key.address);
      const content = readFileSync(key.file, "utf8");
      assert.doesNotMatch(content, new RegExp(seed.slice(2)));
      assert.match(content, /"memory":19456/);
      const seedFile = join(folder.path, "seed");
      writeFileSync(seedFile, seed);
      const elsewhere = [...common, "--keystore", join(folder.path, "other")];
      const again = await runLight(["account", "import", seedFile, "--type", type, ...elsewhere]);
      assert.equal(JSON.parse(again.stdout).address, key.address);
    });
  }

  it("imports the keys of a mnemonic, by type and index", async () => {
    using folder = temporaryFolder();
    const words = join(folder.path, "words");
    writeFileSync(words, `${"test ".repeat(11)} junk\n`);
    writeFileSync(join(folder.path, "password"), "x");
    const common = ["--datadir", folder.path, "--password", join(folder.path, "password")];
    const imported = async (...args: string[]) =>
      (await runLight(["account", "import", words, ...args, ...common])).stdout.split(" ")[0];
    assert.equal(await imported(), address);
    assert.equal(
      await imported("--type", "ml-dsa-44", "--index", "1"),
      "0x67a87504518758ad15e52fe42af099b461a099f8",
    );
    assert.equal(await imported("--index", "1"), "0x70997970c51812dc3a010c7d01b50e0d17dc79c8");
    const made = await runLight(["account", "mnemonic"]);
    assert.equal(made.stdout.trim().split(" ").length, 24);
    writeFileSync(words, made.stdout);
    assert.match((await imported("--type", "ml-dsa-87")) ?? "", /^0x/);
  });

  it("spends 256 MiB on a password unless told to spend less", async () => {
    using folder = temporaryFolder();
    const password = join(folder.path, "password");
    writeFileSync(password, "x");
    const args = ["account", "new", "--type", "ml-dsa-44", "--json", "--datadir", folder.path];
    const made = await runCommand([...args, "--password", password]);
    const content = readFileSync(JSON.parse(made.stdout).file, "utf8");
    assert.match(content, /"function":"argon2id".*"memory":262144,"passes":3,"parallelism":4/);
  });

  it("changes a password in place, with a new salt", async () => {
    using folder = temporaryFolder();
    const [old, changed] = [join(folder.path, "old"), join(folder.path, "new")];
    writeFileSync(old, "a");
    writeFileSync(changed, "b");
    const datadir = ["--datadir", folder.path];
    for (const type of ["secp256k1", "ml-dsa-44"]) {
      const args = ["--type", type, "--password", old, "--json", ...datadir];
      const key = JSON.parse((await runLight(["account", "new", ...args])).stdout);
      const before = readFileSync(key.file, "utf8");
      const update = ["account", "update", key.address, ...datadir];
      const done = await runLight([...update, "--password", old, "--new-password", changed]);
      assert.equal(done.status, 0, done.stderr);
      const salt = /"salt":"([0-9a-f]+)"/;
      assert.notEqual(salt.exec(readFileSync(key.file, "utf8"))?.[1], salt.exec(before)?.[1]);
      const open = ["account", "export", key.address, ...datadir, "--password"];
      assert.match((await runLight([...open, old])).stderr, /Fatal: wrong password/);
      assert.equal((await runLight([...open, changed])).status, 0);
    }
    assert.equal(readdirSync(join(folder.path, "keystore")).length, 2);
  });
});
