/**
 * Post-quantum signature algorithms, one row each. Id = last arc of the NIST object identifier 2.16.840.1.101.3.4.3.x;
 * 0x70 is ours, until FIPS 206 gives Falcon a number. Lengths: FIPS 204 table 2, FIPS 205 table 2, Falcon round 3.
 */

/** Names as JSON spells them. */
export const PQ_ALGORITHMS = [
  "ML-DSA-44",
  "ML-DSA-65",
  "ML-DSA-87",
  "SLH-DSA-SHA2-128s",
  "SLH-DSA-SHA2-128f",
  "SLH-DSA-SHA2-192s",
  "SLH-DSA-SHA2-192f",
  "SLH-DSA-SHA2-256s",
  "SLH-DSA-SHA2-256f",
  "SLH-DSA-SHAKE-128s",
  "SLH-DSA-SHAKE-128f",
  "SLH-DSA-SHAKE-192s",
  "SLH-DSA-SHAKE-192f",
  "SLH-DSA-SHAKE-256s",
  "SLH-DSA-SHAKE-256f",
  "Falcon-512",
] as const;

export type PqAlgorithmName = (typeof PQ_ALGORITHMS)[number];

/** What is fixed about an algorithm. */
export interface PqAlgorithm {
  readonly name: PqAlgorithmName;
  /** One byte */
  readonly id: number;
  readonly publicKeyBytes: number;
  readonly signatureBytes: number;
}

/** Longest context. Source: FIPS 204 and 205, "ctx". */
export const MAX_CONTEXT_BYTES = 255;

type Row = readonly [id: number, publicKeyBytes: number, signatureBytes: number];

const ROWS: Readonly<Record<PqAlgorithmName, Row>> = {
  "ML-DSA-44": [0x11, 1312, 2420],
  "ML-DSA-65": [0x12, 1952, 3309],
  "ML-DSA-87": [0x13, 2592, 4627],
  "SLH-DSA-SHA2-128s": [0x14, 32, 7856],
  "SLH-DSA-SHA2-128f": [0x15, 32, 17_088],
  "SLH-DSA-SHA2-192s": [0x16, 48, 16_224],
  "SLH-DSA-SHA2-192f": [0x17, 48, 35_664],
  "SLH-DSA-SHA2-256s": [0x18, 64, 29_792],
  "SLH-DSA-SHA2-256f": [0x19, 64, 49_856],
  "SLH-DSA-SHAKE-128s": [0x1a, 32, 7856],
  "SLH-DSA-SHAKE-128f": [0x1b, 32, 17_088],
  "SLH-DSA-SHAKE-192s": [0x1c, 48, 16_224],
  "SLH-DSA-SHAKE-192f": [0x1d, 48, 35_664],
  "SLH-DSA-SHAKE-256s": [0x1e, 64, 29_792],
  "SLH-DSA-SHAKE-256f": [0x1f, 64, 49_856],
  "Falcon-512": [0x70, 897, 666],
};

const byName: ReadonlyMap<PqAlgorithmName, PqAlgorithm> = new Map(
  PQ_ALGORITHMS.map((name) => {
    const [id, publicKeyBytes, signatureBytes] = ROWS[name];
    return [name, { name, id, publicKeyBytes, signatureBytes }];
  }),
);

const byId: ReadonlyMap<number, PqAlgorithm> = new Map(
  [...byName.values()].map((algorithm) => [algorithm.id, algorithm]),
);

/** The algorithm of this name. */
export function pqAlgorithm(name: PqAlgorithmName): PqAlgorithm {
  const found = byName.get(name);
  if (found === undefined) throw new RangeError(`no such algorithm: ${name}`);
  return found;
}

/** The algorithm with this id byte. */
export function pqAlgorithmById(id: number | undefined): PqAlgorithm | undefined {
  return id === undefined ? undefined : byId.get(id);
}
