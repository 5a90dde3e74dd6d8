/** Sees everything that happens in a run, and knows what must never happen. */
import type { Checkpoint } from "../../src/consensus/core/chainPoint.ts";
import { memberOf } from "../../src/consensus/core/configuration.ts";
import { type Hash, ZERO_HASH } from "../../src/primitives/hex.ts";
import type { Block } from "../../src/types/block.ts";
import { contradiction, type FinalityMessage, isSameMessage } from "../../src/types/evidence.ts";
import type { Seal } from "../../src/types/seal.ts";

/** What a run found wrong. */
export interface Violation {
  readonly kind:
    | "conflicting finality"
    | "honest key slashable"
    | "no finality"
    | "alarm"
    | "in-chain finality";
  readonly atMs: number;
  readonly text: string;
}

export class Observer {
  readonly violations: Violation[] = [];
  readonly checkpoints = new Map<Hash, Checkpoint>();
  conflicts = 0;
  finalized = 0;
  reorgs = 0;
  maxDepth = 0;
  evidence = 0;
  readonly lagsMs: number[] = [];
  /** Every block that was valid to somebody. */
  readonly blocks = new Map<Hash, { readonly parentHash: Hash; readonly number: number }>();
  /** Epoch → macro hash of what some honest node finalised. */
  readonly #final = new Map<number, Hash>([]);
  readonly #inChain = new Map<number, Hash>();
  readonly #honest: ReadonlySet<Hash>;
  readonly #messages = new Map<Hash, FinalityMessage[]>();
  readonly #seals = new Map<string, Hash>();
  /** Messages that reached honest nodes: validator → what it said. */
  readonly #heard = new Map<number, FinalityMessage[]>();
  readonly #heardBodies = new Set<string>();

  /** Keys whose owners keep the rules. */
  constructor(honest: ReadonlySet<Hash>) {
    this.#honest = honest;
  }

  sawCheckpoint(checkpoint: Checkpoint, atMs: number): void {
    if (this.checkpoints.has(checkpoint.hash)) return;
    this.checkpoints.set(checkpoint.hash, checkpoint);
    this.#checkInChain(checkpoint, atMs);
  }

  sawFinal(node: number, checkpoint: Checkpoint, atMs: number): void {
    this.finalized++;
    this.lagsMs.push(atMs - checkpoint.header.timeMs);
    for (let at: Checkpoint | undefined = checkpoint; at !== undefined; ) {
      const { epoch, parentMacroHash } = at.header;
      const known = this.#final.get(epoch);
      if (known !== undefined && known !== at.hash) {
        this.conflicts++;
        const text = `node ${node} finalised ${at.hash} of epoch ${epoch}, another ${known}`;
        this.violations.push({ kind: "conflicting finality", atMs, text });
      }
      if (known === at.hash) break;
      this.#final.set(epoch, at.hash);
      at = this.checkpoints.get(parentMacroHash);
    }
  }

  /** A key signed a vote or an ack. */
  sawSigned(key: Hash, message: FinalityMessage, atMs: number): void {
    if (!this.#honest.has(key)) return;
    const known = this.#messages.get(key) ?? [];
    if (known.some((other) => isSameMessage(other, message))) return;
    for (const other of known) {
      const offence = contradiction(other, message);
      if (offence !== undefined)
        this.#slashable(`${offence}: ${key} ${JSON.stringify(message)}`, atMs);
    }
    known.push(message);
    this.#messages.set(key, known);
  }

  /** A key sealed a block. */
  sawSeal(key: Hash, seal: Seal, atMs: number): void {
    const place = `${key} ${seal.slot} ${seal.seq}`;
    const known = this.#seals.get(place);
    if (known !== undefined && known !== seal.blockHash && this.#honest.has(key))
      this.#slashable(`double seal: ${place}`, atMs);
    this.#seals.set(place, seal.blockHash);
  }

  /** A message reached an honest node. */
  sawHeard(message: FinalityMessage): void {
    const id = JSON.stringify(message);
    if (this.#heardBodies.has(id)) return;
    this.#heardBodies.add(id);
    const validator = message.type === "vote" ? message.vote.validator : message.ack.validator;
    this.#heard.set(validator, [...(this.#heard.get(validator) ?? []), message]);
  }

  sawBlock({ hash, header }: Block): void {
    const { parentHash, number } = header;
    this.blocks.set(hash, { parentHash, number: Number(number) });
  }

  sawReorg(depth: number): void {
    if (depth === 0) return;
    this.reorgs++;
    this.maxDepth = Math.max(this.maxDepth, depth);
  }

  /** The highest epoch that an honest node made final. */
  get finalEpoch(): number {
    return Math.max(0, ...this.#final.keys());
  }

  /** Blocks up to the last final one that its chain left behind. */
  get orphans(): number {
    const top = this.checkpoints.get(this.#final.get(this.finalEpoch) ?? ZERO_HASH);
    if (top === undefined) return 0;
    const { lastNumber, lastBlockHash } = top.header;
    let onChain = 0;
    for (let at = this.blocks.get(lastBlockHash); at !== undefined; onChain++)
      at = this.blocks.get(at.parentHash);
    const all = [...this.blocks.values()].filter(({ number }) => number <= lastNumber);
    return all.length - onChain;
  }

  /** Validators that what honest nodes heard proves guilty of a finality offence. */
  guilty(): ReadonlySet<number> {
    const guilty = new Set<number>();
    for (const [validator, messages] of this.#heard)
      if (messages.some((a) => messages.some((b) => contradiction(a, b) !== undefined)))
        guilty.add(validator);
    return guilty;
  }

  /** Share of a checkpoint's stake that is guilty, in either of its sets. */
  guiltyShare(checkpoint: Checkpoint): number {
    const { config } = checkpoint;
    let [old, young] = [0n, 0n];
    for (const id of this.guilty()) {
      const member = memberOf(config, id);
      old += member?.stakeOld ?? 0n;
      young += member?.stakeNew ?? 0n;
    }
    return (
      Math.max(
        Number((old * 10_000n) / config.totalOld),
        Number((young * 10_000n) / config.totalNew),
      ) / 10_000
    );
  }

  /** What any chain finalises by its own votes must not contradict what another does. */
  #checkInChain(checkpoint: Checkpoint, atMs: number): void {
    const { finalizedEpoch } = checkpoint.header;
    let at: Checkpoint | undefined = checkpoint;
    while (at !== undefined && at.header.epoch > finalizedEpoch)
      at = this.checkpoints.get(at.header.parentMacroHash);
    for (
      ;
      at !== undefined && at.header.epoch > 0;
      at = this.checkpoints.get(at.header.parentMacroHash)
    ) {
      const known = this.#inChain.get(at.header.epoch);
      if (known === at.hash) return;
      if (known !== undefined) {
        const text = `F names ${at.hash} and ${known} of epoch ${at.header.epoch}`;
        this.violations.push({ kind: "in-chain finality", atMs, text });
        return;
      }
      this.#inChain.set(at.header.epoch, at.hash);
    }
  }

  #slashable(text: string, atMs: number): void {
    this.violations.push({ kind: "honest key slashable", atMs, text });
  }
}
