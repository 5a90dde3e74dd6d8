import assert from "node:assert/strict";
import { nodeDefinition } from "../../../cli/definitions.ts";
import { parseOptions } from "../../../cli/parseOptions.ts";
import { serverOptions } from "../../../cli/serve.ts";
import { commandIo } from "../../support/cli.ts";

/** Namespaces that only those get who ask for them: they cost time or tell much. */
const CLOSED = ["debug", "trace", "ots", "erigon", "admin"];

function namespaces(isDev: boolean, ...args: readonly string[]): readonly string[] {
  const { values } = parseOptions(nodeDefinition, args, commandIo().io);
  return serverOptions(values, { isDev }).api;
}

describe("serverOptions", () => {
  it("keeps traces and explorers' methods closed on a node unless they are named", () => {
    const open = namespaces(false);
    assert.deepEqual(
      CLOSED.filter((name) => open.includes(name)),
      [],
    );
    assert.deepEqual(namespaces(false, "--http.api", "eth,trace"), ["eth", "trace"]);
  });

  it("opens everything but admin on a development chain", () => {
    const open = namespaces(true);
    assert.deepEqual(
      CLOSED.filter((name) => !open.includes(name)),
      ["admin"],
    );
  });
});
