/** Public keys by their hashes: validator sets hold hashes, signatures need keys. The staking contract has them all. */
import { readStakedKey } from "../chain/stakingState.ts";
import { keccakHash } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import type { WriteOp } from "../storage/columns.ts";
import type { Candidate } from "../types/epochSummary.ts";
import type { ConsensusConfig } from "../types/qnetConfig.ts";
import type { ConsensusStore } from "./consensusStore.ts";

/** Keys of all validators that were ever candidates on this node's chain; grows by one key of 1.3 KB for each. */
export class ValidatorKeys {
  readonly #store: ConsensusStore;
  readonly #config: ConsensusConfig;
  readonly #keys = new Map<Hash, Bytes>();

  constructor(store: ConsensusStore, config: ConsensusConfig) {
    this.#store = store;
    this.#config = config;
    for (const { publicKey } of config.validators) this.#keys.set(keccakHash(publicKey), publicKey);
  }

  get(keyHash: Hash): Bytes | undefined {
    const known = this.#keys.get(keyHash) ?? this.#store.publicKey(keyHash);
    if (known !== undefined) this.#keys.set(keyHash, known);
    return known;
  }

  /** Reads the keys of these candidates that are new; the operations keep them. */
  learn(state: State, candidates: readonly Candidate[]): WriteOp[] {
    const operations: WriteOp[] = [];
    for (const { id, keyHash } of candidates) {
      if (this.get(keyHash) !== undefined) continue;
      const key = readStakedKey(state, this.#config.staking, { id, keyHash });
      if (key === undefined) continue;
      this.#keys.set(keyHash, key.publicKey);
      operations.push(...this.#store.keyOps(keyHash, key.publicKey));
    }
    return operations;
  }
}
