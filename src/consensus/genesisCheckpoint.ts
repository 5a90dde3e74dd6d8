/** The checkpoint of epoch 0, which everybody who has the genesis file can work out alone. */
import { Chain } from "../chain/chain.ts";
import { networkRules } from "../chain/networkRules.ts";
import { readCandidates } from "../chain/stakingState.ts";
import { assert } from "../primitives/errors.ts";
import type { Logger } from "../runtime/log.ts";
import { openDatabase } from "../storage/database.ts";
import type { Genesis } from "../types/genesis.ts";
import type { ConsensusConfig } from "../types/qnetConfig.ts";
import type { Checkpoint } from "./core/chainPoint.ts";
import { genesisPoint } from "./core/genesisPoint.ts";
import { coreParams } from "./core/params.ts";

/** Builds the genesis state in memory and reads the first validators from it. Throws GenesisError, ChainError BAD_PREDEPLOY. */
export async function genesisCheckpoint(
  genesis: Genesis,
  config: ConsensusConfig,
  log: Logger,
): Promise<Checkpoint> {
  await using database = await openDatabase();
  const chain = await Chain.open(database, genesis, { ...networkRules(genesis.config), log });
  try {
    const { hash, header } = chain.head;
    const candidates = readCandidates(chain.stateAt(hash), config.staking, config.maxActive);
    const { closing } = genesisPoint(coreParams(genesis, config), { header, hash }, candidates);
    assert(closing !== undefined, "block 0 closes epoch 0");
    return closing.checkpoint;
  } finally {
    await chain.close();
  }
}
