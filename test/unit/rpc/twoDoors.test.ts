import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { exchange, gone, open, postText, type RawExchange } from "../../support/rawHttp.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";

const call = (method: string, id: unknown = 1, params: readonly unknown[] = []) =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params });
const chainId = call("eth_chainId");
const NEXT = postText(call("eth_chainId", "next"));

/** What two replies must have in common; Date is the time, and compressed bytes may differ where what they say does not. */
function essence({ responses, isClosed }: RawExchange) {
  return {
    isClosed,
    responses: responses.map(({ status, headers, body }) => {
      const encoding = headers.get("content-encoding");
      const plain =
        encoding === "gzip"
          ? gunzipSync(body)
          : encoding === "zstd"
            ? zstdDecompressSync(body)
            : body;
      const shown = [...headers].filter(([name]) => name !== "date" && name !== "content-length");
      return { status, headers: Object.fromEntries(shown.sort()), body: String(plain) };
    }),
  };
}

/** Sends `text` whole, so that it may come in by the short door, and with its first byte alone, which node:http takes. */
async function bothWays(served: TestServer, text: string, more: readonly string[] = []) {
  const { port } = served.server;
  const [whole, split] = await Promise.all([
    exchange(port, [text, ...more]),
    exchange(port, [text.slice(0, 1), text.slice(1), ...more]),
  ]);
  return { whole: essence(whole), split: essence(split) };
}

describe("Both doors of the HTTP server", () => {
  let served: TestServer;
  let closed: TestServer;
  const key = "a secret key";
  before(async () => {
    served = await startTestServer({ corsDomains: ["https://wallet.example"] });
    const sha256 = createHash("sha256").update(key).digest("hex");
    closed = await startTestServer({
      apiKeys: [{ name: "one", sha256, namespaces: ["eth"] }],
      tokenSecret: randomBytes(32),
      vhosts: ["node.example"],
    });
  });
  after(async () => {
    await served[Symbol.asyncDispose]();
    await closed[Symbol.asyncDispose]();
  });

  const requests: Readonly<Record<string, string>> = {
    "a call": postText(chainId),
    "a call that waits": postText(call("eth_getBalance", 1, [`0x${"11".repeat(20)}`, "pending"])),
    "a batch": postText(`[${chainId},${call("net_version", 2)},1]`),
    "an empty batch": postText("[]"),
    "a notification": postText('{"jsonrpc":"2.0","method":"eth_chainId"}'),
    "bad JSON": postText('{"jsonrpc"'),
    "a byte order mark": postText(`\ufeff${chainId}`),
    "bytes that are no UTF-8": postText("\ufffd\ufffd"),
    "a name that is echoed": postText(call("eth_é😀\u2028")),
    "bad parameters": postText(call("eth_getBalance", 1, ["é"])),
    "a long reply": postText(call("rpc.discover")),
    "a long reply for gzip": postText(call("rpc.discover"), { "Accept-Encoding": "gzip" }),
    "a long reply for zstd": postText(call("rpc.discover"), { "Accept-Encoding": "br, zstd" }),
    "a caller that takes no encoding": postText(chainId, { "Accept-Encoding": "identity" }),
    "a type with a charset": postText(chainId, {
      "Content-Type": "application/json; charset=utf-8",
    }),
    "another type": postText(chainId, { "Content-Type": "text/plain" }),
    "no type": postText(chainId, { "Content-Type": undefined }),
    "the origin of a page": postText(chainId, { Origin: "https://wallet.example" }),
    "another origin": postText(chainId, { Origin: "https://other.example" }),
    "a host that could be rebound": postText(chainId, { Host: "evil.example" }),
    "a host with a port": postText(chainId, { Host: "localhost:8545" }),
    "a request to close": postText(chainId, { Connection: "close" }),
    "version 1.0": postText(chainId, {}, "POST / HTTP/1.0"),
    "another path": postText(chainId, {}, "POST /other HTTP/1.1"),
    "another method": postText(chainId, {}, "PUT / HTTP/1.1"),
    "a GET": "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a probe": "GET /liveness HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  for (const [what, text] of Object.entries(requests)) {
    it(`say the same to ${what}`, async () => {
      const { whole, split } = await bothWays(served, text);
      assert.equal(whole.responses.length, 1);
      assert.deepEqual(whole, split);
    });
  }

  const callers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    nobody: {},
    "a wrong key": { "X-Api-Key": "wrong" },
    "a key": { "X-Api-Key": key },
    "a key as bearer": { Authorization: `Bearer ${key}` },
    "a bad token": { Authorization: "Bearer a.b.c" },
    "a key behind a proxy": { "X-Api-Key": key, "X-Forwarded-For": "10.0.0.1" },
  };
  for (const [who, headers] of Object.entries(callers)) {
    it(`let the same callers in: ${who}`, async () => {
      for (const body of [chainId, call("net_version"), call("admin_datadir")]) {
        const text = postText(body, { Host: "node.example", ...headers });
        const { whole, split } = await bothWays(closed, text);
        assert.equal(whole.responses.length, 1);
        assert.deepEqual(whole, split);
      }
    });
  }

  // what proxies and servers have read in two ways
  const smuggled = "POST / HTTP/1.1\r\nHost: a\r\nX-Y: 1\r\n\r\n";
  const length = String(chainId.length);
  const odd: Readonly<Record<string, string>> = {
    "a length and chunks": postText(`0\r\n\r\n${smuggled}`, { "Transfer-Encoding": "chunked" }),
    "chunks before a length": postText(chainId, {
      "Content-Length": undefined,
      "transfer-encoding": "chunked",
      "Content-length": length,
    }),
    "chunks with a blank before the colon": postText(chainId, { "Transfer-Encoding ": "chunked" }),
    "chunks behind a bare line feed": postText(chainId, {
      "X-Y": "1\nTransfer-Encoding: chunked",
    }),
    "chunks on a folded line": postText(chainId, { "X-Y": "1\r\n Transfer-Encoding: chunked" }),
    "chunks with a tab": postText(chainId, { "Transfer-Encoding": "\tchunked" }),
    "chunks after a vertical tab": postText(chainId, { "Transfer-Encoding": "\x0bchunked" }),
    "an unknown coding": postText(chainId, { "Transfer-Encoding": "identity" }),
    "a zero byte in a name": postText(chainId, { "Transfer\0-Encoding": "chunked" }),
    "two lengths": postText(chainId, { "content-length": "5" }),
    "two lengths that agree": postText(chainId, { "content-length": length }),
    "a list of lengths": postText(chainId, { "Content-Length": `${length}, ${length}` }),
    "a length with a sign": postText(chainId, { "Content-Length": `+${length}` }),
    "a length in hexadecimal": postText(chainId, { "Content-Length": "0x2f" }),
    "a length with a blank inside": postText(chainId, { "Content-Length": "4 7" }),
    "a negative length": postText(chainId, { "Content-Length": "-1" }),
    "two hosts": postText(chainId, { host: "evil.example" }),
    "no host": postText(chainId, { Host: undefined }),
    "a name without a colon": postText(chainId, { "X-Y": "1\r\nTransfer-Encoding" }),
    "an upgrade to HTTP/2": postText(chainId, {
      Connection: "Upgrade, HTTP2-Settings",
      Upgrade: "h2c",
      "HTTP2-Settings": "AAMAAABkAAQAAP__",
    }),
    "an expectation": postText(chainId, { Expect: "100-continue" }),
    "an unknown expectation": postText(chainId, { Expect: "200-ok" }),
    "a head of 20 KB": postText(chainId, { "X-Y": "1".repeat(20_000) }),
    "a head of 10 KB": postText(chainId, { "X-Y": "1".repeat(10_000) }),
    "line feeds alone": postText(chainId).replaceAll("\r\n", "\n"),
    "empty lines before": `\r\n\r\n${postText(chainId)}`,
    "bytes of TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    garbage: "\0\xff\r\n\r\n",
  };
  for (const [what, text] of Object.entries(odd)) {
    it(`find the same messages in ${what}, and in what follows`, async () => {
      const apart = await bothWays(served, text, [NEXT]);
      assert.deepEqual(apart.whole, apart.split);
      const joined = await bothWays(served, text + NEXT);
      assert.deepEqual(joined.whole, joined.split);
    });
  }

  it("end the connection where a length was too short, whatever follows", async () => {
    // node:http may see what follows before it has replied, and then replies to that alone
    const text = postText(chainId, { "Content-Length": "5" });
    const { whole, split } = await bothWays(served, text + NEXT);
    for (const { responses, isClosed } of [whole, split]) {
      assert.ok(isClosed);
      assert.ok(responses.every(({ status }) => status === 400));
    }
  });

  it("take a WebSocket on a connection that has served calls", async () => {
    const upgrade = [
      "GET / HTTP/1.1",
      "Host: 127.0.0.1",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
    ].join("\r\n");
    const { responses } = await exchange(served.server.port, [
      postText(chainId),
      `${upgrade}\r\n\r\n`,
    ]);
    assert.deepEqual(
      responses.map(({ status }) => status),
      [200, 101],
    );
  });

  it("end connections when the server closes", async () => {
    const short = await startTestServer();
    const socket = await open(short.server.port);
    socket.on("data", () => undefined);
    socket.write(NEXT);
    await once(socket, "data");
    const ended = gone(socket);
    await short[Symbol.asyncDispose]();
    await ended;
  });
});
