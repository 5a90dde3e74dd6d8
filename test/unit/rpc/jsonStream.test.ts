import assert from "node:assert/strict";
import fc from "fast-check";
import { JsonStream } from "../../../rpc/jsonStream.ts";

const encode = (text: string) => new TextEncoder().encode(text);

describe("a stream of JSON values", () => {
  it("is cut where values end, wherever the chunks end", () => {
    const value = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()));
    const space = fc.constantFrom("", "\n", " ", "\r\n\t");
    const property = fc.property(
      fc.array(fc.tuple(value, space)),
      fc.integer({ min: 1, max: 40 }),
      (entries, size) => {
        const wanted = entries.map(([one]) => JSON.stringify(one));
        const bytes = encode(entries.map(([one, gap]) => `${gap}${JSON.stringify(one)}`).join(""));
        const stream = new JsonStream(bytes.length + 1);
        const found: string[] = [];
        for (let at = 0; at < bytes.length; at += size) {
          const { texts, problem } = stream.push(bytes.subarray(at, at + size));
          assert.equal(problem, undefined);
          found.push(...texts);
        }
        assert.deepEqual(found, wanted);
      },
    );
    fc.assert(property, { seed: 5 });
  });

  it("gives what came whole before something that is neither object nor array", () => {
    for (const bad of ["7", '"a"', "true", "}", "GET / HTTP/1.1"]) {
      const { texts, problem } = new JsonStream(100).push(encode(`{"a":1} ${bad}`));
      assert.deepEqual([texts, problem], [['{"a":1}'], "not JSON-RPC"], bad);
    }
  });

  it("keeps no more of a value than the limit, in one chunk or in many", () => {
    const exact = `["${"x".repeat(96)}"]`;
    assert.deepEqual(new JsonStream(100).push(encode(exact)).texts, [exact]);
    assert.equal(new JsonStream(99).push(encode(exact)).problem, "too large");
    const stream = new JsonStream(99);
    assert.equal(stream.push(encode(exact.slice(0, 99))).problem, undefined);
    assert.equal(stream.push(encode(exact.slice(99))).problem, "too large");
    const endless = new JsonStream(99);
    assert.equal(endless.push(encode("[".repeat(100))).problem, "too large");
  });
});
