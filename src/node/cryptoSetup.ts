/** The post-quantum verifier of a node: made, tested before the first block, and refused for production if it is slow. */
import { setTimeout } from "node:timers/promises";
import { PQ_ALGORITHMS, type PqAlgorithmName } from "../crypto/pqAlgorithms.ts";
import { PqVerifier, pqVerifier } from "../crypto/pqVerifier.ts";
import { NodeError } from "../primitives/errors.ts";
import type { ChainConfig } from "../types/genesis.ts";
import type { NodeOptions } from "./config.ts";

export type CryptoErrorReason = {
  readonly code: "SLOW_CRYPTO";
  readonly algorithm: PqAlgorithmName;
  readonly openssl: string;
};

/** This machine cannot keep up with what its blocks would cost others nothing. */
export class CryptoError extends NodeError<CryptoErrorReason> {}

/** The tests of the rarer algorithms take 0.1 s of processor time, which the start of a node has no use for. */
const BACKGROUND_DELAY_MS = 1_000;

/** The verifier of the options. */
export function makeVerifier({ paranoid = false, onFatal }: NodeOptions): PqVerifier {
  return paranoid ? new PqVerifier({ onDisagreement: onFatal }, { paranoid }) : pqVerifier;
}

/** Algorithms that precompiles, transactions or validators of this chain may use at some time. */
export function usedAlgorithms({ qnet }: ChainConfig): ReadonlySet<PqAlgorithmName> {
  const used = new Set<PqAlgorithmName>();
  if (qnet === undefined) return used;
  if (qnet.consensus !== undefined) used.add("ML-DSA-44");
  for (const entry of qnet.precompiles) if (entry.kind === "verify") used.add(entry.algorithm);
  for (const name of PQ_ALGORITHMS)
    if (qnet.pqTransactions?.verifyGas[name] !== undefined) used.add(name);
  return used;
}

/**
 * Tests the back ends of the chain's algorithms: ML-DSA before anything else starts, in a few ms, the others a second
 * later (a call that comes before has its algorithm tested at once). Throws PqError for ML-DSA, and hands it to `onFatal` for the others.
 */
export async function prepareVerifier(
  verifier: PqVerifier,
  config: ChainConfig,
  { log, onFatal }: Pick<NodeOptions, "log" | "onFatal">,
): Promise<void> {
  const used = [...usedAlgorithms(config)];
  const prepare = async (name: PqAlgorithmName) => {
    await verifier.prepare(name);
    const tests = verifier.status(name).selfTests;
    const passed = tests.filter(({ outcome }) => outcome === "passed").length;
    if (verifier.paranoid && passed < 2)
      log.warn("Only one implementation verifies a signature algorithm", { algorithm: name });
  };
  await Promise.all(used.filter(isMlDsa).map(prepare));
  for (const name of used.filter((one) => !isMlDsa(one))) {
    setTimeout(BACKGROUND_DELAY_MS, undefined, { ref: false })
      .then(() => prepare(name))
      .catch((error: Error) => {
        log.error("No implementation of a signature algorithm passes its tests", {
          algorithm: name,
        });
        onFatal?.(error);
      });
  }
}

/** Blocks are priced for OpenSSL: in JavaScript 30 million gas of signatures take four seconds. Throws CryptoError SLOW_CRYPTO. */
export function demandFastVerifier(verifier: PqVerifier, config: ChainConfig): void {
  for (const algorithm of usedAlgorithms(config)) {
    // Falcon's price is noble's; SLH-DSA comes with the same OpenSSL as ML-DSA
    if (!isMlDsa(algorithm) || verifier.backendOf(algorithm) !== "noble") continue;
    throw new CryptoError({ code: "SLOW_CRYPTO", algorithm, openssl: process.versions.openssl });
  }
}

function isMlDsa(name: PqAlgorithmName): boolean {
  return name.startsWith("ML-DSA-");
}
