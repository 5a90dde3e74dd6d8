import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runLight, temporaryFolder } from "../../support/cli.ts";

async function ok(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runLight(args);
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

describe("qnet account encrypt and decrypt", function () {
  this.timeout(120_000);

  it("seals a file to the card of an account, and gives it back to its holder alone", async () => {
    using folder = temporaryFolder();
    const path = (name: string) => join(folder.path, name);
    writeFileSync(path("password"), "open sesame\n");
    const keys = ["--datadir", folder.path, "--password", path("password")];
    const made = async (type: string) =>
      JSON.parse(await ok("account", "new", "--type", type, "--json", ...keys)).address;
    const [alice, bob] = [await made("ml-dsa-44"), await made("ml-dsa-65")];
    writeFileSync(path("card"), await ok("account", "card", alice, ...keys));
    writeFileSync(path("plan.txt"), "meet at noon");

    const other = await runLight(["account", "encrypt", bob, path("card"), path("plan.txt")]);
    assert.match(other.stderr, new RegExp(`is the card of ${alice}, not of ${bob}`));
    const sealed = await ok("account", "encrypt", alice, path("card"), path("plan.txt"));
    assert.equal(sealed, path("plan.txt.sealed"));
    assert.doesNotMatch(readFileSync(sealed, "latin1"), /noon/);

    const open = ["account", "decrypt", alice, sealed, ...keys];
    assert.match((await runLight(open)).stderr, /plan\.txt exists already/);
    rmSync(path("plan.txt"));
    const wrong = await runLight(["account", "decrypt", bob, sealed, ...keys]);
    assert.match(wrong.stderr, new RegExp(`is sealed to ${alice}`));
    assert.equal(existsSync(path("plan.txt")), false);
    assert.equal(await ok(...open), path("plan.txt"));
    assert.equal(readFileSync(path("plan.txt"), "utf8"), "meet at noon");
    assert.equal(statSync(path("plan.txt")).mode & 0o777, 0o600);
  });

  it("refuses secp256k1 accounts, other files, and files that are too long", async () => {
    using folder = temporaryFolder();
    const path = (name: string) => join(folder.path, name);
    writeFileSync(path("password"), "x");
    const keys = ["--datadir", folder.path, "--password", path("password")];
    const { address } = JSON.parse(await ok("account", "new", "--json", ...keys));
    const card = await runLight(["account", "card", address, ...keys]);
    assert.match(card.stderr, /post-quantum accounts only/);
    writeFileSync(path("x.sealed"), "nothing of the kind");
    const none = await runLight(["account", "decrypt", address, path("x.sealed"), ...keys]);
    assert.match(none.stderr, /is no sealed message/);
    const name = await runLight(["account", "decrypt", address, path("password"), ...keys]);
    assert.match(name.stderr, /ends in \.sealed/);
    writeFileSync(path("long.sealed"), "");
    truncateSync(path("long.sealed"), 70_000_000);
    const long = await runLight(["account", "decrypt", address, path("long.sealed"), ...keys]);
    assert.match(long.stderr, /more than 67110030/);
  });
});
