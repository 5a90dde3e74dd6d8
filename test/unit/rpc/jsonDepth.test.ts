import assert from "node:assert/strict";
import fc from "fast-check";
import { WebSocket } from "ws";
import { isTooDeep } from "../../../rpc/jsonDepth.ts";
import { startTestServer, type TestServer } from "../../support/rpcClient.ts";

const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
/** Longer than what is never looked at, and flat. */
const LONG = `${" ".repeat(10_000)}`;

describe("isTooDeep", () => {
  it("counts what is open, not what there is", () => {
    assert.equal(isTooDeep(nested(10_000)), false);
    assert.equal(isTooDeep(nested(10_001)), true);
    assert.equal(isTooDeep('{"a":'.repeat(10_001)), true);
    assert.equal(isTooDeep(`[${"[],{},".repeat(20_000)}[]]`), false);
  });

  it("does not count in strings, whatever they escape", () => {
    const text = fc.string({ unit: fc.constantFrom("[", "{", '"', "\\", "]", "a") });
    fc.assert(
      fc.property(fc.array(text), (parts) => {
        const json = JSON.stringify(["[".repeat(10_001), ...parts]);
        assert.equal(isTooDeep(json), false);
        assert.equal(isTooDeep(`${json}${nested(10_001)}`), true);
        // a string that nothing ends
        assert.equal(isTooDeep(`${json}"${nested(10_001)}`), false);
      }),
    );
  });
});

describe("a body nested deeper than 10,000 levels", () => {
  let test: TestServer;
  before(async () => {
    test = await startTestServer();
  });
  after(() => test[Symbol.asyncDispose]());

  const body = (params: string) =>
    `{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":${params}}`;
  const post = async (path: string, text: string, headers: Record<string, string> = {}) => {
    const response = await fetch(new URL(path, test.server.httpUrl), {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: text,
    });
    return { status: response.status, reply: await response.text() };
  };

  it("is no JSON for a plain request, for one of a web page and in a batch", async () => {
    const deep = nested(1_000_000);
    // with Origin it goes through express
    for (const headers of [{}, { origin: "http://localhost" }]) {
      for (const text of [deep, body(deep), `[${body("[]")},${body(deep)}]`]) {
        const { status, reply } = await post("/", text, headers);
        assert.equal(status, 400);
        assert.match(reply, /"id":null,"error":\{"code":-32700,"message":"parse error"\}/);
      }
      const { reply } = await post("/", LONG + body("[]"), headers);
      assert.match(reply, /"result":"0x/);
    }
  });

  it("is no JSON over WebSocket either, and the connection goes on", async () => {
    const socket = new WebSocket(test.server.httpUrl.replace("http", "ws"));
    const replies: string[] = [];
    await new Promise<void>((resolve, reject) => {
      socket.on("error", reject);
      socket.on("open", () => {
        socket.send(nested(100_000));
        socket.send(body("[]"));
      });
      socket.on("message", (data) => {
        if (replies.push(String(data)) === 2) resolve();
      });
    });
    socket.terminate();
    assert.match(replies[0] ?? "", /-32700/);
    assert.match(replies[1] ?? "", /"result":"0x/);
  });
});
