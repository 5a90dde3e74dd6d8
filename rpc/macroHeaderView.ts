/** A macro header as callers see it. */
import type { Checkpoint } from "../src/consensus/core/chainPoint.ts";
import { encodeSummary } from "../src/types/epochSummary.ts";
import { encodeMacroHeader } from "../src/types/macroHeader.ts";
import { count, data, hash } from "./codec.ts";
import { field, view } from "./objects.ts";

/** Its fields, its RLP (`raw`, which its hash is of) and the epoch's summary. */
export const macroHeaderView = view<Checkpoint>("macro header", {
  hash: field(hash, (one: Checkpoint) => one.hash),
  epoch: field(count, ({ header }) => header.epoch),
  parentMacroHash: field(hash, ({ header }) => header.parentMacroHash),
  firstNumber: field(count, ({ header }) => header.firstNumber),
  lastNumber: field(count, ({ header }) => header.lastNumber),
  lastBlockHash: field(hash, ({ header }) => header.lastBlockHash),
  stateRoot: field(hash, ({ header }) => header.stateRoot),
  microRoot: field(hash, ({ header }) => header.microRoot),
  timestampMs: field(count, ({ header }) => header.timeMs),
  mix: field(hash, ({ header }) => header.mix),
  finalizedEpoch: field(count, ({ header }) => header.finalizedEpoch),
  handoff: field(count, ({ header }) => header.handoff),
  validatorsHash: field(hash, ({ header }) => header.validatorsHash),
  nextValidatorsHash: field(hash, ({ header }) => header.nextValidatorsHash),
  afterNextValidatorsHash: field(hash, ({ header }) => header.afterNextValidatorsHash),
  summaryHash: field(hash, ({ header }) => header.summaryHash),
  summary: field(data, ({ summary }) => encodeSummary(summary)),
  raw: field(data, ({ header }) => encodeMacroHeader(header)),
});
