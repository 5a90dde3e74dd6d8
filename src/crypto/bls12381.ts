/**
 * BLS12-381 for the precompiles at 0x0b to 0x11, by mcl in WebAssembly: a tenth of the time that noble takes in JavaScript. It
 * is loaded at the first use (0.2 s) and used if it passes known answers. Coordinates are words of 64 bytes, the real part of those of
 * G2 first; zeros are the point at infinity. Source: EIP-2537.
 */
import { type Bytes, concatBytes, equalBytes, padBytes } from "../primitives/bytes.ts";
import { hexToBytes } from "../primitives/hex.ts";
import { sha256 } from "./keccak.ts";
import { CurveError } from "./mcl.ts";
import { type PairingCurve, startCurve } from "./pairingCurve.ts";

/** All throw CurveError on bytes that are no point or element, of another length, or outside the subgroup where that matters. */
export interface Bls12381 {
  /** P + Q of `P ‖ Q`; outside the subgroup too. */
  addG1(input: Bytes): Bytes;
  addG2(input: Bytes): Bytes;
  /** The sum of k·P of all `P ‖ k`, k of 32 bytes. */
  msmG1(input: Bytes): Bytes;
  msmG2(input: Bytes): Bytes;
  /** Whether the product of the pairings of all `P ‖ Q` is one. */
  pairing(input: Bytes): boolean;
  /** The point of the subgroup that one word, or two, are mapped to. */
  mapToG1(input: Bytes): Bytes;
  mapToG2(input: Bytes): Bytes;
  /** What it runs on. */
  readonly curve: PairingCurve;
}

const WORD_BYTES = 64;
const FORM = {
  id: 5,
  prime:
    0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn,
  fieldBytes: 48,
  wordBytes: WORD_BYTES,
  firstPart: "real",
  hasCofactor1: true,
} as const;

/** The generators. Source: EIP-2537. */
export const BLS12381_G1 = pointOf(
  "0x17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
  "0x08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1",
);
export const BLS12381_G2 = pointOf(
  "0x024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
  "0x13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
  "0x0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
  "0x0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be",
);
let loading: Promise<Bls12381 | undefined> | undefined;
let loaded: Bls12381 | undefined;

/** mcl's BLS12-381, or undefined where WebAssembly does not run or answers wrongly; loads it at the first call. */
export function loadBls12381(): Promise<Bls12381 | undefined> {
  loading ??= startBls12381().then((bls) => {
    loaded = bls;
    return bls;
  });
  return loading;
}

/** What `loadBls12381` gave if it has finished. */
export function loadedBls12381(): Bls12381 | undefined {
  return loaded;
}

/** Elements as contracts write them, one after the other. */
export function pointOf(...elements: readonly `0x${string}`[]): Bytes {
  return concatBytes(...elements.map((element) => padBytes(hexToBytes(element), WORD_BYTES)));
}

async function startBls12381(): Promise<Bls12381 | undefined> {
  try {
    const bls = onCurve(await startCurve(FORM));
    return passesSelfTest(bls) ? bls : undefined;
  } catch {
    return undefined; // no WebAssembly here
  }
}

function onCurve(curve: PairingCurve): Bls12381 {
  const { g1, g2 } = curve;
  return {
    addG1: (input) => curve.add(g1, input),
    addG2: (input) => curve.add(g2, input),
    msmG1: (input) => curve.sumOfProducts(g1, input),
    msmG2: (input) => curve.sumOfProducts(g2, input),
    pairing: (input) => curve.isProductOne(input),
    mapToG1: (input) => curve.map(g1, input),
    mapToG2: (input) => curve.map(g2, input),
    curve,
  };
}

const SCALAR = new Uint8Array(32).fill(0xa7);
/** Order of the group less one. */
const MINUS_ONE = hexToBytes("0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000");
/** SHA-256 of what noble answers to the calls of the self-test. */
const ANSWERS = hexToBytes("0xcfb31c32d7eacfd3fb894ad8e89716c3d8e92bdcc94f8b583bd051de864b60e3");

/** Known answers, e(G1, G2) · e(-G1, G2) = 1, e(G1, G2) ≠ 1, and no answer to a point of order 3. */
function passesSelfTest(bls: Bls12381): boolean {
  const element = BLS12381_G1.subarray(0, WORD_BYTES);
  const answers = [
    bls.addG1(concatBytes(BLS12381_G1, BLS12381_G1)),
    bls.addG2(concatBytes(BLS12381_G2, BLS12381_G2)),
    bls.msmG1(concatBytes(BLS12381_G1, SCALAR)),
    bls.msmG2(concatBytes(BLS12381_G2, SCALAR)),
    bls.mapToG1(element),
    bls.mapToG2(concatBytes(element, element)),
  ];
  const minus = bls.msmG1(concatBytes(BLS12381_G1, MINUS_ONE));
  return (
    equalBytes(sha256(concatBytes(...answers)), ANSWERS) &&
    bls.pairing(concatBytes(BLS12381_G1, BLS12381_G2, minus, BLS12381_G2)) &&
    !bls.pairing(concatBytes(BLS12381_G1, BLS12381_G2)) &&
    refuses(() => bls.msmG1(concatBytes(pointOf("0x00", "0x02"), SCALAR)))
  );
}

function refuses(run: () => unknown): boolean {
  try {
    run();
    return false;
  } catch (error) {
    return error instanceof CurveError;
  }
}
