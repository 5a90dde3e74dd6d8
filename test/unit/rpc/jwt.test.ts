import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { tokenProblem } from "../../../rpc/jwt.ts";
import { engineToken } from "../../tools/rpc-compat.mjs";

const secret = new Uint8Array(32).fill(7);
const NOW_MS = 1_700_000_000_000;
const NOW = NOW_MS / 1000;

function encode(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString(
    "base64url",
  );
}

function token(claims: unknown, head: unknown = { alg: "HS256", typ: "JWT" }, key = secret) {
  const signed = `${encode(head)}.${encode(claims)}`;
  return `Bearer ${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

const problem = (header: string | undefined) => tokenProblem(header, secret, NOW_MS);

describe("tokenProblem", () => {
  it("finds nothing wrong with a token made within a minute", async () => {
    for (const iat of [NOW, NOW - 60, NOW + 60])
      assert.equal(await problem(token({ iat })), undefined);
    assert.equal(await problem(token({ iat: NOW, exp: NOW + 1, id: "x" })), undefined);
    const own = engineToken(Buffer.from(secret).toString("hex"));
    assert.equal(await tokenProblem(`Bearer ${own}`, secret, Date.now()), undefined);
  });

  it("refuses other times, keys, algorithms and forms", async () => {
    const cases: readonly (readonly [string | undefined, RegExp])[] = [
      [undefined, /missing/],
      ["Basic x", /Bearer/],
      [`Bearer ${"x".repeat(5_000)}`, /Bearer/],
      ["Bearer x", /malformed/],
      ["Bearer ..", /malformed/],
      [`${token({ iat: NOW })}.x`, /malformed/],
      [token({ iat: NOW - 61 }), /stale/],
      [token({ iat: NOW + 61 }), /stale/],
      [token({ iat: String(NOW) }), /issued-at/],
      [token({}), /issued-at/],
      [token("null"), /malformed/],
      [token({ iat: NOW, exp: NOW }), /expired/],
      [token({ iat: NOW }, { alg: "none" }), /HS256/],
      [token({ iat: NOW }, "x"), /malformed/],
      [token({ iat: NOW }, undefined, new Uint8Array(32)), /signature/],
      [`${token({ iat: NOW }).slice(0, -4)}`, /signature/],
    ];
    for (const [header, text] of cases)
      assert.match((await problem(header)) ?? "fine", text, header);
  });
});
