import assert from "node:assert/strict";
import { payloadView } from "../../../rpc/payload.ts";
import { startRpcServer } from "../../../rpc/server.ts";
import { ZERO_HASH } from "../../../src/primitives/hex.ts";
import { type Block, makeBlock } from "../../../src/types/block.ts";
import {
  devnetGenesis,
  mineTestBlock,
  plainGenesis,
  testTransaction,
} from "../../support/chains.ts";
import { startTestNode, type TestNode } from "../../support/rpcNode.ts";
import { engineToken } from "../../tools/rpc-compat.mjs";

const secret = new Uint8Array(32).fill(3);
const UNKNOWN = `0x${"77".repeat(32)}`;

interface Served extends AsyncDisposable {
  readonly url: string | undefined;
  call(method: string, ...params: readonly unknown[]): Promise<unknown>;
}

async function serve(node: TestNode): Promise<Served> {
  const engine = { host: "127.0.0.1", port: 0, secret };
  const server = await startRpcServer(node, {
    hosts: ["127.0.0.1"],
    port: 0,
    api: ["eth"],
    engine,
  });
  const url = server.engineUrl;
  return {
    url,
    async call(method, ...params) {
      const response = await fetch(url ?? "", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: `Bearer ${engineToken(Buffer.from(secret).toString("hex"))}`,
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      });
      const reply = Object(await response.json());
      if (reply.error !== undefined) throw reply.error;
      return reply.result;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}

function payloadOf(block: Block, changes: object = {}): object {
  return { ...Object(payloadView.encode(block)), ...changes };
}

describe("Engine API", () => {
  let source: TestNode;
  let node: TestNode;
  let engine: Served;
  let blocks: readonly Block[];
  beforeEach(async () => {
    source = await startTestNode(plainGenesis());
    node = await startTestNode(plainGenesis());
    engine = await serve(node);
    const mined: Block[] = [];
    for (let i = 0; i < 3; i++) {
      const pair = [2 * i, 2 * i + 1].map((nonce) => testTransaction(source.chain, 0, nonce));
      mined.push(await mineTestBlock(source.chain, pair));
    }
    blocks = mined;
  });
  afterEach(async () => {
    await engine[Symbol.asyncDispose]();
    await node[Symbol.asyncDispose]();
    await source[Symbol.asyncDispose]();
  });

  const newPayload = async (block: Block, changes: object = {}) => {
    const { parentBeaconBlockRoot } = block.header;
    const payload = payloadOf(block, changes);
    return Object(await engine.call("engine_newPayloadV4", payload, [], parentBeaconBlockRoot, []));
  };
  const update = (head: string, rest: object = {}) =>
    engine.call("engine_forkchoiceUpdatedV3", {
      headBlockHash: head,
      safeBlockHash: ZERO_HASH,
      finalizedBlockHash: ZERO_HASH,
      ...rest,
    });
  const rejects = (run: Promise<unknown>, code: number) =>
    assert.rejects(run, (error) => Object(error).code === code);

  it("imports payloads without moving the head, which a forkchoice update does", async () => {
    const genesis = node.chain.head.hash;
    for (const block of blocks) {
      const status = { status: "VALID", latestValidHash: block.hash, validationError: null };
      assert.deepEqual(await newPayload(block), status);
      assert.equal(node.chain.head.hash, genesis);
    }
    const [first, second, third] = blocks;
    assert.ok(first && second && third);
    const reply = Object(
      await update(third.hash, { safeBlockHash: second.hash, finalizedBlockHash: first.hash }),
    );
    assert.equal(reply.payloadStatus.status, "VALID");
    assert.equal(reply.payloadId, null);
    const { head, safe, finalized } = node.chain;
    assert.deepEqual([head.hash, safe.hash, finalized.hash], [third.hash, second.hash, first.hash]);
    assert.equal(await engine.call("eth_blockNumber"), "0x3");
  });

  it("keeps the head when an ancestor of it is named, and the pointers when nothing is", async () => {
    for (const block of blocks) await newPayload(block);
    const [first, , third] = blocks;
    assert.ok(first && third);
    await update(third.hash, { finalizedBlockHash: first.hash });
    assert.equal(Object(await update(first.hash)).payloadStatus.latestValidHash, first.hash);
    assert.equal(node.chain.head.hash, third.hash);
    assert.equal(node.chain.finalized.hash, first.hash);
  });

  it("is syncing where it knows too little", async () => {
    const [, second] = blocks;
    assert.ok(second);
    assert.equal((await newPayload(second)).status, "SYNCING");
    const reply = Object(await update(UNKNOWN));
    assert.deepEqual(reply.payloadStatus, {
      status: "SYNCING",
      latestValidHash: null,
      validationError: null,
    });
  });

  it("tells invalid payloads and their last valid ancestor", async () => {
    const [first] = blocks;
    assert.ok(first);
    const wrongHash = await newPayload(first, { blockHash: UNKNOWN });
    assert.deepEqual([wrongHash.status, wrongHash.latestValidHash], ["INVALID", null]);
    const bad = makeBlock({ ...first.header, gasUsed: first.header.gasUsed + 1n }, first);
    const wrongGas = await newPayload(bad);
    assert.deepEqual(
      [wrongGas.status, wrongGas.latestValidHash],
      ["INVALID", node.chain.genesisHash],
    );
    assert.match(wrongGas.validationError, /gasUsed/);
    const junk = await newPayload(first, { transactions: ["0x01"] });
    assert.equal(junk.status, "INVALID");
    const blobs = await engine.call(
      "engine_newPayloadV4",
      payloadOf(first),
      [UNKNOWN],
      first.header.parentBeaconBlockRoot,
      [],
    );
    assert.equal(Object(blobs).status, "INVALID");
    assert.equal(node.chain.header(bad.hash), undefined);
  });

  it("refuses what does not fit the version", async () => {
    const [first] = blocks;
    assert.ok(first);
    const payload = payloadOf(first);
    const root = first.header.parentBeaconBlockRoot;
    await rejects(engine.call("engine_newPayloadV1", payload), -38005);
    await rejects(engine.call("engine_newPayloadV2", payload), -38005);
    await rejects(engine.call("engine_newPayloadV3", payload, [], root), -38005);
    await rejects(engine.call("engine_newPayloadV4", payload, [], root, ["0x00"]), -32602);
    const { blobGasUsed: _, ...incomplete } = Object(payload);
    await rejects(engine.call("engine_newPayloadV4", incomplete, [], root, []), -32602);
    await rejects(update(node.chain.head.hash, { safeBlockHash: UNKNOWN }), -38002);
    const attributes = {
      timestamp: "0xffffffff",
      prevRandao: ZERO_HASH,
      suggestedFeeRecipient: `0x${"00".repeat(20)}`,
      withdrawals: [],
      parentBeaconBlockRoot: ZERO_HASH,
    };
    const state = {
      headBlockHash: node.chain.head.hash,
      safeBlockHash: ZERO_HASH,
      finalizedBlockHash: ZERO_HASH,
    };
    await rejects(engine.call("engine_forkchoiceUpdatedV3", state, attributes), -38003);
  });

  it("gives bodies by hash and by range", async () => {
    for (const block of blocks) await newPayload(block);
    const [first, , third] = blocks;
    assert.ok(first && third);
    await update(third.hash);
    const byHash = Object(
      await engine.call("engine_getPayloadBodiesByHashV1", [first.hash, UNKNOWN]),
    );
    assert.equal(byHash[0].transactions.length, 2);
    assert.deepEqual([byHash[0].withdrawals, byHash[1]], [[], null]);
    const range = (start: string, count: string) =>
      engine.call("engine_getPayloadBodiesByRangeV1", start, count);
    assert.equal(Object(await range("0x2", "0x20")).length, 2);
    assert.deepEqual(await range("0x9", "0x1"), []);
    await rejects(range("0x0", "0x1"), -32602);
    await rejects(range("0x1", "0x401"), -38004);
  });

  it("names what it can do", async () => {
    const names = Object(await engine.call("engine_exchangeCapabilities", ["engine_newPayloadV4"]));
    assert.ok(names.includes("engine_newPayloadV4"));
    assert.ok(!names.includes("engine_exchangeCapabilities"));
    const [version] = Object(await engine.call("engine_getClientVersionV1", null));
    assert.deepEqual([version.code, version.name, version.commit], ["QN", "qnet", "0x00000000"]);
  });

  it("answers nobody without a token", async () => {
    const ask = (headers: Record<string, string>) =>
      fetch(engine.url ?? "", {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId" }),
      });
    assert.equal((await ask({})).status, 401);
    assert.equal(
      (await ask({ authorization: `Bearer ${engineToken("00".repeat(32))}` })).status,
      401,
    );
  });
});

describe("startEngineServer", () => {
  it("stays closed where the chain decides for itself", async () => {
    await using node = await startTestNode(devnetGenesis());
    await using served = await serve(node);
    assert.equal(served.url, undefined);
  });
});
