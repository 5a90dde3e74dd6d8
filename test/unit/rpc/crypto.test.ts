import assert from "node:assert/strict";
import { mlDsaPublicKey, signMlDsa } from "../../../src/crypto/pqKeys.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { parseGenesis } from "../../../src/types/genesis.ts";
import { devnetGenesis, TEST_ADDRESSES } from "../../support/chains.ts";
import { addressAt } from "../../support/execution.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";
import { startTestNode } from "../../support/rpcNode.ts";

const NAMES = {
  VERIFY_MLDSA44: addressAt(0x12),
  VERIFY_MLDSA65: addressAt(0x13),
  VERIFY_MLDSA87: addressAt(0x14),
  PQVERIFY: addressAt(0x5100),
  VERIFY_SLHDSA_SHA2_128S: addressAt(0x5114),
  VERIFY_SLHDSA_SHA2_256S: addressAt(0x5118),
  VERIFY_FALCON512: addressAt(0x5170),
};
interface ForkConfig {
  readonly activationTime: number;
  readonly forkId: string;
  readonly precompiles: Readonly<Record<string, string>>;
}

interface Forks {
  readonly current: ForkConfig;
  readonly next: ForkConfig | null;
  readonly last: ForkConfig | null;
}

interface Status {
  readonly paranoid: boolean;
  readonly algorithms: readonly {
    readonly name: string;
    readonly backend?: string;
    readonly precompiles: readonly string[];
    readonly selfTests: readonly { readonly backend: string; readonly outcome: string }[];
  }[];
}

/** A reply whose shape the test knows. */
async function ask<T>(server: TestServer, method: string, ...params: unknown[]): Promise<T> {
  const reply: unknown = await server.call(method, ...params);
  return JSON.parse(JSON.stringify(reply));
}

const ONE = `0x${"1".padStart(64, "0")}`;
const seed = new Uint8Array(32).fill(3);
const none = new Uint8Array(0);
const signed = bytesToHex(
  Buffer.concat([mlDsaPublicKey("ML-DSA-44", seed), signMlDsa("ML-DSA-44", seed, none, none)]),
);

/** The development network, where VERIFY_MLDSA44 comes at 2^40 seconds at another price and PQVERIFY goes. */
function scheduledGenesis() {
  const text = JSON.stringify(devnetGenesis().json, (_key, value) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  const json = JSON.parse(text);
  const [first, , , pqverify] = json.config.qnet.precompiles;
  first.until = 2 ** 40;
  json.config.qnet.precompiles.push({ ...first, time: 2 ** 40, until: 2 ** 41, baseGas: 7_000 });
  pqverify.until = 2 ** 41;
  return parseGenesis(json);
}

describe("the precompile map over JSON-RPC", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({}, await startTestNode(devnetGenesis()));
  });
  after(() => server[Symbol.asyncDispose]());

  it("is in eth_config by name", async () => {
    const { current, next } = await ask<Forks>(server, "eth_config");
    for (const [name, address] of Object.entries(NAMES))
      assert.equal(current.precompiles[name], address);
    assert.equal(next, null);
  });

  it("changes in eth_config, and the fork identifier with it, when an entry comes or goes", async () => {
    await using scheduled = await startTestServer({}, await startTestNode(scheduledGenesis()));
    const { current, next, last } = await ask<Forks>(scheduled, "eth_config");
    assert.ok(next && last);
    assert.equal(next.activationTime, 2 ** 40);
    assert.equal(next.precompiles["VERIFY_MLDSA44"], NAMES.VERIFY_MLDSA44);
    assert.equal(last.activationTime, 2 ** 41);
    assert.equal(last.precompiles["VERIFY_MLDSA44"], undefined);
    assert.equal(last.precompiles["PQVERIFY"], undefined);
    const ids = [current, next, last].map(({ forkId }) => forkId);
    assert.equal(new Set(ids).size, 3);
  });

  it("is warm for eth_createAccessList", async () => {
    const call = { from: TEST_ADDRESSES[0], to: NAMES.VERIFY_MLDSA44, data: signed };
    const found = await ask<{ accessList: unknown; error?: string }>(
      server,
      "eth_createAccessList",
      call,
    );
    assert.deepEqual([found.accessList, found.error], [[], undefined]);
  });

  it("moves with movePrecompileToAddress", async () => {
    const call = (to: string) =>
      server.call("eth_call", { to, data: signed }, "latest", {
        [NAMES.VERIFY_MLDSA44]: { movePrecompileToAddress: addressAt(0x999) },
      });
    assert.equal(await call(addressAt(0x999)), ONE);
    assert.equal(await call(NAMES.VERIFY_MLDSA44), "0x");
    assert.equal(await server.call("eth_call", { to: NAMES.VERIFY_MLDSA44, data: signed }), ONE);
  });

  it("answers in simulations", async () => {
    const call = { from: TEST_ADDRESSES[0], to: NAMES.VERIFY_MLDSA44, data: signed };
    const [block] = await ask<{ calls: { returnData: string }[] }[]>(
      server,
      "eth_simulateV1",
      { blockStateCalls: [{ calls: [call] }] },
      "latest",
    );
    assert.equal(block?.calls[0]?.returnData, ONE);
  });

  it("is estimated with its gas, beyond the floor of the data", async () => {
    const data = `0x${"00".repeat(4_000)}`;
    const estimate = async (to: string) =>
      Number(await server.call("eth_estimateGas", { from: TEST_ADDRESSES[0], to, data }));
    const used = (await estimate(NAMES.VERIFY_MLDSA44)) - (await estimate(addressAt(0x998)));
    // intrinsic 37,000 and 6,500 + 6 · 9 against a floor of 61,000: the floor pays for it
    assert.equal(used, 0);
    const dear = await estimate(NAMES.VERIFY_FALCON512);
    assert.ok(dear > 21_000 + 4 * 4_000 + 30_000, `${dear}`);
  });
});

describe("qnet_cryptoStatus", () => {
  it("names back ends and self tests of what the chain uses", async () => {
    await using server = await startTestServer({}, await startTestNode(devnetGenesis()));
    const status = await ask<Status>(server, "qnet_cryptoStatus");
    assert.equal(status.paranoid, false);
    assert.equal(status.algorithms.length, 16);
    const [first] = status.algorithms;
    assert.deepEqual(first, {
      name: "ML-DSA-44",
      id: "0x11",
      publicKeyBytes: "0x520",
      signatureBytes: "0x974",
      precompiles: [NAMES.VERIFY_MLDSA44],
      transactions: { transferGas: "0x148f4" },
      backend: "native",
      selfTests: [
        { backend: "native", outcome: "passed" },
        { backend: "wasm", outcome: "not loaded" },
        { backend: "noble", outcome: "not loaded" },
      ],
    });
    const falcon = status.algorithms.at(-1);
    assert.equal(falcon?.backend, "noble");
    assert.deepEqual(
      falcon?.selfTests.map(({ outcome }) => outcome),
      ["absent", "absent", "passed"],
    );
    const unused = status.algorithms.find(({ name }) => name === "SLH-DSA-SHAKE-256f");
    assert.deepEqual(unused?.precompiles, []);
  });
});
