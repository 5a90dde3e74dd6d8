/** What checkpoints bring: macroblocks and certificates on disk, the pointers safe and finalized. */
import type { Chain } from "../chain/chain.ts";
import type { Logger } from "../runtime/log.ts";
import type { JustQC } from "../types/certificate.ts";
import type { ConsensusStore } from "./consensusStore.ts";
import type { Checkpoint } from "./core/chainPoint.ts";
import type { Action } from "./core/events.ts";
import { pruneSignatures } from "./signaturePruning.ts";

export interface FinalityWorkDependencies {
  readonly chain: Chain;
  readonly store: ConsensusStore;
  readonly log: Logger;
  /** Age up to which evidence counts, in seconds; 0: any age */
  readonly evidenceWindow: number;
}

/** Stores finality. */
export class FinalityWork {
  readonly #deps: FinalityWorkDependencies;
  readonly #isQuiet: boolean;

  /** `isQuiet`: macroblocks are nothing to tell, there may be hundreds in a second. */
  constructor(dependencies: FinalityWorkDependencies, options: { readonly isQuiet: boolean }) {
    this.#deps = dependencies;
    this.#isQuiet = options.isQuiet;
  }

  /** From now on blocks of the next epoch find the checkpoint; `macroblock` puts it on disk. */
  know(checkpoint: Checkpoint): void {
    this.#deps.store.checkpointOps(checkpoint);
  }

  async macroblock(checkpoint: Checkpoint): Promise<void> {
    const { store } = this.#deps;
    await store.write(store.checkpointOps(checkpoint));
  }

  /** J* moved: its block is safe. */
  async justified(checkpoint: Checkpoint, certificate: JustQC | undefined): Promise<void> {
    const { chain, store } = this.#deps;
    const safe = checkpoint.header.lastBlockHash;
    const operations = certificate === undefined ? [] : store.justifiedOps(certificate);
    await chain.setForkchoice({ head: this.#headAbove(checkpoint), safe }, operations);
  }

  /** F* moved. */
  async finalized(action: Extract<Action, { type: "finalized" }>): Promise<void> {
    const { chain, store, log } = this.#deps;
    const { checkpoint, certificate, point } = action;
    const dropped = await pruneSignatures(this.#deps, checkpoint.header);
    const operations = [...(await store.finalizedOps(point, certificate)), ...dropped];
    const finalized = checkpoint.header.lastBlockHash;
    const isBelowSafe = chain.safe.header.number >= BigInt(checkpoint.header.lastNumber);
    await chain.setForkchoice(
      {
        head: this.#headAbove(checkpoint),
        finalized,
        ...(!isBelowSafe && { safe: finalized }),
      },
      operations,
    );
    const { epoch, lastNumber, handoff } = checkpoint.header;
    log[this.#isQuiet ? "debug" : "info"]("Finalised macroblock", {
      epoch,
      number: lastNumber,
      macroHash: checkpoint.hash,
      signers: certificate.signatures.length,
      lag: Number(chain.head.header.number) - lastNumber,
      ...(handoff > 0 && { handoff }),
    });
  }

  /** The head, or the checkpoint's block while the head is on a branch that leaves it out: the core moves it next. */
  #headAbove({ header }: Checkpoint) {
    const { chain } = this.#deps;
    return chain.isCanonical(header.lastBlockHash) ? chain.head.hash : header.lastBlockHash;
  }
}
