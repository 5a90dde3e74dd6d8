/** How long the checks of a certificate hold the thread of a node: work of its engine, between whose pieces others run. */
import type { SignatureCheck } from "../../src/consensus/core/events.ts";
import { SignatureWork } from "../../src/consensus/signatureWork.ts";
import { pqVerifier } from "../../src/crypto/pqVerifier.ts";
import { ZERO_HASH } from "../../src/primitives/hex.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { consensusMessage, MESSAGE_KIND } from "../../src/types/consensusMessage.ts";
import { encodeAck } from "../../src/types/vote.ts";
import { mlDsaKey } from "../../test/simulation/keys.ts";
import { median, table } from "../report.ts";

const ROUNDS = 40;
const DOMAIN = { chainId: 31_337n, salt: ZERO_HASH };

/** A row for each number of signers: CPU of the checks, and the longest time in which nothing else ran. */
export async function certificateCosts(sizes: readonly number[]): Promise<string> {
  await pqVerifier.prepare("ML-DSA-44");
  const rows: (readonly (string | number)[])[] = [];
  for (const size of sizes) {
    const [cpuMs, holdMs] = await costsOf(size);
    rows.push([size, cpuMs.toFixed(1), holdMs.toFixed(1)]);
  }
  return table(["signatures", "CPU ms", "longest hold of the thread, ms"], rows);
}

async function costsOf(size: number): Promise<readonly [cpuMs: number, holdMs: number]> {
  const keys = Array.from({ length: size }, mlDsaKey);
  const checks = keys.map(({ keyHash, sign }, validator): SignatureCheck => {
    const body = encodeAck({ validator, epoch: 1, macroHash: ZERO_HASH });
    const signature = sign(consensusMessage(DOMAIN, MESSAGE_KIND.ack, body));
    return { kind: MESSAGE_KIND.ack, body, keyHash, signature };
  });
  const known = new Map(keys.map(({ keyHash, publicKey }) => [keyHash, publicKey]));
  const work = new SignatureWork({
    verifier: pqVerifier,
    keys: known,
    signers: new Map(),
    domain: DOMAIN,
    log: silentLogger,
  });
  const [cpu, holds]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const beat = new Heartbeat();
    const before = process.cpuUsage();
    const valid = await work.verify(checks);
    const { user, system } = process.cpuUsage(before);
    if (valid.includes(false)) throw new Error("a signature that does not verify");
    cpu.push((user + system) / 1000);
    holds.push(await beat.stop());
  }
  return [median(cpu), median(holds)];
}

/** Runs once in each turn of the event loop. */
class Heartbeat {
  #lastMs = performance.now();
  #longestMs = 0;
  #running = true;

  constructor() {
    setImmediate(() => this.#beat());
  }

  /** The longest time between two beats. */
  async stop(): Promise<number> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#running = false;
    return this.#longestMs;
  }

  #beat(): void {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#lastMs);
    this.#lastMs = now;
    if (this.#running) setImmediate(() => this.#beat());
  }
}
