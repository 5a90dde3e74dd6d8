/** The algorithms that accounts of the SDK sign with. Ids and lengths: docs/guides/post-quantum.md; FIPS 204, table 2. */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";

/** Names as JSON-RPC spells them. */
export const MLDSA_ALGORITHMS = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"] as const;

export type MlDsaAlgorithm = (typeof MLDSA_ALGORITHMS)[number];

/** Bytes of a key pair's seed (FIPS 204, ξ): all that has to be kept. */
export const SEED_BYTES = 32;

interface AlgorithmRow {
  /** One byte, in transactions and in front of the key where addresses are made. */
  readonly id: number;
  readonly publicKeyBytes: number;
  readonly signatureBytes: number;
  /** Stands in front of the index where a mnemonic's seeds are made; the first is also ox's. */
  readonly seedLabel: string;
  readonly scheme: typeof ml_dsa44;
}

const ROWS: Readonly<Record<MlDsaAlgorithm, AlgorithmRow>> = {
  "ML-DSA-44": {
    id: 0x11,
    publicKeyBytes: 1312,
    signatureBytes: 2420,
    seedLabel: "ox.mldsa44.fromSeed.v1",
    scheme: ml_dsa44,
  },
  "ML-DSA-65": {
    id: 0x12,
    publicKeyBytes: 1952,
    signatureBytes: 3309,
    seedLabel: "QNet.mldsa65.fromSeed.v1",
    scheme: ml_dsa65,
  },
  "ML-DSA-87": {
    id: 0x13,
    publicKeyBytes: 2592,
    signatureBytes: 4627,
    seedLabel: "QNet.mldsa87.fromSeed.v1",
    scheme: ml_dsa87,
  },
};

/** The row of an algorithm. Throws RangeError for a name it does not know. */
export function algorithmRow(name: MlDsaAlgorithm): AlgorithmRow {
  if (!Object.hasOwn(ROWS, name))
    throw new RangeError(`expected one of ${MLDSA_ALGORITHMS.join(", ")}, got ${String(name)}`);
  return ROWS[name];
}

/** The algorithm with this id byte, or undefined. */
export function algorithmById(id: number): MlDsaAlgorithm | undefined {
  return MLDSA_ALGORITHMS.find((name) => ROWS[name].id === id);
}
