import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { bytesToHex, hexToBytes } from "../../src/primitives/hex.ts";
import { DecodeError, decodeRlp, encodeRlp, type RlpInput, uintItem } from "../../src/types/rlp.ts";
import { describeFixtures, evmFixturesDir, jsonFiles } from "../support/fixtures.ts";

type Vector = { readonly in: unknown; readonly out: string };

/** The value a vector names: text, `#` + decimal integer, number, or list. */
function inputOf(json: unknown): RlpInput {
  if (Array.isArray(json)) return json.map(inputOf);
  if (typeof json === "number") return uintItem(BigInt(json));
  assert.ok(typeof json === "string");
  return json.startsWith("#") ? uintItem(BigInt(json.slice(1))) : new TextEncoder().encode(json);
}

/** Some vectors leave the 0x out. */
function bytesOf(text: string): Uint8Array {
  return hexToBytes(text.startsWith("0x") ? text : `0x${text}`);
}

function check(vector: Vector): void {
  if (vector.in === "INVALID") {
    assert.throws(() => decodeRlp(bytesOf(vector.out)), DecodeError);
  } else if (vector.in === "VALID") {
    const raw = bytesOf(vector.out);
    assert.equal(bytesToHex(encodeRlp(decodeRlp(raw))), bytesToHex(raw));
  } else {
    const [encoded, expected] = [encodeRlp(inputOf(vector.in)), bytesOf(vector.out)];
    assert.equal(bytesToHex(encoded), bytesToHex(expected));
    assert.equal(bytesToHex(encodeRlp(decodeRlp(expected))), bytesToHex(expected));
  }
}

describeFixtures("RLPTests", evmFixturesDir(), (directory) => {
  for (const file of jsonFiles(join(directory, "tests/RLPTests"))) {
    const vectors: Record<string, Vector> = JSON.parse(readFileSync(file, "utf8"));
    for (const [name, vector] of Object.entries(vectors))
      it(`${basename(file, ".json")}/${name}`, () => check(vector));
  }
});
