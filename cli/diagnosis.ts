/** What a node needs of its machine, checked by trying it. Nothing is changed: a file written as a trial is removed again. */
import { existsSync } from "node:fs";
import { mkdtemp, open, rm, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism, freemem, homedir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { getHeapStatistics } from "node:v8";
import { keccak256, keccakBackend } from "../src/crypto/keccak.ts";
import type { PqAlgorithmName } from "../src/crypto/pqAlgorithms.ts";
import { PqVerifier } from "../src/crypto/pqVerifier.ts";
import { recoverPublicKey, secp256k1Backend, signDigest } from "../src/crypto/secp256k1.ts";
import { databaseFiles, holderPid } from "../src/storage/lock.ts";
import { chainFolder } from "./dataFolder.ts";
import { MEBIBYTE } from "./options.ts";

/** `ok`, `warn`: it works, but worse than it could; `bad`: a node cannot run or not well. */
export interface Finding {
  readonly what: string;
  readonly verdict: "ok" | "warn" | "bad";
  readonly detail: string;
}

export interface Surroundings {
  /** undefined: the home directory is looked at, where data directories are by default */
  readonly datadir: string | undefined;
  readonly host: string;
  readonly port: number;
}

const LEAST_NODE = [24, 15] as const;
const LEAST_HEAP_MIB = 1_024;
const LEAST_MEMORY_MIB = 1_024;
const LEAST_DISK_MIB = 2_048;
const SCARCE_DISK_MIB = 20_480;
/** A sync slower than this holds up blocks of a quarter of a second. */
const SLOW_SYNC_MS = 50;
const SYNCS = 5;
const TRIAL_BYTES = 1_024 * 1_024;
/** No clock is right before this program was written. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
const LATEST_MS = Date.UTC(2100, 0, 1);
const CLOCK_TRIAL_MS = 50;
/** The clock of the system and the steady one may differ so much over the trial; more, and it is being set. */
const CLOCK_STEP_MS = 20;
const TRIALS = 50;
const SIGNATURES: readonly PqAlgorithmName[] = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"];

/** All findings, in the order in which one would fix them. */
export async function diagnose(where: Surroundings): Promise<Finding[]> {
  return [
    nodeVersion(),
    memory(),
    heap(),
    processors(),
    keccak(),
    secp256k1(),
    ...(await postQuantum()),
    await port(where),
    await clock(),
    ...(await disk(where)),
    lock(where),
  ];
}

function nodeVersion(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const [wantedMajor, wantedMinor] = LEAST_NODE;
  const enough = major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
  return {
    what: "Node",
    verdict: enough ? "ok" : "bad",
    detail: `${process.versions.node} with OpenSSL ${process.versions.openssl}; wanted: ${LEAST_NODE.join(".")} or later`,
  };
}

function memory(): Finding {
  const [total, free] = [totalmem() / MEBIBYTE, freemem() / MEBIBYTE].map(Math.round);
  const enough = (total ?? 0) >= LEAST_MEMORY_MIB;
  return {
    what: "memory",
    verdict: enough ? "ok" : "bad",
    detail: `${free} of ${total} MiB are free; a node takes 400-800`,
  };
}

function heap(): Finding {
  const limit = Math.round(getHeapStatistics().heap_size_limit / MEBIBYTE);
  return {
    what: "heap limit",
    verdict: limit >= LEAST_HEAP_MIB ? "ok" : "bad",
    detail: `${limit} MiB; --max-old-space-size raises it`,
  };
}

function processors(): Finding {
  const count = availableParallelism();
  return {
    what: "processors",
    verdict: count > 1 ? "ok" : "warn",
    detail: `${count}; signatures are checked beside the main thread`,
  };
}

function keccak(): Finding {
  const input = new Uint8Array(576);
  const micros = microsOf(() => keccak256(input));
  const fast = keccakBackend === "wasm";
  return {
    what: "keccak-256",
    verdict: fast ? "ok" : "warn",
    detail: `${keccakBackend}, ${micros} us for a trie node${fast ? "" : "; WebAssembly does not work here"}`,
  };
}

function secp256k1(): Finding {
  const digest = new Uint8Array(32).fill(0x51);
  const { r, s, yParity } = signDigest(digest, new Uint8Array(32).fill(0x46));
  const micros = microsOf(() => recoverPublicKey(digest, r, s, yParity));
  const slow = secp256k1Backend === "noble";
  return {
    what: "secp256k1",
    verdict: slow ? "warn" : "ok",
    detail: `${secp256k1Backend}, ${micros} us for a sender${slow ? "; no faster library works here" : ""}`,
  };
}

async function postQuantum(): Promise<Finding[]> {
  const verifier = new PqVerifier();
  const findings: Finding[] = [];
  for (const name of SIGNATURES) {
    try {
      await verifier.prepare(name);
      const slow = verifier.backendOf(name) === "noble";
      const detail = `${verifier.describe(name)}, known answers passed`;
      findings.push({ what: name, verdict: slow ? "warn" : "ok", detail });
    } catch (error) {
      findings.push({ what: name, verdict: "bad", detail: messageOf(error) });
    }
  }
  return findings;
}

/** Microseconds of one call, the median of some. */
function microsOf(call: () => unknown): string {
  const times = Array.from({ length: TRIALS }, () => {
    const startMs = performance.now();
    call();
    return performance.now() - startMs;
  }).sort((a, b) => a - b);
  return ((times[TRIALS >> 1] ?? 0) * 1000).toFixed(1);
}

async function port({ host, port: wanted }: Surroundings): Promise<Finding> {
  const what = "port";
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port: wanted, exclusive: true }, resolve);
    });
    return { what, verdict: "ok", detail: `${host}:${wanted} is free` };
  } catch (error) {
    return { what, verdict: "bad", detail: `${host}:${wanted} cannot be had: ${messageOf(error)}` };
  } finally {
    server.close();
  }
}

async function clock(): Promise<Finding> {
  const what = "clock";
  const [wall, steady] = [Date.now(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, CLOCK_TRIAL_MS));
  const stepMs = Math.abs(Date.now() - wall - (performance.now() - steady));
  const shown = new Date().toISOString();
  if (wall < EARLIEST_MS || wall > LATEST_MS)
    return { what, verdict: "bad", detail: `${shown} cannot be the time: blocks would be refused` };
  if (stepMs > CLOCK_STEP_MS)
    return { what, verdict: "warn", detail: `${shown}, set by ${Math.round(stepMs)} ms just now` };
  return {
    what,
    verdict: "ok",
    detail: `${shown}; whether it is right only a time server can say`,
  };
}

async function disk({ datadir }: Surroundings): Promise<Finding[]> {
  const folder = existingAbove(datadir ?? homedir());
  try {
    const { bavail, bsize } = await statfs(folder);
    const free = Math.round((bavail * bsize) / MEBIBYTE);
    const verdict = free < LEAST_DISK_MIB ? "bad" : free < SCARCE_DISK_MIB ? "warn" : "ok";
    return [{ what: "disk", verdict, detail: `${free} MiB free in ${folder}` }, await sync(folder)];
  } catch (error) {
    return [{ what: "disk", verdict: "bad", detail: `${folder}: ${messageOf(error)}` }];
  }
}

/** Time of a durable write: every block waits for one. */
async function sync(folder: string): Promise<Finding> {
  const what = "disk sync";
  let trial: string | undefined;
  try {
    trial = await mkdtemp(join(folder, ".qnet-doctor-"));
    await using file = await open(join(trial, "trial"), "w", 0o600);
    const times: number[] = [];
    for (let i = 0; i < SYNCS; i++) {
      const startMs = performance.now();
      await file.write(new Uint8Array(TRIAL_BYTES));
      await file.datasync();
      times.push(performance.now() - startMs);
    }
    times.sort((a, b) => a - b);
    const medianMs = times[SYNCS >> 1] ?? 0;
    const verdict = medianMs > SLOW_SYNC_MS ? "warn" : "ok";
    return { what, verdict, detail: `${medianMs.toFixed(1)} ms to write 1 MiB durably` };
  } catch (error) {
    return { what, verdict: "bad", detail: `${folder} cannot be written: ${messageOf(error)}` };
  } finally {
    if (trial !== undefined) await rm(trial, { recursive: true, force: true });
  }
}

/** The directory itself, or the nearest one above it that exists. */
function existingAbove(path: string): string {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

function lock({ datadir }: Surroundings): Finding {
  const what = "lock";
  if (datadir === undefined)
    return { what, verdict: "ok", detail: "no --datadir given: none looked at" };
  const pid = holderPid(databaseFiles(chainFolder(datadir)));
  return pid === undefined
    ? { what, verdict: "ok", detail: `nobody has ${datadir} open` }
    : { what, verdict: "bad", detail: `process ${pid} has ${datadir} open` };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
