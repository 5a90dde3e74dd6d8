/** Consensus as part of a node: signers with their records, the engine over the chain, in the order in which they start and stop. */

import { EngineReport } from "../consensus/engineReport.ts";
import { EvidenceReporter } from "../consensus/evidenceReporter.ts";
import { type OpenEngineDependencies, openEngine } from "../consensus/openEngine.ts";
import type { ConsensusQueries } from "../consensus/queries.ts";
import { ProtectionLog } from "../consensus/signing/protectionLog.ts";
import { type SigningKey, ValidatorSigner } from "../consensus/signing/validatorSigner.ts";
import type { Metrics } from "../runtime/metrics.ts";
import type { ServiceGroup } from "../runtime/service.ts";
import { openDatabase } from "../storage/database.ts";
import type { ConsensusNodeOptions } from "./config.ts";

type EngineParts = Omit<OpenEngineDependencies, "signers" | "transport"> & {
  readonly metrics: Metrics;
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
  const queries = await openEngine({ ...parts, signers, transport }, { listenMs });
  const { engine } = queries;
  const report = new EngineReport({ ...parts, engine });
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
  const { reporter: account } = options;
  if (account === undefined) return queries;
  const reporter = new EvidenceReporter({ ...parts, queries, account });
  await services.start([
    { name: "reporter", start: () => reporter.start(), stop: () => reporter.stop() },
  ]);
  return queries;
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
