/**
 * Mgas/s of each precompile: its gas divided by its processor time, through the same call of the EVM's table that a contract makes.
 * A fair price keeps them level; the slowest one bounds what a block of that gas can cost a node.
 */
import { generateKeyPairSync, type KeyPairKeyObjectResult, sign } from "node:crypto";
import { falcon512padded } from "@noble/post-quantum/falcon.js";
import { type Bls12381, loadBls12381 } from "../../src/crypto/bls12381.ts";
import { keccak256, sha256 } from "../../src/crypto/keccak.ts";
import { PQ_ALGORITHMS, type PqAlgorithmName, pqAlgorithm } from "../../src/crypto/pqAlgorithms.ts";
import { KEY_TYPES } from "../../src/crypto/pqBackends.ts";
import { pqVerifier } from "../../src/crypto/pqVerifier.ts";
import { signDigest } from "../../src/crypto/secp256k1.ts";
import { createMachine, type Machine } from "../../src/execution/evm.ts";
import { type Bytes, bigIntToBytes, concatBytes, padBytes } from "../../src/primitives/bytes.ts";
import { hexToBytes } from "../../src/primitives/hex.ts";
import type { Rules } from "../../src/types/forks.ts";
import type { PrecompileEntry } from "../../src/types/qnetConfig.ts";
import { devnetGenesis } from "../../test/support/chains.ts";
import { addressAt, contextFor, envFor, stateWith } from "../../test/support/execution.ts";
import { median, table } from "../report.ts";

const ROUNDS = 5;
const GAS = 100_000_000;

interface Case {
  readonly name: string;
  /** Last bytes of the address */
  readonly address: number;
  readonly input: Bytes;
}

interface Speed {
  readonly name: string;
  readonly gas: bigint;
  readonly us: number;
}

/** `--ms N`: least time of each of the rounds, default 60. */
export async function precompiles(args: readonly string[]): Promise<string> {
  const at = args.indexOf("--ms");
  const roundMs = at < 0 ? 60 : Number(args[at + 1]);
  const rules = wholeMap();
  await Promise.all(PQ_ALGORITHMS.map((name) => pqVerifier.prepare(name)));
  const machine = createMachine(stateWith(new Map()), envFor(rules), contextFor(rules));
  const speeds: Speed[] = [];
  for (const one of [...ethereumCases(), ...(await curveCases()), ...postQuantumCases()])
    speeds.push(await measure(machine, one, roundMs));
  const [ecrecover] = speeds;
  const reference = ecrecover === undefined ? Number.NaN : mgas(ecrecover);
  return table(
    ["precompile", "gas", "us of processor time", "Mgas/s", "of ecrecover"],
    speeds.map((speed) => [
      speed.name,
      String(speed.gas),
      speed.us.toFixed(speed.us < 100 ? 1 : 0),
      mgas(speed).toFixed(1),
      (mgas(speed) / reference).toFixed(2),
    ]),
  );
}

/** Mgas/s = gas per us. */
function mgas({ gas, us }: Speed): number {
  return Number(gas) / us;
}

/** Processor time of this thread, in us: other work on the machine does not count. */
function processorUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

async function measure(
  { precompiles }: Machine,
  { name, address, input }: Case,
  roundMs: number,
): Promise<Speed> {
  const run = precompiles.get(addressAt(address));
  if (run === undefined) throw new RangeError(`no precompile at ${address}`);
  const call = () => run(input, GAS);
  const { gasUsed, failure, output } = await call();
  if (failure !== undefined) throw new Error(`${name}: ${failure}`);
  if (output.length === 0) throw new Error(`${name}: no answer`);
  const rounds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const [start, end] = [processorUs(), performance.now() + roundMs];
    let calls = 0;
    for (; calls === 0 || performance.now() < end; calls++) await call();
    if (round > 0) rounds.push((processorUs() - start) / calls);
  }
  return { name, gas: BigInt(gasUsed), us: median(rounds) };
}

/** Generators of BN254. Source: EIP-197. */
const G1 = hexToBytes(`0x${"1".padStart(64, "0")}${"2".padStart(64, "0")}`);
const G2 = hexToBytes(
  [
    "0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2",
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed",
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b",
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa",
  ].join(""),
);

/** Prices by the same rule for algorithms that the development network does not list. */
const OTHER_PRICES: readonly (readonly [PqAlgorithmName, bigint, bigint])[] = [
  ["SLH-DSA-SHA2-128f", 45_000n, 12n],
  ["SLH-DSA-SHA2-192s", 28_000n, 12n],
  ["SLH-DSA-SHA2-192f", 72_000n, 12n],
  ["SLH-DSA-SHA2-256f", 71_000n, 12n],
  ["SLH-DSA-SHAKE-128s", 45_000n, 6n],
  ["SLH-DSA-SHAKE-128f", 126_000n, 6n],
  ["SLH-DSA-SHAKE-192s", 64_000n, 6n],
  ["SLH-DSA-SHAKE-192f", 187_000n, 6n],
  ["SLH-DSA-SHAKE-256s", 94_000n, 6n],
  ["SLH-DSA-SHAKE-256f", 190_000n, 6n],
];

/** Rules of the development network with an entry for every algorithm. */
function wholeMap(): Rules {
  const { forks } = devnetGenesis().config;
  const rules = forks.rules({ number: 1n, timestamp: 1n, difficulty: 0n });
  const more = OTHER_PRICES.map(
    ([algorithm, baseGas, wordGas]): PrecompileEntry => ({
      kind: "verify",
      address: addressAt(0x5100 + pqAlgorithm(algorithm).id),
      name: algorithm,
      algorithm,
      baseGas,
      wordGas,
      time: 0n,
    }),
  );
  return { ...rules, precompiles: [...rules.precompiles, ...more] };
}

function ethereumCases(): Case[] {
  const key = keccak256(Uint8Array.of(1));
  const digest = keccak256(Uint8Array.of(2));
  const { r, s, yParity } = signDigest(digest, key);
  const word = (value: bigint) => padBytes(bigIntToBytes(value), 32);
  const recover = concatBytes(digest, word(27n + BigInt(yParity)), word(r), word(s));
  const kilobyte = new Uint8Array(1_024).fill(7);
  const modulus = new Uint8Array(256).fill(0xff);
  const base = new Uint8Array(256).fill(0x77);
  const modexp = concatBytes(word(256n), word(256n), word(256n), base, modulus, modulus);
  return [
    { name: "ECREC", address: 1, input: recover },
    { name: "SHA256, 1 KiB", address: 2, input: kilobyte },
    { name: "RIPEMD160, 1 KiB", address: 3, input: kilobyte },
    { name: "MODEXP, 2048 bits", address: 5, input: modexp },
    { name: "BN254_ADD", address: 6, input: concatBytes(G1, G1) },
    { name: "BN254_MUL", address: 7, input: concatBytes(G1, new Uint8Array(32).fill(0x77)) },
    { name: "BN254_PAIRING, 2 pairs", address: 8, input: concatBytes(G1, G2, G1, G2) },
    { name: "P256VERIFY", address: 0x100, input: p256Input(digest) },
  ];
}

/** Many terms cost the least gas each. */
const MANY = 128;

/** BLS12-381: one term, which has the whole overhead, and many, which share least. Source: EIP-2537. */
async function curveCases(): Promise<Case[]> {
  const bls = await loadBls12381();
  if (bls === undefined) throw new Error("no WebAssembly here");
  const { g1, g2 } = differentPoints(bls);
  const k = keccak256(Uint8Array.of(4));
  const sum = (points: readonly Bytes[]) => concatBytes(...points.flatMap((point) => [point, k]));
  const pairs = (count: number) =>
    concatBytes(...g1.slice(0, count).flatMap((point, i) => [point, g2[i] ?? point]));
  return [
    { name: "POINT_EVALUATION", address: 0x0a, input: openingInput() },
    { name: "BLS12_G1ADD", address: 0x0b, input: concatBytes(...g1.slice(0, 2)) },
    { name: "BLS12_G1MSM, 1 term", address: 0x0c, input: sum(g1.slice(0, 1)) },
    { name: `BLS12_G1MSM, ${MANY} terms`, address: 0x0c, input: sum(g1) },
    { name: "BLS12_G2ADD", address: 0x0d, input: concatBytes(...g2.slice(0, 2)) },
    { name: "BLS12_G2MSM, 1 term", address: 0x0e, input: sum(g2.slice(0, 1)) },
    { name: `BLS12_G2MSM, ${MANY} terms`, address: 0x0e, input: sum(g2) },
    { name: "BLS12_PAIRING, 1 pair", address: 0x0f, input: pairs(1) },
    { name: `BLS12_PAIRING, ${MANY} pairs`, address: 0x0f, input: pairs(MANY) },
    { name: "BLS12_MAP_FP_TO_G1", address: 0x10, input: elementOf(1) },
    { name: "BLS12_MAP_FP2_TO_G2", address: 0x11, input: concatBytes(elementOf(1), elementOf(2)) },
  ];
}

function differentPoints({ mapToG1, mapToG2 }: Bls12381) {
  const numbers = Array.from({ length: MANY }, (_, i) => i);
  return {
    g1: numbers.map((i) => mapToG1(elementOf(i))),
    g2: numbers.map((i) => mapToG2(concatBytes(elementOf(i), elementOf(i + 1)))),
  };
}

/** Versioned hash ‖ z ‖ y ‖ commitment ‖ proof of the polynomial x at a z of 255 bits: τ·G1 and G1. Source: EIP-4844. */
function openingInput(): Bytes {
  const z = keccak256(Uint8Array.of(6));
  z[0] = 0x53;
  const commitment = hexToBytes(
    "0xad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81",
  );
  const proof = hexToBytes(
    "0x97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
  );
  const hash = sha256(commitment);
  hash[0] = 1;
  return concatBytes(hash, z, z, commitment, proof);
}

function elementOf(number: number): Bytes {
  return padBytes(keccak256(Uint8Array.of(number)), 64);
}

function postQuantumCases(): Case[] {
  return PQ_ALGORITHMS.map((name) => {
    const { id } = pqAlgorithm(name);
    const address = name.startsWith("ML-DSA") ? id + 1 : 0x5100 + id;
    return { name: `${name} (${pqVerifier.describe(name)})`, address, input: signedInput(name) };
  });
}

/** Public key ‖ signature ‖ 32 bytes. */
function signedInput(name: PqAlgorithmName): Bytes {
  const message = keccak256(Uint8Array.of(3));
  if (name === "Falcon-512") {
    const { publicKey, secretKey } = falcon512padded.keygen(new Uint8Array(48).fill(5));
    return concatBytes(publicKey, falcon512padded.sign(message, secretKey), message);
  }
  const { publicKey, privateKey } = keyPair(name);
  return concatBytes(
    publicKey.export({ format: "raw-public" }),
    sign(null, message, privateKey),
    message,
  );
}

function keyPair(name: Exclude<PqAlgorithmName, "Falcon-512">): KeyPairKeyObjectResult {
  const type = KEY_TYPES[name];
  // one overload for each family
  return type === "ml-dsa-44" || type === "ml-dsa-65" || type === "ml-dsa-87"
    ? generateKeyPairSync(type)
    : generateKeyPairSync(type);
}

/** Digest ‖ r ‖ s ‖ x ‖ y. Source: EIP-7951. */
function p256Input(message: Bytes): Bytes {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signature = sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  return concatBytes(
    sha256(message),
    signature,
    Buffer.from(x, "base64url"),
    Buffer.from(y, "base64url"),
  );
}
