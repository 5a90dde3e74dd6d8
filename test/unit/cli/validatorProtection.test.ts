import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { signingRecordsFolder } from "../../../cli/dataFolder.ts";
import { ProtectionLog } from "../../../src/consensus/signing/protectionLog.ts";
import { SigningError } from "../../../src/consensus/signing/signingError.ts";
import { ValidatorSigner } from "../../../src/consensus/signing/validatorSigner.ts";
import { MlDsaKey } from "../../../src/crypto/mlDsaKey.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { runCommand, temporaryFolder } from "../../support/cli.ts";
import { ack, identityOf, seal, vote } from "../../support/signing.ts";

const key = new MlDsaKey(new Uint8Array(32).fill(7));

async function openSigner(datadir: string): Promise<ValidatorSigner> {
  const database = await openDatabase({ path: signingRecordsFolder(datadir, key.keyHash) });
  return new ValidatorSigner({ key, log: await ProtectionLog.open(database, identityOf(key)) });
}

const isRefusal = (code: string) => (error: unknown) =>
  error instanceof SigningError && error.reason.code === code;

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

  it("signs again after another process, above what that one has signed", async () => {
    using folder = temporaryFolder();
    const adopt = (...operands: string[]) =>
      runCommand(["validator", "protection", "adopt", ...operands, "--datadir", folder.path]);
    const none = await adopt(key.keyHash, "1", "1");
    assert.match(none.stderr, /no signing records/);
    const signer = await openSigner(folder.path);
    await signer.sign(seal(3, 0));
    await signer.close();
    assert.match((await adopt(key.keyHash, "9", "9")).stderr, /no other process has signed/);
    const stopped = await openSigner(folder.path);
    assert.equal(await stopped.noteSeen(vote(0, 7)), false);
    await assert.rejects(stopped.sign(seal(20, 0)), isRefusal("FOREIGN_MESSAGE"));
    await stopped.close();
    for (const wrong of [["3", "9"], ["20", "7"], ["x", "9"], ["20"]])
      assert.notEqual((await adopt(key.keyHash, ...wrong)).status, 0, wrong.join(" "));
    const done = await adopt(key.keyHash, "20", "9");
    assert.equal(done.status, 0, done.stderr);
    const again = await openSigner(folder.path);
    await assert.rejects(again.sign(seal(19, 0)), isRefusal("SEAL_NOT_NEWER"));
    await assert.rejects(again.sign(vote(7, 8)), isRefusal("VOTE_NOT_NEWER"));
    assert.equal((await again.sign(seal(20, 0))).length, 2420);
    assert.equal((await again.sign(vote(8, 9))).length, 2420);
    assert.equal((await again.sign(ack(9))).length, 2420);
    await again.close();
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
