/** One blob with its proofs of both kinds. */
import { readFileSync } from "node:fs";
import type { Bytes } from "../../src/primitives/bytes.ts";
import { hexToBytes } from "../../src/primitives/hex.ts";

const FIELD_ELEMENTS = 4096;
const STEP = 7919;

interface Vector {
  readonly commitment: string;
  readonly blobProof: string;
  readonly cellProofs: readonly string[];
}

/** The blob of test/vectors/kzg/blob.json and what proves it. */
export function testBlob(): {
  readonly blob: Bytes;
  readonly commitment: Bytes;
  readonly blobProof: Bytes;
  readonly cellProofs: Bytes[];
} {
  const file = new URL("../vectors/kzg/blob.json", import.meta.url);
  const vector: Vector = JSON.parse(readFileSync(file, "utf8"));
  const words = Array.from({ length: FIELD_ELEMENTS }, (_, i) =>
    (i * STEP).toString(16).padStart(64, "0"),
  );
  return {
    blob: hexToBytes(`0x${words.join("")}`),
    commitment: hexToBytes(vector.commitment),
    blobProof: hexToBytes(vector.blobProof),
    cellProofs: vector.cellProofs.map(hexToBytes),
  };
}
