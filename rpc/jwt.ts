/** JSON Web Tokens of the Engine API: HS256 over a shared secret, made within the last minute. Source: execution-apis. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Bytes } from "../src/primitives/bytes.ts";

/** Bytes of the shared secret. */
export const JWT_SECRET_BYTES = 32;
/** Seconds by which the two clocks may differ. */
const MAX_SKEW_SECONDS = 60;
/** Longest token that is looked at; a proper one has some 120 characters. */
const MAX_TOKEN_CHARACTERS = 4_096;

function parseObject(part: string): object | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isSigned(signed: string, signature: string, secret: Bytes): boolean {
  const expected = createHmac("sha256", secret).update(signed).digest();
  const given = Buffer.from(signature, "base64url");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** What is wrong with an Authorization header; undefined: it carries a valid token. */
export function tokenProblem(
  header: string | undefined,
  secret: Bytes,
  nowMs: number,
): string | undefined {
  if (header === undefined) return "missing token";
  if (!header.startsWith("Bearer ") || header.length > MAX_TOKEN_CHARACTERS) {
    return "expected a header as Authorization: Bearer TOKEN";
  }
  const [head = "", claims = "", signature = "", ...rest] = header
    .slice("Bearer ".length)
    .split(".");
  if (rest.length > 0) return "malformed token";
  const algorithm = parseObject(head);
  if (algorithm === undefined || !("alg" in algorithm) || algorithm.alg !== "HS256") {
    return "the token's algorithm is not HS256";
  }
  if (!isSigned(`${head}.${claims}`, signature, secret)) return "the token's signature is invalid";
  return claimsProblem(parseObject(claims), nowMs / 1000);
}

function claimsProblem(claims: object | undefined, nowSeconds: number): string | undefined {
  if (claims === undefined) return "malformed token";
  if (!("iat" in claims) || typeof claims.iat !== "number") return "the token has no issued-at";
  if (Math.abs(nowSeconds - claims.iat) > MAX_SKEW_SECONDS) return "stale token";
  if ("exp" in claims && !(typeof claims.exp === "number" && claims.exp > nowSeconds)) {
    return "the token is expired";
  }
  return undefined;
}
