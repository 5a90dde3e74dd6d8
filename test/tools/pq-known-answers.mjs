// Writes src/crypto/pqKnownAnswers/*.ts, one signature per post-quantum algorithm, made by one implementation and checked by
// another: node test/tools/pq-known-answers.mjs && npx biome check --write src/crypto/pqKnownAnswers
import { createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { falcon512padded } from "@noble/post-quantum/falcon.js";
import * as mlDsa from "@noble/post-quantum/ml-dsa.js";
import * as slhDsa from "@noble/post-quantum/slh-dsa.js";

const folder = new URL("../../src/crypto/pqKnownAnswers/", import.meta.url);
const text = new TextEncoder();
const MESSAGE = text.encode("QNet known answer");
const CONTEXT = text.encode("QNet/self-test/1");

const files = {
  mlDsa: { "ML-DSA-44": mlDsa.ml_dsa44, "ML-DSA-65": mlDsa.ml_dsa65, "ML-DSA-87": mlDsa.ml_dsa87 },
  slhDsaSha2: sets("SHA2"),
  slhDsaShake: sets("SHAKE"),
  falcon: { "Falcon-512": falcon512padded },
};

function sets(hash) {
  const sizes = ["128s", "128f", "192s", "192f", "256s", "256f"];
  return Object.fromEntries(
    sizes.map((size) => [`SLH-DSA-${hash}-${size}`, slhDsa[`slh_dsa_${hash.toLowerCase()}_${size}`]]),
  );
}

const base64 = (bytes) => Buffer.from(bytes).toString("base64");

/** Deterministic, from a fixed seed. OpenSSL must agree where it has the algorithm. */
function nobleAnswer(name, scheme) {
  const { publicKey, secretKey } = scheme.keygen(new Uint8Array(scheme.lengths.seed).fill(0x51));
  if (name === "Falcon-512") {
    const extraEntropy = new Uint8Array(48).fill(0x51);
    const signature = scheme.sign(Buffer.concat([CONTEXT, MESSAGE]), secretKey, { extraEntropy });
    return { publicKey, signature };
  }
  const signature = scheme.sign(MESSAGE, secretKey, { context: CONTEXT, extraEntropy: false });
  const key = createPublicKey({
    key: Buffer.from(publicKey),
    format: "raw-public",
    asymmetricKeyType: name.toLowerCase(),
  });
  if (!verify(null, MESSAGE, { key, context: CONTEXT }, signature))
    throw new Error(`OpenSSL does not agree with noble: ${name}`);
  return { publicKey, signature };
}

/** From a fresh key of OpenSSL, because noble would sign for minutes; noble must agree. */
function opensslAnswer(name, scheme) {
  const pair = generateKeyPairSync(name.toLowerCase());
  const publicKey = Uint8Array.from(pair.publicKey.export({ format: "raw-public" }));
  const signature = Uint8Array.from(
    sign(null, MESSAGE, { key: pair.privateKey, context: CONTEXT }),
  );
  if (!scheme.verify(signature, MESSAGE, publicKey, { context: CONTEXT }))
    throw new Error(`noble does not agree with OpenSSL: ${name}`);
  return { publicKey, signature };
}

mkdirSync(folder, { recursive: true });
for (const [file, schemes] of Object.entries(files)) {
  const rows = Object.entries(schemes).map(([name, scheme]) => {
    const answer = name.startsWith("SLH") ? opensslAnswer : nobleAnswer;
    const { publicKey, signature } = answer(name, scheme);
    return `  "${name}": {\n    publicKey: "${base64(publicKey)}",\n    signature: "${base64(signature)}",\n  },\n`;
  });
  writeFileSync(
    new URL(`${file}.ts`, folder),
    `/** Known answers in base64, written by test/tools/pq-known-answers.mjs. Message and context: pqSelfTest.ts. */
export const ${file}Answers = {
${rows.join("")}} as const;
`,
  );
}
