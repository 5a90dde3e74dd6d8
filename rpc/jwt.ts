/** Bearer tokens of the Engine API and of trusted callers: HS256 with an issued-at close to now. */
import { errors, type JWTPayload, jwtVerify } from "jose";
import type { Bytes } from "../src/primitives/bytes.ts";

/** Length of the shared secret. */
export const JWT_SECRET_BYTES = 32;
/** Seconds that the clocks of both sides may differ. */
const MAX_SKEW_SECONDS = 60;
/** A token of ours has about 120 characters. */
const MAX_TOKEN_CHARACTERS = 4_096;
const SCHEME = "Bearer ";

/** What is wrong with an Authorization header; undefined: it carries a valid token. */
export async function tokenProblem(
  header: string | undefined,
  secret: Bytes,
  nowMs: number,
): Promise<string | undefined> {
  if (header === undefined) return "missing token";
  if (!header.startsWith(SCHEME) || header.length > MAX_TOKEN_CHARACTERS) {
    return "expected a header as Authorization: Bearer TOKEN";
  }
  try {
    const { payload } = await jwtVerify(header.slice(SCHEME.length), secret, {
      algorithms: ["HS256"],
      currentDate: new Date(nowMs),
    });
    return claimsProblem(payload, nowMs / 1000);
  } catch (error) {
    if (error instanceof errors.JOSEError) return textOf(error);
    throw error;
  }
}

function textOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return "the token's signature is invalid";
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return "the token's algorithm is not HS256";
  if (error instanceof errors.JWTExpired) return "the token is expired";
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.claim === "iat"
      ? "the token has no issued-at"
      : `the token's ${error.claim} does not hold`;
  }
  return "malformed token";
}

function claimsProblem({ iat }: JWTPayload, nowSeconds: number): string | undefined {
  if (typeof iat !== "number") return "the token has no issued-at";
  return Math.abs(nowSeconds - iat) > MAX_SKEW_SECONDS ? "stale token" : undefined;
}
