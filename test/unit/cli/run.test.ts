import assert from "node:assert/strict";
import { definitions } from "../../../cli/definitions.ts";
import { describeFailure, EXIT, exitStatusOf } from "../../../cli/exit.ts";
import { ServerError } from "../../../rpc/listen.ts";
import { ExecutionFault } from "../../../src/execution/evm.ts";
import { ZERO_HASH } from "../../../src/primitives/hex.ts";
import { StateError } from "../../../src/state/stateError.ts";
import { StorageError } from "../../../src/storage/storageError.ts";
import { GenesisError } from "../../../src/types/genesis.ts";
import { runCommand, temporaryFolder } from "../../support/cli.ts";

describe("run", () => {
  it("lists the commands and shows the options of one", async () => {
    const overview = await runCommand(["--help"]);
    assert.equal(overview.status, EXIT.ok);
    for (const { name } of definitions)
      assert.match(overview.stdout, new RegExp(`^  ${name} `, "m"));
    const dev = await runCommand(["dev", "--help"]);
    assert.equal(dev.status, EXIT.ok);
    assert.match(dev.stdout, /-b, --block-time DURATION/);
    assert.equal((await runCommand(["help", "dev"])).stdout, dev.stdout);
    assert.equal((await runCommand(["t8n", "--help"])).status, EXIT.ok);
  });

  it("says fatal and why on stderr, status 2, for a bad command line", async () => {
    for (const args of [["nonsense"], ["version", "--bad"], ["init"], ["db", "mend"], ["--bad"]]) {
      const { status, stdout, stderr } = await runCommand(args);
      assert.equal(status, EXIT.usage, args.join(" "));
      assert.equal(stdout, "");
      assert.match(stderr, /^Fatal: /);
    }
  });

  it("prints the version as JSON", async () => {
    const { stdout } = await runCommand(["version", "--json"]);
    const { name, version } = JSON.parse(stdout);
    assert.equal(name, "qnet");
    assert.match(version, /^\d+\.\d+\.\d+/);
    assert.match((await runCommand(["--version"])).stdout, /^qnet /);
  });
});

describe("exitStatusOf", () => {
  it("gives each kind of failure its status", () => {
    const path = "/data";
    assert.equal(exitStatusOf(new StorageError({ code: "LOCKED", path, pid: 7 })), 3);
    assert.equal(exitStatusOf(new GenesisError([{ path: "", message: "x" }])), 4);
    assert.equal(exitStatusOf(new StorageError({ code: "DAMAGED", path, detail: "x" })), 5);
    assert.equal(exitStatusOf(new Error("x")), 1);
    const hash = ZERO_HASH;
    const missing = new StateError({ code: "MISSING_NODE", root: hash, path: "d", hash });
    const fault = { code: "EXECUTION_FAULT", during: "transaction", message: "x" } as const;
    assert.equal(exitStatusOf(new ExecutionFault(fault, { cause: missing })), 5);
    assert.equal(exitStatusOf(new ExecutionFault(fault)), 1);
  });
});

describe("describeFailure", () => {
  it("names the holder of a locked data directory", () => {
    const locked = new StorageError({ code: "LOCKED", path: "/data", pid: 7 });
    assert.match(describeFailure(locked), /\/data is in use by process 7/);
  });

  it("says in words why no server can stand at an address", () => {
    const place = { host: "192.0.2.1", port: 8545 };
    const cause = "EADDRNOTAVAIL";
    const text = describeFailure(new ServerError({ code: "CANNOT_LISTEN", ...place, cause }));
    assert.match(text, /port 8545 of 192\.0\.2\.1: this machine has no such address/);
    const busy = describeFailure(new ServerError({ code: "PORT_BUSY", ...place }));
    assert.match(busy, /port 8545 of 192\.0\.2\.1 is in use/);
  });

  it("shows no stack of what the operating system refuses, and takes no folder for a genesis", async () => {
    using folder = temporaryFolder();
    const read = await runCommand(["account", "import", folder.path, "--keystore", folder.path]);
    assert.equal(read.status, EXIT.general);
    assert.match(read.stderr, /^Fatal: EISDIR[^\n]*\n$/);
    const init = await runCommand(["init", folder.path, "--datadir", folder.path]);
    assert.equal(init.status, EXIT.genesis);
    assert.match(init.stderr, /^Fatal: "[^\n]*nor a file\n$/);
  });
});
