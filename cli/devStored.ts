/** Reopening a development chain: the genesis in the data directory wins, flags that contradict it are refused by name. */
import type { Genesis } from "../src/types/genesis.ts";
import type { DevAccount } from "./devAccounts.ts";
import { tickOf } from "./devGenesis.ts";
import { CommandError, UsageError } from "./exit.ts";
import type { OptionName, OptionValues } from "./options.ts";

type GenesisOptionName =
  | "chain-id"
  | "gas-limit"
  | "base-fee"
  | "timestamp"
  | "block-time"
  | "microblocks"
  | "accounts"
  | "balance"
  | "mnemonic"
  | "derivation-path";

/** The flags and whether they were given. */
export interface DevFlags {
  readonly values: OptionValues<GenesisOptionName>;
  readonly isGiven: (name: OptionName) => boolean;
  readonly accounts: readonly DevAccount[];
}

/** Throws CommandError for a chain that is none of ours, UsageError for a flag that the stored genesis contradicts. */
export function demandSameChain(stored: Genesis, flags: DevFlags, datadir: string): void {
  const { values, isGiven } = flags;
  const consensus = stored.config.qnet?.consensus;
  if (consensus === undefined || !consensus.dev) {
    const problem = `${datadir} holds chain ${stored.config.chainId}, which is no development chain`;
    throw new CommandError({ code: "GENESIS_FILE", problem });
  }
  const facts: readonly (readonly [GenesisOptionName, bigint | undefined, bigint | undefined])[] = [
    ["chain-id", values["chain-id"], stored.config.chainId],
    ["gas-limit", values["gas-limit"], stored.gasLimit],
    ["base-fee", values["base-fee"], stored.baseFeePerGas],
    ["timestamp", values.timestamp, stored.timestamp],
  ];
  for (const [name, wanted, found] of facts) {
    if (isGiven(name) && wanted !== found) refuse(name, `is ${found}`, datadir);
  }
  const { slotMs, tickMs, emptyBlocks } = consensus;
  if (isGiven("microblocks") && values.microblocks !== emptyBlocks)
    refuse("microblocks", `is ${emptyBlocks}`, datadir);
  if (isGiven("block-time") && tickOf(values["block-time"]) !== tickMs)
    refuse("block-time", tickMs < slotMs ? `is ${tickMs / 1000} s` : "is whole seconds", datadir);
  demandAccounts(stored, flags, datadir);
}

function demandAccounts(stored: Genesis, flags: DevFlags, datadir: string): void {
  const { values, isGiven, accounts } = flags;
  const [first] = accounts;
  if (first !== undefined && !stored.alloc.has(first.address)) {
    const name = isGiven("derivation-path") ? "derivation-path" : "mnemonic";
    refuse(name, "is another one: the accounts of this chain do not come from it", datadir);
  }
  for (const { address } of isGiven("accounts") ? accounts : []) {
    if (!stored.alloc.has(address)) refuse("accounts", "is a smaller number", datadir);
  }
  const balance = first && stored.alloc.get(first.address)?.balance;
  if (isGiven("balance") && balance !== values.balance) {
    refuse("balance", `is ${balance} wei`, datadir);
  }
}

function refuse(name: GenesisOptionName, found: string, datadir: string): never {
  throw new UsageError(
    `--${name} contradicts the chain in ${datadir}, where it ${found}; leave the flag out or use another --datadir`,
  );
}
