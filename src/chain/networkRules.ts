/** Seal and head rules of a chain until the consensus engine brings its own. */
import type { ChainConfig } from "../types/genesis.ts";
import { BlockError } from "./blockError.ts";
import {
  anySeal,
  type HeadRule,
  importedIsHead,
  plainHeadRule,
  type SealRules,
} from "./importBlock.ts";

/** Validators seal their blocks; who runs no consensus cannot judge the seal and must not take the block. */
const refuseSeal: SealRules = {
  verifySeal: () => {
    throw new BlockError({
      code: "INVALID_SEAL",
      field: "extraData",
      expected: "a validator's seal, judged by consensus",
      got: "a plain block",
    });
  },
};

/** The rules by the genesis: plain Ethereum chain, or validators. */
export function networkRules(config: ChainConfig): {
  readonly sealRules: SealRules;
  readonly headRule: HeadRule;
} {
  const consensus = config.qnet?.consensus;
  if (consensus === undefined) return { sealRules: anySeal, headRule: plainHeadRule };
  return { sealRules: refuseSeal, headRule: importedIsHead };
}
