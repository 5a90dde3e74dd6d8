/** Known-answer tests of post-quantum verification: one signature that is good and the ways in which it must not be. */
import type { Bytes } from "../primitives/bytes.ts";
import type { PqAlgorithm, PqAlgorithmName } from "./pqAlgorithms.ts";
import type { PqVerify } from "./pqBackends.ts";

interface KnownAnswer {
  /** base64 */
  readonly publicKey: string;
  /** base64 */
  readonly signature: string;
}

const text = new TextEncoder();
const MESSAGE = text.encode("QNet known answer");
const CONTEXT = text.encode("QNet/self-test/1");
const WRONG_CONTEXT = text.encode("QNet/self-test/2");

const mlDsa = async () => (await import("./pqKnownAnswers/mlDsa.ts")).mlDsaAnswers;
const sha2 = async () => (await import("./pqKnownAnswers/slhDsaSha2.ts")).slhDsaSha2Answers;
const shake = async () => (await import("./pqKnownAnswers/slhDsaShake.ts")).slhDsaShakeAnswers;
/** The large ones (0.2 MB a file) load only where a chain uses such an algorithm. */
const ANSWERS: { readonly [N in PqAlgorithmName]: () => Promise<KnownAnswer> } = {
  "ML-DSA-44": async () => (await mlDsa())["ML-DSA-44"],
  "ML-DSA-65": async () => (await mlDsa())["ML-DSA-65"],
  "ML-DSA-87": async () => (await mlDsa())["ML-DSA-87"],
  "SLH-DSA-SHA2-128s": async () => (await sha2())["SLH-DSA-SHA2-128s"],
  "SLH-DSA-SHA2-128f": async () => (await sha2())["SLH-DSA-SHA2-128f"],
  "SLH-DSA-SHA2-192s": async () => (await sha2())["SLH-DSA-SHA2-192s"],
  "SLH-DSA-SHA2-192f": async () => (await sha2())["SLH-DSA-SHA2-192f"],
  "SLH-DSA-SHA2-256s": async () => (await sha2())["SLH-DSA-SHA2-256s"],
  "SLH-DSA-SHA2-256f": async () => (await sha2())["SLH-DSA-SHA2-256f"],
  "SLH-DSA-SHAKE-128s": async () => (await shake())["SLH-DSA-SHAKE-128s"],
  "SLH-DSA-SHAKE-128f": async () => (await shake())["SLH-DSA-SHAKE-128f"],
  "SLH-DSA-SHAKE-192s": async () => (await shake())["SLH-DSA-SHAKE-192s"],
  "SLH-DSA-SHAKE-192f": async () => (await shake())["SLH-DSA-SHAKE-192f"],
  "SLH-DSA-SHAKE-256s": async () => (await shake())["SLH-DSA-SHAKE-256s"],
  "SLH-DSA-SHAKE-256f": async () => (await shake())["SLH-DSA-SHAKE-256f"],
  "Falcon-512": async () =>
    (await import("./pqKnownAnswers/falcon.ts")).falconAnswers["Falcon-512"],
};

/** Which of the tests `verify` fails: "valid signature", "flipped bit", …; undefined if it passes all. */
export async function failedSelfTest(
  { name }: PqAlgorithm,
  verify: PqVerify,
): Promise<string | undefined> {
  const answer = await ANSWERS[name]();
  const publicKey = Buffer.from(answer.publicKey, "base64");
  const signature = Buffer.from(answer.signature, "base64");
  const check = (other: Bytes, context: Bytes) => verify(publicKey, MESSAGE, other, context);
  if (!check(signature, CONTEXT)) return "valid signature";
  if (check(flipped(signature, signature.length >> 1), CONTEXT)) return "flipped bit";
  if (check(signature, WRONG_CONTEXT)) return "wrong context";
  if (check(signature.subarray(0, -1), CONTEXT)) return "wrong length";
  if (check(withBadEnd(signature), CONTEXT)) return "bad hint";
  return undefined;
}

function flipped(signature: Bytes, at: number): Bytes {
  const copy = Uint8Array.from(signature);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/**
 * The last byte set to 0xff: in ML-DSA it counts the hints, of which there are at most 80; in Falcon it is padding, which
 * must be zero; in SLH-DSA it belongs to the authentication path.
 */
function withBadEnd(signature: Bytes): Bytes {
  const copy = Uint8Array.from(signature);
  copy[copy.length - 1] = copy.at(-1) === 0xff ? 0 : 0xff;
  return copy;
}
