/** The library's parameters: one `Common` per fork and chain id, with our crypto. */
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { paramsEVM } from "@ethereumjs/evm";
import { keccak256, sha256 } from "../crypto/keccak.ts";
import { ecrecoverForEvm } from "../crypto/secp256k1.ts";
import type { ForkName, Rules } from "../types/forks.ts";

const MAX_COMMONS = 64;
const commons = new Map<string, Common>();

const HARDFORKS: Partial<Record<ForkName, Hardfork>> = {
  frontier: Hardfork.Chainstart,
  homestead: Hardfork.Homestead,
  dao: Hardfork.Dao,
  tangerineWhistle: Hardfork.TangerineWhistle,
  spuriousDragon: Hardfork.SpuriousDragon,
  byzantium: Hardfork.Byzantium,
  constantinople: Hardfork.Constantinople,
  petersburg: Hardfork.Petersburg,
  istanbul: Hardfork.Istanbul,
  muirGlacier: Hardfork.MuirGlacier,
  berlin: Hardfork.Berlin,
  london: Hardfork.London,
  arrowGlacier: Hardfork.ArrowGlacier,
  grayGlacier: Hardfork.GrayGlacier,
  paris: Hardfork.Paris,
  shanghai: Hardfork.Shanghai,
  cancun: Hardfork.Cancun,
  prague: Hardfork.Prague,
};

/** The library's parameters for `rules`. Forks from Osaka on differ in blob prices only, and those we pass in. */
export function commonFor(rules: Pick<Rules, "fork" | "chainId">): Common {
  const hardfork = HARDFORKS[rules.fork] ?? Hardfork.Osaka;
  const key = `${hardfork}:${rules.chainId}`;
  const known = commons.get(key);
  if (known !== undefined) return known;
  const common = new Common({
    chain: { ...Mainnet, chainId: rules.chainId.toString() },
    hardfork,
    params: paramsEVM,
    customCrypto: { keccak256, sha256, ecrecover: ecrecoverForEvm },
  });
  if (commons.size >= MAX_COMMONS) commons.clear();
  commons.set(key, common);
  return common;
}
