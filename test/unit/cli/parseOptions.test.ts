import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { devDefinition, nodeDefinition } from "../../../cli/definitions.ts";
import { UsageError } from "../../../cli/exit.ts";
import { options } from "../../../cli/options.ts";
import { parseOptions } from "../../../cli/parseOptions.ts";
import { stateHistoryOf } from "../../../cli/stateHistory.ts";
import { commandIo, temporaryFolder } from "../../support/cli.ts";

function parseDev(args: readonly string[], env: Record<string, string> = {}) {
  return parseOptions(devDefinition, args, commandIo({ env }).io);
}

function parseNode(args: readonly string[], env: Record<string, string> = {}) {
  return parseOptions(nodeDefinition, args, commandIo({ env }).io);
}

function refused(args: readonly string[], pattern: RegExp): void {
  assert.throws(
    () => parseNode(args),
    (error) => error instanceof UsageError && pattern.test(error.message),
  );
}

describe("parseOptions", () => {
  it("takes flags over variables over the file over defaults, and says which it was", () => {
    using folder = temporaryFolder();
    const config = join(folder.path, "config.toml");
    const env = { QNET_HTTP_PORT: "2", QNET_CONFIG: config };
    writeFileSync(config, '[http]\nport = 1\napi = ["eth", "net"]\n[txpool]\npricebump = 20\n');
    const flagged = parseNode(["--http.port", "3"], env);
    assert.equal(flagged.values["http.port"], 3);
    assert.equal(flagged.sourceOf("http.port"), "flag");
    const fromVariable = parseNode([], env);
    assert.equal(fromVariable.values["http.port"], 2);
    assert.equal(fromVariable.sourceOf("http.port"), "variable");
    const fromFile = parseNode(["--config", config]);
    assert.equal(fromFile.values["http.port"], 1);
    assert.deepEqual(fromFile.values["http.api"], ["eth", "net"]);
    assert.equal(fromFile.values["txpool.pricebump"], 20);
    assert.equal(fromFile.sourceOf("txpool.pricebump"), "file");
    assert.equal(parseNode([]).values["http.port"], 8545);
    assert.equal(parseNode([]).sourceOf("http.port"), "default");
  });

  it("knows anvil's names and letters", () => {
    const { values } = parseDev(
      "-p 1 --host ::1 -a 3 -b 0.25 --balance 1.5 --no-mining --chain-id 0x7a".split(" "),
    );
    assert.equal(values["http.port"], 1);
    assert.equal(values["http.addr"], "::1");
    assert.equal(values.accounts, 3);
    assert.equal(values["block-time"], 250);
    assert.equal(values.balance, 15n * 10n ** 17n);
    assert.equal(values["no-mining"], true);
    assert.equal(values["chain-id"], 122n);
  });

  it("takes flags with a value as geth does, durations, and lists in several flags", () => {
    const { values, operands } = parseNode(
      "--ws=false --http.api eth --http.api=net,web3 --txpool.lifetime 1h30m start".split(" "),
    );
    assert.equal(values.ws, false);
    assert.deepEqual(values["http.api"], ["eth", "net", "web3"]);
    assert.equal(values["txpool.lifetime"], 5_400_000);
    assert.deepEqual(operands, ["start"]);
  });

  it("refuses unknown flags, missing and bad values by name", () => {
    refused(["--http.prot", "1"], /no option --http\.prot/);
    refused(["--gascap", "1"], /did you mean --rpc\.gascap/);
    refused(["--http.port"], /--http\.port needs a value/);
    refused(["--datadir", "--ws"], /--datadir needs a value/);
    refused(["--http.port", "70000"], /--http\.port: expected an integer from 0 to 65535/);
    refused(["--http.port", "-1"], /--http\.port needs a value \(PORT\), not a negative one/);
    refused(["--syncmode", "snap"], /--syncmode: expected full/);
    assert.throws(() => parseNode([], { QNET_HTTP_PORT: "x" }), /QNET_HTTP_PORT: expected/);
  });

  it("refuses times, ids and gas limits that no chain can have", () => {
    const of =
      (...args: string[]) =>
      () =>
        parseDev(args);
    assert.throws(
      of("--timestamp", "9".repeat(16)),
      /--timestamp: expected an integer from 0 to 9007199254740,/,
    );
    assert.throws(of("--chain-id", "0"), /--chain-id: expected an integer from 1 to/);
    assert.throws(of("--chain-id", "9".repeat(20)), /--chain-id: expected an integer from 1 to/);
    assert.throws(of("--gas-limit", "4999"), /--gas-limit: expected an integer from 5000 to/);
    const { values } = parseDev(["--timestamp", "9007199254740", "--gas-limit", "5000"]);
    assert.equal(values.timestamp, 9_007_199_254_740n);
    assert.equal(values["gas-limit"], 5_000n);
  });

  it("refuses to keep fewer states than can be undone", () => {
    const kept = (blocks: string) =>
      stateHistoryOf(parseNode(["--gcmode", "full", "--history.state", blocks]).values);
    assert.equal(kept("0"), undefined);
    assert.equal(kept("128"), 128n);
    assert.throws(() => kept("127"), /--history\.state: expected 0 or at least 128, got 127/);
  });

  it("refuses flags of later features as not supported yet", () => {
    for (const flag of ["--maxpeers", "--port", "--bootnodes", "--override.x"])
      refused([flag, "1"], /is not supported yet/);
  });

  it("refuses unknown keys of the configuration file and reports its syntax", () => {
    using folder = temporaryFolder();
    const config = join(folder.path, "config.toml");
    writeFileSync(config, "[http]\nprot = 1\n");
    refused(["--config", config], /http\.prot is not a known option/);
    writeFileSync(config, "[http\n");
    refused(["--config", config], /--config: .*config\.toml/);
    refused(["--config", join(folder.path, "none")], /ENOENT/);
  });

  it("warns of unknown variables, but not of those of tests", () => {
    const { io, err } = commandIo({
      env: { QNET_HTTP_PROT: "1", QNET_FIXTURES: "x", QNET_TEST_SEED: "1", QNET_DATADIR: "y" },
    });
    parseOptions(nodeDefinition, [], io);
    assert.equal(err.length, 1);
    assert.match(err[0] ?? "", /QNET_HTTP_PROT/);
  });

  it("has defaults that its own kinds can read", () => {
    for (const [name, { kind, fallback }] of Object.entries(options)) {
      if (typeof fallback === "string") assert.equal(kind.parse(fallback), fallback, name);
      if (kind.placeholder === "N" && fallback !== undefined)
        assert.equal(kind.parse(String(fallback)), fallback, name);
    }
  });
});
