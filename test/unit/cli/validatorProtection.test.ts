import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { signingRecordsFolder } from "../../../cli/dataFolder.ts";
import { ProtectionLog } from "../../../src/consensus/signing/protectionLog.ts";
import { ValidatorSigner } from "../../../src/consensus/signing/validatorSigner.ts";
import { MlDsaKey } from "../../../src/crypto/mlDsaKey.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { runCommand, temporaryFolder } from "../../support/cli.ts";
import { identityOf, seal, vote } from "../../support/signing.ts";

const key = new MlDsaKey(new Uint8Array(32).fill(7));

async function openSigner(datadir: string): Promise<ValidatorSigner> {
  const database = await openDatabase({ path: signingRecordsFolder(datadir, key.keyHash) });
  return new ValidatorSigner({ key, log: await ProtectionLog.open(database, identityOf(key)) });
}

describe("qnet validator protection", () => {
  it("moves what was signed to another data directory", async () => {
    using from = temporaryFolder();
    using to = temporaryFolder();
    const signer = await openSigner(from.path);
    await signer.sign(seal(9, 0));
    await signer.sign(vote(0, 4));
    await signer.close();
    const file = join(from.path, "records.json");
    const exported = await runCommand([
      ...["validator", "protection", "export", file],
      ...["--datadir", from.path],
    ]);
    assert.equal(exported.status, 0, exported.stderr);
    const printed = await runCommand(["validator", "protection", "export", "--datadir", from.path]);
    assert.equal(printed.stdout, readFileSync(file, "utf8"));
    const imported = await runCommand([
      ...["validator", "protection", "import", file],
      ...["--datadir", to.path],
    ]);
    assert.equal(imported.status, 0, imported.stderr);
    const moved = await openSigner(to.path);
    assert.deepEqual([moved.bounds.slot, moved.bounds.target], [9, 4]);
    await moved.close();
  });

  it("refuses broken files, absent records and wrong usage", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "bad.json");
    writeFileSync(file, "{}");
    const common = ["--datadir", folder.path];
    const bad = await runCommand(["validator", "protection", "import", file, ...common]);
    assert.equal(bad.status, 1);
    assert.match(bad.stderr, /metadata/);
    const none = await runCommand(["validator", "protection", "export", ...common]);
    assert.match(none.stderr, /no signing records/);
    assert.match((await runCommand(["validator", "nonsense"])).stderr, /usage: qnet validator/);
  });
});
