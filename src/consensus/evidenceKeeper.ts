/**
 * Which evidence is worth keeping. It comes from the own core and, by RPC, from anybody; a validator that has nothing to lose
 * any more can make as much of it as it likes, about itself. So there is one piece for each slot or epoch, few of a validator,
 * and the newest stay: old evidence the staking contract takes no more.
 */
import type { WriteOp } from "../storage/columns.ts";
import { decodeSeal } from "../types/seal.ts";
import { decodeAck, decodeVote, VOTE_BODY_BYTES } from "../types/vote.ts";
import type { ConsensusStore } from "./consensusStore.ts";
import type { FoundEvidence } from "./core/events.ts";

/** Pieces kept of one validator, of double seals and of the rest: the third double seal ends it, any other does alone. */
export const MAX_EVIDENCE_OF_VALIDATOR = 8;
/** Pieces of one validator on their way to the disk. */
const MAX_WRITES_OF_VALIDATOR = 16;

/** What is kept of one validator and kind, by slot or epoch. */
type Kept = Map<number, FoundEvidence>;

export class EvidenceKeeper {
  readonly #store: Pick<ConsensusStore, "evidenceOps" | "dropEvidenceOps" | "write">;
  readonly #kept = new Map<string, Kept>();
  /** validator → writes under way */
  readonly #writing = new Map<number, number>();

  /** `known`: what is on disk. */
  constructor(
    store: Pick<ConsensusStore, "evidenceOps" | "dropEvidenceOps" | "write">,
    known: readonly FoundEvidence[],
  ) {
    this.#store = store;
    for (const evidence of known) this.#keptOf(evidence).set(positionOf(evidence), evidence);
  }

  /** The write that keeps it; undefined: it says nothing new. */
  admit(evidence: FoundEvidence): (() => Promise<void>) | undefined {
    const { validator } = evidence;
    const writing = this.#writing.get(validator) ?? 0;
    const kept = this.#keptOf(evidence);
    const position = positionOf(evidence);
    const oldest = Math.min(...kept.keys());
    const isFull = kept.size >= MAX_EVIDENCE_OF_VALIDATOR;
    if (writing >= MAX_WRITES_OF_VALIDATOR || kept.has(position)) return undefined;
    if (isFull && position < oldest) return undefined;
    const dropped = isFull ? kept.get(oldest) : undefined;
    if (isFull) kept.delete(oldest);
    kept.set(position, evidence);
    const operations = this.#store.evidenceOps(evidence);
    if (dropped !== undefined) operations.push(...this.#store.dropEvidenceOps(dropped));
    this.#writing.set(validator, writing + 1);
    return () => this.#write(validator, operations);
  }

  async #write(validator: number, operations: readonly WriteOp[]): Promise<void> {
    await this.#store.write(operations);
    const left = (this.#writing.get(validator) ?? 1) - 1;
    if (left > 0) this.#writing.set(validator, left);
    else this.#writing.delete(validator);
  }

  #keptOf({ validator, offence }: FoundEvidence): Kept {
    const key = `${validator}/${offence === "double seal" ? "seal" : "finality"}`;
    const kept = this.#kept.get(key) ?? new Map<number, FoundEvidence>();
    this.#kept.set(key, kept);
    return kept;
  }
}

/** Slot of a double seal, newest epoch of another contradiction: the contract judges the age by it. */
function positionOf({ offence, a, b }: FoundEvidence): number {
  if (offence === "double seal") return decodeSeal(a.body).slot;
  return Math.max(epochOfBody(a.body), epochOfBody(b.body));
}

function epochOfBody(body: Uint8Array): number {
  return body.length === VOTE_BODY_BYTES ? decodeVote(body).tgtEpoch : decodeAck(body).epoch;
}
