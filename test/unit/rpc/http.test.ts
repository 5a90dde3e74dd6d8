import assert from "node:assert/strict";
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { connect } from "node:net";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { closeServers, listenAll, ServerError } from "../../../rpc/listen.ts";
import { type RpcServer, startRpcServer } from "../../../rpc/server.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { gone } from "../../support/rawHttp.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";

const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId" });

/** `fetch` sets the Host header itself; this one sends what it is told. */
function postAs(server: RpcServer, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { host, "content-type": "application/json" };
    const sent = request(server.httpUrl, { method: "POST", headers }, (response) => {
      let body = "";
      response.on("data", (part) => {
        body += String(part);
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.on("error", reject);
    sent.end(call);
  });
}

/** The body as it was sent; `fetch` decodes it. */
function postRaw(
  server: RpcServer,
  value: unknown,
  more: OutgoingHttpHeaders,
): Promise<{ headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", ...more };
    const sent = request(server.httpUrl, { method: "POST", headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(parts) }));
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(value));
  });
}

/** Sends the start of a request and then a byte now and again; gives what the server said before it hung up. */
async function trickle(port: number, start: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.on("data", (part) => {
    answer += String(part);
  });
  socket.on("error", () => undefined);
  socket.write(start);
  const more = setInterval(() => socket.write("x"), 50);
  await gone(socket);
  clearInterval(more);
  return answer;
}

describe("JSON-RPC over HTTP", () => {
  let served: TestServer;
  before(async () => {
    served = await startTestServer({ corsDomains: ["https://wallet.example"] });
  });
  after(() => served[Symbol.asyncDispose]());
  const fetchWith = (init: RequestInit) => fetch(served.server.httpUrl, init);

  it("answers errors of JSON-RPC with status 200", async () => {
    const response = await served.post({ jsonrpc: "2.0", id: 1, method: "no_such" });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  });

  it("answers bad JSON with 400 and -32700", async () => {
    for (const body of ["{", "", '{"jsonrpc"', "nul"]) {
      const response = await served.post(body);
      assert.match(await response.text(), body === "" ? /-32600|-32700/ : /-32700/);
      assert.equal(response.status, body === "" ? response.status : 400);
    }
  });

  it("refuses another content type with 415", async () => {
    const response = await served.post(call, { "content-type": "text/plain" });
    assert.equal(response.status, 415);
    assert.match(await response.text(), /-32600/);
  });

  it("refuses a body over 5 MiB with 413", async () => {
    const response = await served.post(`{"a":"${"x".repeat(5 << 20)}"}`);
    assert.equal(response.status, 413);
    assert.match(await response.text(), /-32600/);
  });

  it("answers GET with 200 for health checks", async () => {
    assert.equal((await fetchWith({ method: "GET" })).status, 200);
  });

  it("refuses PUT, DELETE and PATCH with 405", async () => {
    for (const method of ["PUT", "DELETE", "PATCH"]) {
      assert.equal((await fetchWith({ method })).status, 405);
    }
  });

  it("knows no other path", async () => {
    const response = await fetch(`${served.server.httpUrl}/other`, { method: "POST", body: call });
    assert.equal(response.status, 404);
  });

  it("answers the preflight of a listed origin, private network included", async () => {
    const response = await fetchWith({
      method: "OPTIONS",
      headers: {
        origin: "https://wallet.example",
        "access-control-request-headers": "content-type",
        "access-control-request-private-network": "true",
      },
    });
    assert.equal(response.status, 204);
    const header = (name: string) => response.headers.get(`access-control-allow-${name}`);
    assert.equal(header("origin"), "https://wallet.example");
    assert.match(header("methods") ?? "", /POST/);
    assert.equal(header("headers"), "content-type");
    assert.equal(header("private-network"), "true");
  });

  it("gives another origin no leave to read", async () => {
    const response = await served.post(call, { origin: "https://evil.example" });
    assert.equal(response.headers.get("access-control-allow-origin"), null);
  });

  it("compresses long replies only, with zstd or gzip as the caller prefers", async () => {
    const block = {
      jsonrpc: "2.0",
      id: 1,
      method: "eth_getBlockByNumber",
      params: ["latest", true],
    };
    const plain = await (await served.post(block, { "accept-encoding": "identity" })).text();
    for (const [accepted, encoding, decode] of [
      ["gzip, deflate", "gzip", gunzipSync],
      ["zstd", "zstd", zstdDecompressSync],
      ["gzip, zstd", "zstd", zstdDecompressSync],
      ["zstd;q=0.5, gzip;q=0.9", "gzip", gunzipSync],
    ] as const) {
      const { headers, body } = await postRaw(served.server, block, {
        "accept-encoding": accepted,
      });
      assert.equal(headers["content-encoding"], encoding, accepted);
      assert.equal(String(decode(body)), plain);
      assert.match(headers.vary ?? "", /Accept-Encoding/);
    }
    const short = await served.post(call, { "accept-encoding": "gzip" });
    assert.equal(short.headers.get("content-encoding"), null);
    const other = await postRaw(served.server, block, { "accept-encoding": "br" });
    assert.equal(other.headers["content-encoding"], undefined);
  });

  it("lets nobody send a request for ever", async () => {
    await using slow = await startTestServer({
      timeouts: { headersTimeout: 300, requestTimeout: 600, connectionsCheckingInterval: 50 },
    });
    const { port } = slow.server;
    const head = `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
    const trickles = [head, `${head}content-length: 100\r\n\r\n{`].flatMap((start) =>
      Array.from({ length: 50 }, () => trickle(port, start)),
    );
    assert.equal(await slow.call("eth_blockNumber"), "0x0");
    for (const answer of await Promise.all(trickles)) assert.match(answer, /^(HTTP\/1.1 408|$)/);
    assert.equal(await slow.call("eth_blockNumber"), "0x0");
  });

  it("refuses host names that could be rebound and names the flag", async () => {
    const { server } = served;
    const refused = await postAs(server, "attacker.example");
    assert.equal(refused.status, 403);
    assert.match(refused.body, /--http\.vhosts/);
    for (const host of ["localhost:8545", "127.0.0.1", "[::1]:8545", "10.1.2.3:80"]) {
      assert.equal((await postAs(server, host)).status, 200, host);
    }
    assert.equal((await postAs(server, "qnet-node")).status, 403);
  });

  it("trusts private names and listed names when told to", async () => {
    await using open = await startTestServer({ privateNames: true, vhosts: ["node.example"] });
    for (const host of ["qnet-node:8545", "host.docker.internal", "node.example"]) {
      assert.equal((await postAs(open.server, host)).status, 200, host);
    }
    assert.equal((await postAs(open.server, "attacker.example")).status, 403);
  });
});

describe("startRpcServer", () => {
  it("says which port is busy", async () => {
    await using served = await startTestServer();
    const { port } = served.server;
    await assert.rejects(
      startRpcServer(served.node, { hosts: ["127.0.0.1"], port, api: ["eth"] }),
      (error: unknown) =>
        error instanceof ServerError &&
        error.reason.code === "PORT_BUSY" &&
        error.reason.port === port,
    );
  });

  it("listens on both loopback addresses with one port where the machine has both", async () => {
    await using served = await startTestServer({ hosts: ["127.0.0.1", "::1"] });
    assert.equal((await fetch(`http://127.0.0.1:${served.server.port}`)).status, 200);
  });

  it("outlives what accept() reports", async () => {
    const options = { hosts: ["127.0.0.1"], port: 0 };
    const [server = assert.fail()] = await listenAll(() => undefined, options, silentLogger);
    for (let i = 0; i < 2; i++) server.emit("error", new Error("accept ENFILE"));
    assert.equal(server.listening, true);
    await closeServers([server]);
  });

  it("takes no connection after close", async () => {
    const served = await startTestServer();
    await served[Symbol.asyncDispose]();
    await assert.rejects(fetch(served.server.httpUrl));
  });
});
