/** Consensus as part of a node: signers with their records, the engine over the chain, in the order in which they start and stop. */

import { EngineReport } from "../consensus/engineReport.ts";
import { EvidenceReporter } from "../consensus/evidenceReporter.ts";
import { type OpenEngineDependencies, openEngine } from "../consensus/openEngine.ts";
import type { ConsensusQueries } from "../consensus/queries.ts";
import { ProtectionLog } from "../consensus/signing/protectionLog.ts";
import { UnprotectedSigner } from "../consensus/signing/unprotectedSigner.ts";
import { type SigningKey, ValidatorSigner } from "../consensus/signing/validatorSigner.ts";
import { noPeers } from "../consensus/transport.ts";
import { keccakHash } from "../crypto/keccak.ts";
import type { Metrics } from "../runtime/metrics.ts";
import type { ServiceGroup } from "../runtime/service.ts";
import { openDatabase } from "../storage/database.ts";
import type { ConsensusNodeOptions } from "./config.ts";
import { SetupError } from "./setupError.ts";

type EngineParts = Omit<OpenEngineDependencies, "signers" | "transport"> & {
  readonly metrics: Metrics;
  /** Hears when the engine has stopped by itself: without it the node makes and takes no more blocks. */
  readonly onFatal: ((error: Error) => void) | undefined;
};

/** Starts signers and engine as services. Throws StorageError LOCKED when another process signs with the same records. */
export async function startConsensus(
  parts: EngineParts,
  options: ConsensusNodeOptions,
  services: ServiceGroup,
): Promise<ConsensusQueries> {
  const signers: ValidatorSigner[] = [];
  const stopped = { start: () => Promise.resolve() };
  for (const key of options.keys) {
    const signer = await openSigner(parts, options, key);
    signers.push(signer);
    await services.start([{ ...stopped, name: "signer", stop: () => signer.close() }]);
  }
  const { listenMs, transport } = options;
  const manner = { listenMs, isDriven: false, isQuiet: false };
  const queries = await openEngine({ ...parts, signers, transport }, manner);
  await startEngine(parts, queries, services);
  const { reporter: account } = options;
  if (account === undefined) return queries;
  const reporter = new EvidenceReporter({ ...parts, queries, account });
  await services.start([
    { name: "reporter", start: () => reporter.start(), stop: () => reporter.stop() },
  ]);
  return queries;
}

/**
 * The same for a development chain, whose producer drives the engine: no peers, no signing records. `isQuiet`: blocks come
 * too fast to be told of. Throws SetupError NO_VALIDATOR_KEY, StartError.
 */
export async function startDevConsensus(
  parts: EngineParts,
  { keys, isQuiet }: { readonly keys: readonly SigningKey[]; readonly isQuiet: boolean },
  services: ServiceGroup,
): Promise<ConsensusQueries> {
  const { chainId } = parts.chain.config;
  const { salt, validators } = parts.setup.config;
  const wanted = validators.map(({ publicKey }) => keccakHash(publicKey));
  if (!keys.some(({ keyHash }) => wanted.includes(keyHash)))
    throw new SetupError({ code: "NO_VALIDATOR_KEY", chainId, wanted });
  const signers = keys.map((key) => new UnprotectedSigner(key, { chainId, salt }));
  const manner = { listenMs: 0, isDriven: true, isQuiet };
  const queries = await openEngine({ ...parts, signers, transport: noPeers }, manner);
  await startEngine(parts, queries, services, { tells: !isQuiet });
  return queries;
}

async function startEngine(
  parts: EngineParts,
  { engine }: ConsensusQueries,
  services: ServiceGroup,
  how = { tells: true },
): Promise<void> {
  const report = new EngineReport({ ...parts, engine }, how);
  engine.on("failed", (error): undefined => {
    parts.onFatal?.(error instanceof Error ? error : new Error(String(error)));
  });
  await services.start([
    {
      name: "consensus report",
      start: () => Promise.resolve(report.start()),
      stop: () => report.stop(),
    },
    {
      name: "consensus",
      start: () => Promise.resolve(engine.start()),
      stop: () => engine.stop(),
    },
  ]);
}

async function openSigner(
  { setup, chain }: EngineParts,
  { recordsPath }: ConsensusNodeOptions,
  key: SigningKey,
): Promise<ValidatorSigner> {
  const database = await openDatabase({ path: recordsPath?.(key.keyHash) });
  try {
    const { chainId } = chain.config;
    const identity = { keyHash: key.keyHash, chainId, salt: setup.config.salt };
    return new ValidatorSigner({ key, log: await ProtectionLog.open(database, identity) });
  } catch (error) {
    await database.close();
    throw error;
  }
}
