/** A node's disk: writes become durable in their order, some time after they were made; a crash loses the rest. */
import type { ChainPoint } from "../../src/consensus/core/chainPoint.ts";
import type { StartState, StoredBlock } from "../../src/consensus/core/openConsensus.ts";
import type { Hash } from "../../src/primitives/hex.ts";
import type { AckQC, JustQC } from "../../src/types/certificate.ts";

type Entry = { readonly durableMs: number } & (
  | { readonly type: "block"; readonly stored: StoredBlock }
  | { readonly type: "final"; readonly point: ChainPoint; readonly certificate: AckQC }
  | { readonly type: "justified"; readonly qc: JustQC }
);

export type DiskWrite =
  | { readonly type: "block"; readonly stored: StoredBlock }
  | { readonly type: "final"; readonly point: ChainPoint; readonly certificate: AckQC }
  | { readonly type: "justified"; readonly qc: JustQC };

export class Disk {
  readonly #genesis: ChainPoint;
  readonly blocks = new Map<Hash, StoredBlock>();
  #log: Entry[] = [];

  constructor(genesis: ChainPoint) {
    this.#genesis = genesis;
  }

  write(entry: DiskWrite, durableMs: number): void {
    const last = this.#log.at(-1)?.durableMs ?? 0;
    this.#log.push({ ...entry, durableMs: Math.max(last, durableMs) });
    if (entry.type === "block") this.blocks.set(entry.stored.block.block.hash, entry.stored);
  }

  /** Power fails: what is not durable yet never was. */
  crash(nowMs: number): void {
    this.#log = this.#log.filter(({ durableMs }) => durableMs <= nowMs);
    this.blocks.clear();
    for (const entry of this.#log)
      if (entry.type === "block") this.blocks.set(entry.stored.block.block.hash, entry.stored);
  }

  /** What a restart finds. */
  startState(nowMs: number): StartState {
    const finals = this.#log.filter((entry) => entry.type === "final");
    const last = finals.at(-1);
    const point = last?.point ?? this.#genesis;
    const blocks = [...this.blocks.values()]
      .filter(({ block }) => Number(block.block.header.number) > point.number)
      .sort((a, b) => Number(a.block.block.header.number - b.block.block.header.number));
    const justifications = this.#log
      .filter((entry) => entry.type === "justified")
      .map(({ qc }) => qc)
      .sort((a, b) => a.epoch - b.epoch);
    return { nowMs, point, certificate: last?.certificate, justifications, blocks };
  }

  /** Blocks `from`..`to` of the chain that ends in `tip`, as far as they are here. */
  range(tip: Hash, from: number, to: number): readonly StoredBlock["block"][] {
    const found: StoredBlock["block"][] = [];
    let at = this.blocks.get(tip);
    while (at !== undefined) {
      const number = Number(at.block.block.header.number);
      if (number < from) break;
      if (number <= to) found.push(at.block);
      at = this.blocks.get(at.block.block.header.parentHash);
    }
    const ascending = found.reverse();
    const first = ascending[0];
    return first === undefined || Number(first.block.header.number) !== from ? [] : ascending;
  }
}
