/** The configuration section of the genesis, as it was given. */
import type { Chain } from "../src/chain/chain.ts";
import { type Json, json } from "./codec.ts";

/** The section as JSON; null where the genesis has none. */
export function configOf({ genesis }: Chain): Json {
  const all = genesis.json;
  const config = typeof all === "object" && all !== null && "config" in all ? all.config : null;
  return json.decode(config, "config");
}
