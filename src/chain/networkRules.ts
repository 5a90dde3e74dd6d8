/** Seal and head rules of a chain until the consensus engine brings its own. */
import { ZERO_HASH } from "../primitives/hex.ts";
import type { ChainConfig } from "../types/genesis.ts";
import { BlockError, demandEqual } from "./blockError.ts";
import {
  anySeal,
  type HeadRule,
  importedIsHead,
  plainHeadRule,
  type SealRules,
} from "./importBlock.ts";

/** Blocks of a development chain are plain: nothing stands in the fields that a seal would fill. */
const devSeal: SealRules = {
  verifySeal: ({ header }) => {
    demandEqual("INVALID_SEAL", "extraData", "0 bytes", `${header.extraData.length} bytes`);
    const root = header.parentBeaconBlockRoot ?? ZERO_HASH;
    demandEqual("INVALID_SEAL", "parentBeaconBlockRoot", ZERO_HASH, root);
  },
};

/** Validators seal the blocks of a network; who cannot check a seal must not take the block. */
const refuseSeal: SealRules = {
  verifySeal: () => {
    throw new BlockError({
      code: "INVALID_SEAL",
      field: "extraData",
      expected: "a validator's seal, which this version cannot check",
      got: "a plain block",
    });
  },
};

/** The rules by the genesis: plain Ethereum chain, development chain, or network of validators. */
export function networkRules(config: ChainConfig): {
  readonly sealRules: SealRules;
  readonly headRule: HeadRule;
} {
  const consensus = config.qnet?.consensus;
  if (consensus === undefined) return { sealRules: anySeal, headRule: plainHeadRule };
  return { sealRules: consensus.dev ? devSeal : refuseSeal, headRule: importedIsHead };
}
