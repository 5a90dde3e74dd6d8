import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeDefinition } from "../../../cli/definitions.ts";
import { parseOptions } from "../../../cli/parseOptions.ts";
import { serverOptions } from "../../../cli/serve.ts";
import { serverFiles } from "../../../cli/serverFiles.ts";
import { commandIo } from "../../support/cli.ts";

const pem = (name: string) =>
  fileURLToPath(new URL(`../../support/tls/${name}.pem`, import.meta.url));
const parse = (...args: readonly string[]) =>
  parseOptions(nodeDefinition, args, commandIo().io).values;
const files = (...args: readonly string[]) => serverFiles(parse(...args));

describe("serverFiles", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "qnet-files-"));
  });
  after(() => rm(folder, { recursive: true }));
  const write = async (content: unknown): Promise<string> => {
    const file = join(folder, "keys.json");
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
    return file;
  };

  it("asks for nothing by itself", async () => {
    assert.deepEqual(await files(), { unitsPerSecond: 0 });
  });

  it("reads API keys, whole or by their hash", async () => {
    const sha256 = createHash("sha256").update("another key of 16").digest("hex");
    const file = await write([
      { name: "a", key: "0123456789abcdef", ratelimit: 50, api: ["eth"] },
      { name: "b", sha256 },
    ]);
    const { apiKeys } = await files("--rpc.keys", file);
    assert.deepEqual(apiKeys, [
      {
        name: "a",
        sha256: createHash("sha256").update("0123456789abcdef").digest("hex"),
        unitsPerSecond: 50,
        namespaces: ["eth"],
      },
      { name: "b", sha256 },
    ]);
  });

  it("refuses files of keys that mean nothing", async () => {
    const key = "0123456789abcdef";
    const bad: readonly (readonly [unknown, RegExp])[] = [
      ["{", /not JSON/],
      [{}, /expected array/],
      [[{ name: "a", key: "short" }], /key/],
      [[{ name: "a" }], /either key or sha256/],
      [[{ name: "a", key, sha256: "00".repeat(32) }], /either key or sha256/],
      [[{ name: "a", key, rate: 5 }], /rate/],
      [[{ name: "a", key, ratelimit: 9 }], /at least 10/],
      [
        [
          { name: "a", key },
          { name: "b", key },
        ],
        /the same key/,
      ],
      [
        [
          { name: "a", key },
          { name: "a", key: `${key}0` },
        ],
        /the same name/,
      ],
    ];
    for (const [content, text] of bad)
      await assert.rejects(files("--rpc.keys", await write(content)), text);
    await assert.rejects(files("--rpc.keys", join(folder, "none")), /cannot read/);
  });

  it("reads a certificate and its key, which must fit", async () => {
    const { tls } = await files(
      ...["--http.tls.cert", pem("one.cert"), "--http.tls.key", pem("one.key")],
    );
    assert.match(tls?.cert ?? "", /BEGIN CERTIFICATE/);
    await assert.rejects(files("--http.tls.cert", pem("one.cert")), /go together/);
    await assert.rejects(
      files("--http.tls.cert", pem("one.cert"), "--http.tls.key", pem("two.key")),
      /no certificate and its key/,
    );
  });

  it("refuses a rate that no call could keep", async () => {
    await assert.rejects(files("--rpc.ratelimit", "9"), /at least 10/);
    assert.equal((await files("--rpc.ratelimit", "10")).unitsPerSecond, 10);
  });
});

describe("the WebSocket options", () => {
  const socket = (...args: readonly string[]) =>
    serverOptions(parse(...args), { isDev: false, datadir: undefined }).ws;

  it("open a port of its own only with --ws, at the address of HTTP unless another is named", () => {
    assert.deepEqual(socket("--ws.port", "9000"), { api: undefined, origins: undefined });
    const own = { api: undefined, origins: undefined, port: 8546, hosts: ["127.0.0.1"] };
    assert.deepEqual(socket("--ws"), own);
    assert.deepEqual(socket("--ws", "--ws.addr", "::1"), { ...own, hosts: ["::1"] });
    assert.deepEqual(socket("--ws", "--ws.port", "8545"), { api: undefined, origins: undefined });
  });

  it("pass namespaces and origins on", () => {
    assert.deepEqual(socket("--ws.api", "eth,net", "--ws.origins", "https://a.example"), {
      api: ["eth", "net"],
      origins: ["https://a.example"],
    });
  });
});
