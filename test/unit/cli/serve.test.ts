import assert from "node:assert/strict";
import { devDefinition, nodeDefinition } from "../../../cli/definitions.ts";
import { parseOptions } from "../../../cli/parseOptions.ts";
import { serverOptions } from "../../../cli/serve.ts";
import { commandIo } from "../../support/cli.ts";

/** Namespaces that only those get who ask for them: they cost time or tell much. */
const CLOSED = ["debug", "trace", "ots", "erigon", "admin"];

function namespaces(isDev: boolean, ...args: readonly string[]): readonly string[] {
  const { values } = parseOptions(nodeDefinition, args, commandIo().io);
  return serverOptions(values, { isDev, datadir: undefined }).api;
}

describe("--ipcpath and --ipc", () => {
  const pathOf = (definition: typeof devDefinition | typeof nodeDefinition, ...args: string[]) => {
    const { values } = parseOptions(definition, args, commandIo().io);
    return serverOptions(values, { isDev: false, datadir: "/data" }).ipcPath;
  };

  it("open a socket only for who asks", () => {
    assert.equal(pathOf(nodeDefinition), undefined);
    assert.equal(pathOf(devDefinition), undefined);
    assert.equal(pathOf(nodeDefinition, "--ipcpath", "a.ipc", "--ipcdisable"), undefined);
  });

  it("take a path, or a name in the data directory as geth", () => {
    assert.equal(pathOf(nodeDefinition, "--ipcpath", "/run/a.ipc"), "/run/a.ipc");
    assert.equal(pathOf(nodeDefinition, "--ipcpath", "./a.ipc"), "./a.ipc");
    assert.equal(pathOf(nodeDefinition, "--ipcpath", "a.ipc"), "/data/a.ipc");
  });

  it("need no path where anvil needs none", () => {
    assert.equal(pathOf(devDefinition, "--ipc"), "/tmp/anvil.ipc");
    assert.equal(pathOf(devDefinition, "--ipc", "--silent"), "/tmp/anvil.ipc");
    assert.equal(pathOf(devDefinition, "--ipc", "/run/a.ipc"), "/run/a.ipc");
    assert.equal(pathOf(devDefinition, "--ipc=/run/a.ipc"), "/run/a.ipc");
    assert.throws(() => pathOf(devDefinition, "--ipcpath"), /--ipcpath needs a value/);
    assert.throws(() => pathOf(nodeDefinition, "--ipc", "a"), /no option --ipc/);
  });
});

describe("serverOptions", () => {
  it("keeps traces and explorers' methods closed on a node unless they are named", () => {
    const open = namespaces(false);
    assert.deepEqual(
      CLOSED.filter((name) => open.includes(name)),
      [],
    );
    assert.deepEqual(namespaces(false, "--http.api", "eth,trace"), ["eth", "trace"]);
  });

  it("refuses a namespace that has no method, and lists those that have", () => {
    assert.throws(
      () => namespaces(false, "--http.api", "eth,dbug"),
      /--http\.api: no namespace is called "dbug", there are .*debug,.*eth,/,
    );
    assert.throws(() => namespaces(true, "--ws", "--ws.api", "engine2"), /--ws\.api: no namespace/);
  });

  it("opens everything but admin on a development chain", () => {
    const open = namespaces(true);
    assert.deepEqual(
      CLOSED.filter((name) => !open.includes(name)),
      ["admin"],
    );
  });
});
