import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError } from "../../../cli/exit.ts";
import { loadJwtSecret } from "../../../cli/jwtSecret.ts";

describe("loadJwtSecret", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "qnet-jwt-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("makes a secret that only its owner can read, and finds it again", async () => {
    const file = join(folder, "below", "jwtsecret");
    const made = await loadJwtSecret(file);
    assert.equal(made.isNew, true);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.match(await readFile(file, "utf8"), /^0x[0-9a-f]{64}\n$/);
    const again = await loadJwtSecret(file);
    assert.deepEqual([...again.secret], [...made.secret]);
    assert.equal(again.isNew, false);
  });

  it("takes 64 hex digits with or without 0x and refuses anything else", async () => {
    const file = join(folder, "jwtsecret");
    for (const content of ["ab".repeat(32), `0x${"AB".repeat(32)}\n`]) {
      await writeFile(file, content);
      assert.equal((await loadJwtSecret(file)).secret[31], 0xab);
    }
    for (const content of ["", "0x", "ab".repeat(31), "xy".repeat(32)]) {
      await writeFile(file, content);
      await assert.rejects(loadJwtSecret(file), CommandError);
    }
  });
});
