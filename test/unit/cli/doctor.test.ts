import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT } from "../../../cli/exit.ts";
import { runCommand } from "../../support/cli.ts";

type Findings = readonly { what: string; verdict: string; detail: string }[];

async function findings(...args: string[]): Promise<{ status: number; found: Findings }> {
  const { status, stdout } = await runCommand(["doctor", "--json", ...args]);
  return { status, found: JSON.parse(stdout) };
}

const verdictOf = (found: Findings, what: string) =>
  found.find((finding) => finding.what === what)?.verdict;

describe("qnet doctor", function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "qnet-doctor-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("looks at everything that a node needs, and leaves nothing behind", async () => {
    const { found } = await findings("--http.port", "0", "--datadir", join(folder, "not", "yet"));
    const names = ["Node", "heap limit", "keccak-256", "secp256k1", "ML-DSA-44", "ML-DSA-87"];
    for (const what of [...names, "port", "clock", "disk", "disk sync", "lock"])
      assert.notEqual(verdictOf(found, what), undefined, what);
    assert.equal(verdictOf(found, "Node"), "ok");
    assert.equal(verdictOf(found, "lock"), "ok");
    assert.deepEqual(readdirSync(folder), []);
  });

  it("finds a port that is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const address = server.address();
      assert.ok(address !== null && typeof address === "object");
      const { status, found } = await findings("--http.port", String(address.port));
      assert.equal(status, EXIT.general);
      assert.equal(verdictOf(found, "port"), "bad");
    } finally {
      server.close();
    }
  });

  it("finds the process that has the data directory open", async () => {
    mkdirSync(join(folder, "chain"));
    writeFileSync(join(folder, "chain", "PID"), `${process.pid}\n`);
    const { status, found } = await findings("--http.port", "0", "--datadir", folder);
    assert.equal(status, EXIT.general);
    const lock = found.find(({ what }) => what === "lock");
    assert.match(lock?.detail ?? "", new RegExp(`process ${process.pid} `));
  });

  it("prints one line each for people", async () => {
    const { stdout } = await runCommand(["doctor", "--http.port", "0"]);
    assert.match(stdout, /^ok +Node +24\./m);
    assert.match(stdout, /^\w+ +secp256k1 +/m);
  });
});
