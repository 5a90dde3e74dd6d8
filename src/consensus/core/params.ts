/** What the core must know of the network: the genesis' consensus section and the facts around it. */
import type { Hash } from "../../primitives/hex.ts";
import type { MessageDomain } from "../../types/consensusMessage.ts";
import { type Genesis, genesisSupply } from "../../types/genesis.ts";
import type { ConsensusConfig } from "../../types/qnetConfig.ts";

const WEI_PER_GWEI = 1_000_000_000n;

/** Parameters of the protocol. Source: docs/consensus.md §1. */
export type ProtocolConfig = Pick<
  ConsensusConfig,
  | "slotMs"
  | "tickMs"
  | "minTickGap"
  | "epochLength"
  | "commitBlocks"
  | "voteDelaySlots"
  | "maxActive"
  | "issuancePerSlot"
  | "maxSupply"
  | "slotGasLimit"
  | "gasLimit"
  | "maxVotesPerBlock"
  | "clockDisparityMs"
  | "emptyBlocks"
  | "salt"
  | "staking"
  | "dev"
>;

export interface CoreParams {
  readonly config: ProtocolConfig;
  readonly chainId: bigint;
  /** ms since 1970 */
  readonly genesisMs: number;
  /** gwei, rounded down: the sum of the genesis' balances */
  readonly genesisSupply: bigint;
  /** keccak256 of the public keys this node signs with; empty on a node that only follows */
  readonly ownKeys: readonly Hash[];
}

/** Parameters of a genesis' network for a node that signs with `ownKeys`. */
export function coreParams(
  genesis: Genesis,
  config: ConsensusConfig,
  ownKeys: readonly Hash[] = [],
): CoreParams {
  return {
    config,
    chainId: genesis.config.chainId,
    genesisMs: Number(genesis.timestamp) * 1000,
    genesisSupply: genesisSupply(genesis) / WEI_PER_GWEI,
    ownKeys,
  };
}

/** Gas limit of a child of a block with this one: the parameter, or, on a dev chain, the parent's, which may have been set by hand. */
export function childGasLimit({ config }: CoreParams, parentGasLimit: bigint): bigint {
  return config.dev ? parentGasLimit : config.gasLimit;
}

/** Gas of all blocks of a slot whose blocks have this gas limit: a limit set by hand moves both. */
export function slotGasLimitFor(
  { config }: { readonly config: Pick<ProtocolConfig, "dev" | "slotGasLimit" | "gasLimit"> },
  gasLimit: bigint,
): bigint {
  return config.dev ? config.slotGasLimit - config.gasLimit + gasLimit : config.slotGasLimit;
}

/** Network that signatures are for. */
export function domainOf({ chainId, config }: CoreParams): MessageDomain {
  return { chainId, salt: config.salt };
}
