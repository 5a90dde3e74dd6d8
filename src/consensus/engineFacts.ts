/** What the core has found out: stored in its order, and told. */

import type { Emitter } from "../runtime/emitter.ts";
import type { Logger } from "../runtime/log.ts";
import type { Action, FoundEvidence } from "./core/events.ts";
import type { EngineEvents } from "./engineEvents.ts";
import type { EvidenceKeeper } from "./evidenceKeeper.ts";
import type { FinalityWork } from "./finalityWork.ts";

/** Actions that ask for no answer. */
export type Fact = Extract<
  Action,
  { type: "macroblock" | "justified" | "finalized" | "evidence" | "alarm" | "invalidBlock" }
>;

interface FactDependencies {
  readonly finality: FinalityWork;
  readonly evidenceKeeper: EvidenceKeeper;
  readonly log: Logger;
  readonly events: Emitter<EngineEvents>;
  /** Runs a task on the chain, after those before. */
  readonly queue: (task: () => Promise<void>) => void;
}

/** Carries out the core's facts. */
export class FactKeeper {
  readonly #deps: FactDependencies;

  constructor(dependencies: FactDependencies) {
    this.#deps = dependencies;
  }

  record(action: Fact): void {
    const { finality, log, events, queue } = this.#deps;
    switch (action.type) {
      case "macroblock":
        finality.know(action.checkpoint);
        queue(() => finality.macroblock(action.checkpoint));
        return;
      case "justified":
        events.emit("justified", action.checkpoint);
        queue(() => finality.justified(action.checkpoint, action.certificate));
        return;
      case "finalized":
        queue(async () => {
          await finality.finalized(action);
          events.emit("finalized", action);
        });
        return;
      case "evidence":
        this.#keep(action.evidence);
        return;
      case "alarm":
        log.error("Consensus alarm", { ...action.alarm });
        events.emit("alarm", action.alarm);
        return;
      case "invalidBlock":
        log.warn("Block breaks a rule", { hash: action.hash, ...action.fault });
        events.emit("invalid", { hash: action.hash, fault: action.fault });
    }
  }

  /** What is not worth keeping is not worth telling: whoever repeats it takes no place in the queue. */
  #keep(evidence: FoundEvidence): void {
    const { evidenceKeeper, log, events, queue } = this.#deps;
    const write = evidenceKeeper.admit(evidence);
    if (write === undefined) return;
    const { validator, offence } = evidence;
    log.warn("Validator contradicted itself", { validator, offence });
    events.emit("evidence", evidence);
    queue(write);
  }
}
