/** What the core must know of the network: the genesis' consensus section and the facts around it. */
import type { Hash } from "../../primitives/hex.ts";
import type { MessageDomain } from "../../types/consensusMessage.ts";
import type { ConsensusConfig } from "../../types/qnetConfig.ts";

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

/** Network that signatures are for. */
export function domainOf({ chainId, config }: CoreParams): MessageDomain {
  return { chainId, salt: config.salt };
}
