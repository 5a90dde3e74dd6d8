import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../cli/commands/t8n.ts";

const KEY = "0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8";
const SENDER = "0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b";
const CONTRACT = `0x${"11".repeat(20)}`;
const ALLOC = {
  [SENDER]: { balance: "0x5ffd4878be161d74", nonce: "0xac" },
  // sstore(0, blockhash(0))
  [CONTRACT]: { balance: "1", code: "0x60004060005500", storage: { "0x5": "0x7" } },
  "0x00000961Ef480Eb55e80D19ad83579A64c007002": { balance: "0x0", code: "0x00" },
  "0x0000BBdDc7CE488642fb579F8B00f3a590007251": { balance: "0x0", code: "0x00" },
};
const ENV = {
  currentCoinbase: `0x${"c0".repeat(20)}`,
  currentGasLimit: "0x1c9c380",
  currentNumber: "1",
  currentTimestamp: "1000",
  currentRandom: "0x0",
  currentBaseFee: "7",
  parentBeaconBlockRoot: `0x${"00".repeat(32)}`,
  currentExcessBlobGas: "0x0",
  withdrawals: [],
  blockHashes: { "0": `0x${"ab".repeat(32)}` },
};
const UNSIGNED = { value: "0x1", v: "0x0", r: "0x0", s: "0x0", secretKey: KEY, gasPrice: "0x10" };
const CALL = { ...UNSIGNED, to: CONTRACT, nonce: "0xac", gas: "0x186a0", input: "0x" };

interface Folder extends AsyncDisposable {
  readonly path: string;
  t8n(inputs: { env?: unknown; txs?: unknown }, ...args: string[]): Promise<number>;
  json(name: string): Promise<Record<string, unknown>>;
}

async function folder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "t8n-"));
  const input = async (name: string, value: unknown): Promise<string> => {
    await writeFile(join(path, name), typeof value === "string" ? value : JSON.stringify(value));
    return join(path, name);
  };
  return {
    path,
    t8n: async ({ env = ENV, txs = [CALL] }, ...args) =>
      run([
        "--input.alloc",
        await input("in-alloc.json", ALLOC),
        "--input.env",
        await input("in-env.json", env),
        "--input.txs",
        await input("in-txs.json", txs),
        "--output.basedir",
        join(path, "out"),
        ...args,
      ]),
    json: async (name) => JSON.parse(await readFile(join(path, "out", name), "utf8")),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

describe("t8n", () => {
  it("writes post-state, result and body, and puts what cannot be applied aside", async () => {
    await using files = await folder();
    const txs = [CALL, CALL, { ...CALL, nonce: "0xad", to: `0x${"22".repeat(20)}` }];
    assert.equal(await files.t8n({ txs }, "--output.body", "body.rlp"), 0);
    const alloc = await files.json("alloc.json");
    assert.deepEqual(alloc[CONTRACT], {
      code: "0x60004060005500",
      storage: {
        [`0x${"0".repeat(64)}`]: `0x${"ab".repeat(32)}`,
        [`0x${"5".padStart(64, "0")}`]: `0x${"7".padStart(64, "0")}`,
      },
      balance: "0x2",
    });
    const result = await files.json("result.json");
    assert.equal(Array.isArray(result["receipts"]) && result["receipts"].length, 2);
    assert.match(JSON.stringify(result["rejected"]), /"index":1,"error":"NONCE_TOO_LOW/);
    assert.equal(result["currentDifficulty"], null);
    const again = [
      "--input.txs",
      join(files.path, "out/body.rlp"),
      "--output.result",
      "again.json",
    ];
    assert.equal(await files.t8n({}, ...again), 0);
    const second = await files.json("again.json");
    assert.equal(second["stateRoot"], result["stateRoot"]);
    assert.equal(second["txRoot"], result["txRoot"]);
  });

  it("puts a signature aside that is none", async () => {
    await using files = await folder();
    const { secretKey: _, ...unsigned } = CALL;
    const signed = { ...unsigned, r: "0x1", s: "0x1" };
    const typed = { ...signed, type: "0x2", maxFeePerGas: "0x10", maxPriorityFeePerGas: "0x0" };
    const txs = [
      unsigned,
      { ...signed, v: "0x5" },
      { ...signed, v: "0x22" },
      { ...typed, v: "0x1b" },
      { ...typed, yParity: "0x2" },
    ];
    assert.equal(await files.t8n({ txs }), 0);
    const { receipts, rejected } = await files.json("result.json");
    assert.deepEqual(receipts, []);
    assert(Array.isArray(rejected));
    assert.deepEqual(
      rejected.map(({ index, error }) => [index, /BAD_SIGNATURE/.test(error)]),
      txs.map((_, index) => [index, true]),
    );
  });

  it("reads rules from a genesis file, digits beyond 2^53 included", async () => {
    await using files = await folder();
    const file = join(files.path, "genesis.json");
    const forks =
      "homestead eip150 eip155 eip158 byzantium constantinople petersburg istanbul berlin";
    const config = Object.fromEntries(forks.split(" ").map((name) => [`${name}Block`, 0]));
    const text = JSON.stringify({ config, gasLimit: "1", alloc: {} });
    await writeFile(file, text.replace('"config":{', '"config":{"chainId":9007199254740993,'));
    const env = { ...ENV, currentDifficulty: "0x20000", blockHashes: {} };
    const to = `0x${"22".repeat(20)}`;
    const txs = [{ ...CALL, to, type: "0x1", accessList: [], chainId: "0x20000000000001" }];
    assert.equal(await files.t8n({ env, txs }, "--state.genesis", file), 0);
    const result = await files.json("result.json");
    assert.equal(result["rejected"], undefined);
    assert.equal(result["currentBaseFee"], undefined);
    await writeFile(file, "{");
    assert.equal(await files.t8n({ env, txs }, "--state.genesis", file), 10);
  });

  it("traces each transaction in a file of its own", async () => {
    await using files = await folder();
    assert.equal(await files.t8n({}, "--trace", "--trace.memory=false"), 0);
    const names = (await readdir(join(files.path, "out"))).filter((name) => name.includes("trace"));
    assert.equal(names.length, 1);
    const text = await readFile(join(files.path, "out", names[0] ?? ""), "utf8");
    const lines = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ opName }) => opName),
      ["PUSH1", "BLOCKHASH", "PUSH1", "SSTORE", "STOP", undefined],
    );
  });

  it("writes what a named tracer gives", async () => {
    await using files = await folder();
    const config = ["--trace.jsonconfig", '{"callTracer":{"withLog":true},"prestateTracer":null}'];
    assert.equal(await files.t8n({}, "--trace.tracer", "muxTracer", ...config), 0);
    const names = (await readdir(join(files.path, "out"))).filter((name) => name.includes("trace"));
    assert.match(names.join(), /^trace-0-0x[0-9a-f]{64}\.json$/);
    const { callTracer, prestateTracer } = await files.json(names[0] ?? "");
    assert.equal(Object(callTracer).to, CONTRACT);
    assert.equal(Object.keys(Object(prestateTracer)[CONTRACT].storage).length, 1);
  });

  it("ends with geth's exit statuses", async () => {
    await using files = await folder();
    const { currentRandom: _, ...noRandom } = ENV;
    assert.equal(await files.t8n({}, "--no.such.flag"), 1);
    assert.equal(await files.t8n({ env: { ...ENV, blockHashes: {} } }), 4);
    assert.equal(await files.t8n({ env: noRandom }), 3);
    assert.equal(await files.t8n({}, "--state.fork", "Nowhere"), 3);
    assert.equal(await files.t8n({}, "--trace.tracer", "no.such.tracer"), 3);
    assert.equal(
      await files.t8n({}, "--trace.tracer", "callTracer", "--trace.jsonconfig", "{"),
      10,
    );
    assert.equal(await files.t8n({ env: "{" }), 10);
    assert.equal(await files.t8n({}, "--input.env", join(files.path, "missing.json")), 11);
    await writeFile(join(files.path, "bad.rlp"), '"0xc2"');
    assert.equal(await files.t8n({}, "--input.txs", join(files.path, "bad.rlp")), 12);
  });

  it("pays the reward before the merge, and follows the parent where env is silent", async () => {
    await using files = await folder();
    const env = {
      ...ENV,
      currentBaseFee: undefined,
      parentBaseFee: "0x10",
      parentGasUsed: "0x0",
      parentGasLimit: "0x1c9c380",
      parentDifficulty: "0x20000",
      parentTimestamp: "0x3de",
      parentUncleHash: "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
      ommers: [{ delta: 1, address: `0x${"33".repeat(20)}` }],
    };
    const london = ["--state.fork", "London", "--state.reward", "2000000000000000000"];
    assert.equal(await files.t8n({ env, txs: [] }, ...london), 0);
    const result = await files.json("result.json");
    assert.equal(result["currentBaseFee"], "0xe");
    assert.equal(result["currentDifficulty"], "0x20000");
    const alloc = await files.json("alloc.json");
    assert.deepEqual(alloc[ENV.currentCoinbase], { balance: "0x1c9f78d2893e4000" });
    assert.deepEqual(alloc[`0x${"33".repeat(20)}`], { balance: "0x18493fba64ef0000" });
  });
});
