import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ServerError, type ServerReason } from "../../../rpc/listen.ts";
import { startRpcServer } from "../../../rpc/server.ts";
import { mineTestBlock } from "../../support/chains.ts";
import { asObject } from "../../support/rpcChecks.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";

const call = (id: number, method: string, ...params: readonly unknown[]) =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });

/** A raw connection and the lines that come over it. */
async function connect(path: string) {
  const socket = createConnection(path);
  await once(socket, "connect");
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the connection ended");
    return JSON.parse(value);
  };
  return {
    socket,
    next,
    ended: async () => (await lines.next()).done === true,
    write: (text: string) => socket.write(text),
    [Symbol.dispose]: () => socket.destroy(),
  };
}

function isRefusal(code: ServerReason["code"], message: RegExp) {
  return (error: unknown) =>
    error instanceof ServerError && error.reason.code === code && message.test(error.message);
}

describe("JSON-RPC over IPC", () => {
  let folder: string;
  let path: string;
  let served: TestServer;
  /** One more server of the same node. */
  const startAt = async (at: string): Promise<AsyncDisposable & { readonly path: string }> => {
    const options = { hosts: ["127.0.0.1"], port: 0, api: ["eth"], ipcPath: at };
    const server = await startRpcServer(served.node, options);
    return { path: String(server.ipcPath), [Symbol.asyncDispose]: () => server.close() };
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "qnet-ipc-"));
    path = join(folder, "geth.ipc");
    served = await startTestServer({ api: ["eth"], bodyBytes: 4_096, ipcPath: path });
  });
  afterEach(async () => {
    await served[Symbol.asyncDispose]();
    assert.ok(!existsSync(path), "the socket is removed");
    rmSync(folder, { recursive: true });
  });

  it("is a socket of its owner alone", () => {
    assert.equal(served.server.ipcPath, path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("answers values one after another, with or without space between, and cut anywhere", async () => {
    using client = await connect(path);
    client.write(`${call(1, "eth_chainId")}${call(2, "eth_chainId")}\n  ${call(3, "eth_chainId")}`);
    for (const id of [1, 2, 3])
      assert.deepEqual(await client.next(), { jsonrpc: "2.0", id, result: "0x7a69" });
    for (const letter of call(4, "eth_chainId")) client.write(letter);
    assert.equal((await client.next())["id"], 4);
  });

  it("answers batches, also longer than what may wait", async () => {
    using client = await connect(path);
    client.write(`[${call(1, "eth_chainId")},${call(2, "eth_blockNumber")}]`);
    const replies = Object.values(await client.next()).map((one) => asObject(one)["result"]);
    assert.deepEqual(replies, ["0x7a69", "0x0"]);
    client.write(Array.from({ length: 500 }, (_, id) => call(id, "eth_blockNumber")).join(""));
    for (let id = 0; id < 500; id++) assert.equal((await client.next())["id"], id);
  });

  it("opens every namespace and trusts its owner, whatever HTTP opens", async () => {
    using client = await connect(path);
    client.write(call(1, "admin_nodeInfo"));
    assert.equal(asObject((await client.next())["result"])["name"], "qnet/test");
    client.write(call(2, "debug_getRawHeader", "latest"));
    assert.match(String((await client.next())["result"]), /^0xf9/);
    await assert.rejects(served.call("admin_nodeInfo"), { code: -32_601 });
  });

  it("tells new heads to subscribers", async () => {
    using client = await connect(path);
    client.write(call(1, "eth_subscribe", "newHeads"));
    const { result: subscription } = await client.next();
    const block = await mineTestBlock(served.node.chain);
    const params = asObject((await client.next())["params"]);
    assert.equal(params["subscription"], subscription);
    assert.equal(asObject(params["result"])["hash"], block.hash);
  });

  it("answers who has said everything and waits", async () => {
    using client = await connect(path);
    client.socket.end(call(1, "eth_chainId"));
    assert.equal((await client.next())["result"], "0x7a69");
    assert.ok(await client.ended());
  });

  it("answers what is not JSON and goes on where the value's end is known", async () => {
    using client = await connect(path);
    client.write(`{"a" 1}${call(2, "eth_chainId")}`);
    assert.equal(asObject((await client.next())["error"])["code"], -32_700);
    assert.equal((await client.next())["id"], 2);
  });

  it("ends a connection that says something else, or too much, with the reason", async () => {
    const wrongs: readonly (readonly [string, RegExp])[] = [
      [`${call(1, "eth_chainId")} GET / HTTP/1.1`, /^parse error/],
      [
        `${call(1, "eth_chainId")}["${"x".repeat(4_096)}`,
        /^request too large, want at most 4096 bytes/,
      ],
    ];
    for (const [text, message] of wrongs) {
      using client = await connect(path);
      client.write(text);
      assert.equal((await client.next())["id"], 1);
      assert.match(String(asObject((await client.next())["error"])["message"]), message);
      assert.ok(await client.ended());
    }
  });

  it("ends its connections when it stops", async () => {
    using client = await connect(path);
    client.write(call(1, "eth_chainId"));
    await client.next();
    await served.server.close();
    assert.ok(await client.ended());
    assert.ok(!existsSync(path));
  });

  it("refuses a path that somebody listens at, and leaves it to them", async () => {
    await assert.rejects(
      startAt(path),
      isRefusal("IPC_BUSY", /in use by another program.*--ipcpath/),
    );
    using client = await connect(path);
    client.write(call(1, "eth_chainId"));
    assert.equal((await client.next())["id"], 1);
  });

  it("refuses names that are too long, other files and missing folders", async () => {
    const long = join(folder, "x".repeat(107 - folder.length));
    await assert.rejects(
      startAt(long),
      isRefusal("CANNOT_LISTEN_IPC", /has 108 bytes, a socket's may have 107/),
    );
    await using longest = await startAt(long.slice(0, 107));
    using client = await connect(longest.path);
    client.write(call(1, "eth_chainId"));
    assert.equal((await client.next())["id"], 1);
    const file = join(folder, "notes.txt");
    writeFileSync(file, "mine");
    await assert.rejects(startAt(file), isRefusal("CANNOT_LISTEN_IPC", /is no socket/));
    assert.ok(existsSync(file));
    await assert.rejects(
      startAt(join(folder, "no/geth.ipc")),
      isRefusal("CANNOT_LISTEN_IPC", /there is no folder .*no$/),
    );
  });

  it("takes the place of a socket that a killed process has left behind", async () => {
    const stale = join(folder, "stale.ipc");
    await leaveStale(stale);
    await using second = await startAt(stale);
    using client = await connect(second.path);
    client.write(call(1, "eth_chainId"));
    assert.equal((await client.next())["id"], 1);
  });
});

/** A socket file at which nobody listens: a hard link outlives the name that its server removes. */
async function leaveStale(path: string): Promise<void> {
  const other = createServer((socket: Socket) => socket.destroy()).listen(`${path}.old`);
  await once(other, "listening");
  linkSync(`${path}.old`, path);
  other.close();
  await once(other, "close");
  assert.ok(statSync(path).isSocket());
}
