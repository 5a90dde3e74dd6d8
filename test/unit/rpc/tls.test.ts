import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect, type SecureVersion } from "node:tls";
import { WebSocket } from "ws";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";

const pem = (name: string) =>
  readFileSync(new URL(`../../support/tls/${name}.pem`, import.meta.url), "utf8");
const one = { cert: pem("one.cert"), key: pem("one.key") };
const two = { cert: pem("two.cert"), key: pem("two.key") };
const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId" });

function post(url: string, ca: string, sending = body): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const sent = request(url, { method: "POST", headers, ca, agent: false }, (response) => {
      let text = "";
      response.on("data", (part) => {
        text += String(part);
      });
      response.on("end", () => resolve(text));
    });
    sent.on("error", reject);
    sent.end(sending);
  });
}

async function handshake(port: number, ecdhCurve: string, maxVersion: SecureVersion = "TLSv1.3") {
  const socket = connect({ port, host: "127.0.0.1", ca: one.cert, ecdhCurve, maxVersion });
  try {
    await once(socket, "secureConnect");
    return socket.getProtocol();
  } finally {
    socket.destroy();
  }
}

describe("JSON-RPC over TLS", () => {
  let served: TestServer;
  before(async () => {
    served = await startTestServer({ tls: one, ws: { port: 0 } });
  });
  after(() => served[Symbol.asyncDispose]());

  it("answers over https and wss alone", async () => {
    const { httpUrl, wsUrl } = served.server;
    assert.match(httpUrl, /^https:/);
    assert.match(wsUrl, /^wss:/);
    assert.match(await post(httpUrl, one.cert), /"result"/);
    await assert.rejects(fetch(httpUrl.replace("https", "http")));
    const socket = new WebSocket(wsUrl, { ca: one.cert });
    await once(socket, "open");
    socket.send(body);
    const [reply] = await once(socket, "message");
    assert.match(String(reply), /"result"/);
    socket.terminate();
  });

  it("agrees on a key that a quantum computer cannot find, with all who can", async () => {
    const { port } = served.server;
    assert.equal(await handshake(port, "X25519MLKEM768"), "TLSv1.3");
    assert.equal(await handshake(port, "X25519"), "TLSv1.3");
    await assert.rejects(handshake(port, "P-521"));
    await assert.rejects(handshake(port, "X25519", "TLSv1.2"));
  });

  it("names the groups it offers, the hybrid one first", async () => {
    const ask = body.replace("eth_chainId", "qnet_cryptoStatus");
    const reply = JSON.parse(await post(served.server.httpUrl, one.cert, ask));
    assert.deepEqual(reply.result.tlsGroups, ["X25519MLKEM768", "X25519", "P-256"]);
  });

  it("takes a renewed certificate without a restart, and keeps the old one before a false one", async () => {
    const { server } = served;
    assert.throws(() => server.renewCertificate({ cert: two.cert, key: one.key }));
    assert.match(await post(server.httpUrl, one.cert), /"result"/);
    server.renewCertificate(two);
    await assert.rejects(post(server.httpUrl, one.cert));
    assert.match(await post(server.httpUrl, two.cert), /"result"/);
  });
});
