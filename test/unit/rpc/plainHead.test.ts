import assert from "node:assert/strict";
import fc from "fast-check";
import { headSize, readHead } from "../../../rpc/plainHead.ts";
import { postText } from "../../support/rawHttp.ts";

const body = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}';

/** The head of a request text. */
function headOf(text: string): string {
  return text.slice(0, headSize(Buffer.from(text, "latin1")));
}

describe("readHead", () => {
  it("reads names in lower case, values without blanks around them, and both sizes", () => {
    const text = postText(body, { "X-Mixed": "\t a b \t", Connection: "Keep-Alive" });
    const head = readHead(headOf(text));
    assert.equal(head?.bodySize, body.length);
    assert.equal(head.size, text.length - body.length);
    assert.equal(head.headers["x-mixed"], "a b");
    assert.equal(head.headers.host, "127.0.0.1");
  });

  it("keeps names that mean something in JavaScript apart from the object", () => {
    const head = readHead(headOf(postText(body, { __proto__x: "1", constructor: "2" })));
    assert.equal(head?.headers["constructor"], "2");
    assert.equal(head.headers["tostring"], undefined);
  });

  const refused: Readonly<Record<string, string>> = {
    "another method": postText(body, {}, "PUT / HTTP/1.1"),
    "a method in lower case": postText(body, {}, "post / HTTP/1.1"),
    "another path": postText(body, {}, "POST /graphql HTTP/1.1"),
    "a query": postText(body, {}, "POST /?apikey=x HTTP/1.1"),
    "an absolute target": postText(body, {}, "POST http://127.0.0.1/ HTTP/1.1"),
    "version 1.0": postText(body, {}, "POST / HTTP/1.0"),
    "two blanks": postText(body, {}, "POST  / HTTP/1.1"),
    "no host": postText(body, { Host: undefined }),
    "an empty host": postText(body, { Host: "" }),
    "two hosts": postText(body, { host: "a" }),
    "no length": postText(body, { "Content-Length": undefined }),
    "two lengths": postText(body, { "content-length": String(body.length) }),
    "a list of lengths": postText(body, { "Content-Length": "47, 47" }),
    "a sign": postText(body, { "Content-Length": "+47" }),
    "a leading zero": postText(body, { "Content-Length": "047" }),
    "a hexadecimal length": postText(body, { "Content-Length": "0x2f" }),
    "no body": postText("", { "Content-Length": "0" }),
    "a length beyond 32 bits": postText(body, { "Content-Length": "4294967343" }),
    chunks: postText(body, { "Transfer-Encoding": "chunked" }),
    "chunks by another name": postText(body, { "transfer-encoding": "xchunked" }),
    "a close": postText(body, { Connection: "close" }),
    "hop-by-hop names": postText(body, { Connection: "keep-alive, Content-Length" }),
    "an upgrade": postText(body, { Upgrade: "websocket" }),
    "an expectation": postText(body, { Expect: "100-continue" }),
    trailers: postText(body, { TE: "trailers" }),
    "a name with a blank": postText(body, { "X Y": "1" }),
    "a blank before the colon": postText(body, { "X-Y ": "1" }),
    "an empty name": postText(body, { "": "1" }),
    "a folded line": postText(body, { "X-Y": "1\r\n 2" }),
    "a bare line feed": postText(body, { "X-Y": "1\nTransfer-Encoding: chunked" }),
    "a bare carriage return": postText(body, { "X-Y": "1\rZ: 2" }),
    "a zero byte": postText(body, { "X-Y": "1\0" }),
    "a byte beyond ASCII": postText(body, { "X-Y": "\u00e9" }),
    "a line without a colon": postText(body, { "X-Y": "1\r\nTransfer-Encoding" }),
  };
  for (const [what, text] of Object.entries(refused)) {
    it(`does not read ${what}`, () => assert.equal(readHead(headOf(text)), undefined));
  }

  it("finds no head that is cut short, or longer than 8 KiB, or with more than 64 headers", () => {
    assert.equal(headSize(Buffer.from("POST / HTTP/1.1\r\nHost: a\r\n")), 0);
    assert.equal(headSize(Buffer.from(postText(body, { "X-Y": "1".repeat(8_192) }))), 0);
    const many = Object.fromEntries(Array.from({ length: 62 }, (_, i) => [`X-${i}`, "1"]));
    assert.equal(readHead(headOf(postText(body, many))), undefined);
    const { "X-0": _, ...fewer } = many;
    assert.notEqual(readHead(headOf(postText(body, fewer))), undefined);
  });

  it("takes no time that grows faster than the head", () => {
    const blanks = " \t".repeat(3_800);
    const started = performance.now();
    for (let i = 0; i < 50; i++)
      assert.equal(readHead(headOf(postText(body, { "X-Y": `${blanks}\x01` }))), undefined);
    assert.ok(performance.now() - started < 1_000);
  });

  it("reads no head into which a byte was put that node:http could take for something else", () => {
    const text = postText(body, { "X-Y": "1" });
    const size = headSize(Buffer.from(text));
    fc.assert(
      fc.property(
        fc.nat(size - 5),
        fc.constantFrom("\0", "\n", "\r", "\x7f", "\x80", "\xff"),
        (at, odd) => {
          const changed = text.slice(0, at) + odd + text.slice(at);
          assert.equal(readHead(headOf(changed)), undefined);
        },
      ),
    );
  });
});
