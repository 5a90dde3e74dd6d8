import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createChainFiles } from "../../cli/chainFiles.ts";
import { RpcError } from "../../rpc/errors.ts";
import { QNode } from "../../src/node/node.ts";
import { concatBytes } from "../../src/primitives/bytes.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { encodeBlock } from "../../src/types/block.ts";
import { decodeSealedBlock } from "../../src/types/sealedBlock.ts";
import { plainGenesis, readFixtureChain } from "../support/chains.ts";
import { startDevNode } from "../support/devNode.ts";
import { asObject, refused } from "../support/rpcChecks.ts";
import { startTestServer, type TestServer } from "../support/rpcClient.ts";

const { genesis, blocks } = readFixtureChain();

async function serve(from = genesis, stop = new AbortController().signal): Promise<TestServer> {
  const options = { clientVersion: "qnet/test", log: silentLogger, recoveryThreads: 0 };
  const node = await QNode.start({ genesis: from, ...options });
  return startTestServer({ api: ["admin"], chainFiles: createChainFiles(node, stop) }, node);
}

describe("admin_exportChain and admin_importChain", () => {
  let folder: string;
  let full: TestServer;
  const file = (name: string) => join(folder, name);
  const raw = (first: number, last: number) =>
    Buffer.from(
      concatBytes(
        ...blocks
          .filter(({ header: { number } }) => number >= first && number <= last)
          .map(encodeBlock),
      ),
    );
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "qnet-files-"));
    full = await serve();
    writeFileSync(file("given.rlp"), raw(1, blocks.length));
    assert.equal(await full.call("admin_importChain", file("given.rlp")), true);
  });
  after(async () => {
    await full[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it("import what a file has, and skip what is there", async () => {
    assert.equal(full.node.chain.head.header.number, 54n);
    assert.equal(await full.call("admin_importChain", file("given.rlp")), true);
    assert.equal(full.node.chain.head.header.number, 54n);
  });

  it("write all blocks, or some, packed by the ending; another node takes them", async () => {
    assert.equal(await full.call("admin_exportChain", file("all.rlp.gz")), true);
    assert.deepEqual(
      gunzipSync(readFileSync(file("all.rlp.gz"))).subarray(-raw(1, 54).length),
      raw(1, 54),
    );
    await full.call("admin_exportChain", file("some.rlp"), 7, 9);
    assert.deepEqual(readFileSync(file("some.rlp")), raw(7, 9));
    await full.call("admin_exportChain", file("rest.rlp"), "0x34");
    assert.deepEqual(readFileSync(file("rest.rlp")), raw(52, 54));
    await using other = await serve();
    assert.equal(await other.call("admin_importChain", file("all.rlp.gz")), true);
    assert.equal(other.node.chain.head.hash, full.node.chain.head.hash);
  });

  it("never write over a file, and leave nothing half-written", async () => {
    writeFileSync(file("mine.txt"), "mine");
    const before = readdirSync(folder);
    const exporting = (...params: unknown[]) => full.call("admin_exportChain", ...params);
    await refused(
      exporting(file("mine.txt")),
      -32_000,
      /^location would overwrite an existing file$/,
    );
    await refused(
      exporting(file("a"), null, 3),
      -32_000,
      /^last cannot be specified without first$/,
    );
    await refused(exporting(file("a"), 3, 55), -32_000, /not all there: the head is 54/);
    await refused(exporting(file("none/a")), -32_000, /ENOENT.*none/);
    assert.deepEqual(readdirSync(folder), before);
    assert.equal(readFileSync(file("mine.txt"), "utf8"), "mine");
  });

  it("say why a file is refused", async () => {
    const importing = (server: TestServer, name: string) =>
      server.call("admin_importChain", file(name));
    await refused(importing(full, "absent"), -32_000, /absent cannot be read: ENOENT/);
    writeFileSync(file("cut.rlp"), raw(1, 3).subarray(0, -1));
    await refused(importing(full, "cut.rlp"), -32_000, /ends inside block 3 of the file/);
    await using other = await serve(plainGenesis());
    await refused(importing(other, "given.rlp"), -32_000, /block 1: parentHash/);
  });

  it("run one at a time, and end when the node stops", async () => {
    const [first, second] = await Promise.allSettled([
      full.call("admin_exportChain", file("one.rlp")),
      full.call("admin_importChain", file("given.rlp")),
    ]);
    const failures = [first, second].filter(({ status }) => status === "rejected");
    assert.equal(failures.length, 1);
    await using stopping = await serve(genesis, AbortSignal.abort());
    await refused(stopping.call("admin_exportChain", file("two.rlp")), -32_000, /^interrupted$/);
  });

  it("export a development chain with its seals, and leave its blocks to consensus", async () => {
    await using dev = await startDevNode();
    await dev.call("evm_mine");
    const files = createChainFiles(dev.node, new AbortController().signal);
    await files.exportChain(file("dev.rlp"), 1n);
    const written = new Uint8Array(readFileSync(file("dev.rlp")));
    const { block, seal } = decodeSealedBlock(written, written.length);
    assert.equal(block.hash, dev.node.chain.head.hash);
    assert.ok(seal !== undefined);
    await assert.rejects(
      files.importChain(file("dev.rlp")),
      (error) =>
        error instanceof RpcError &&
        error.reason.code === "REFUSED" &&
        /not supported yet while consensus runs/.test(error.reason.text),
    );
  });

  it("are for trusted callers, and absent where a server has no files", async () => {
    for (const method of ["admin_exportChain", "admin_importChain"]) {
      const body = { jsonrpc: "2.0", id: 1, method, params: [file("page")] };
      const response = await full.post(body, { origin: "http://localhost:3000" });
      const { error } = asObject(await response.json());
      assert.match(String(asObject(error)["message"]), /is for programs on this machine/);
    }
    await using plain = await startTestServer({ api: ["admin"] });
    await refused(plain.call("admin_importChain", "x"), -32_000, /not supported by this server/);
  });
});
