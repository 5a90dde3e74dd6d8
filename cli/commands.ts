/** All commands. Modules are loaded when used: `qnet dev` must not wait for what it does not need. */
import {
  accountDefinition,
  type Definition,
  dbDefinition,
  devDefinition,
  docsDefinition,
  exportDefinition,
  importDefinition,
  initDefinition,
  nodeDefinition,
  versionDefinition,
} from "./definitions.ts";
import type { CommandModule } from "./io.ts";

/** A row of the table. Commands with a command line of their own declare no options. */
export interface Command extends Definition {
  readonly load: () => Promise<CommandModule>;
}

export const commands: readonly Command[] = [
  // { ...devDefinition, load: () => import("./commands/dev.ts") },
  // { ...nodeDefinition, load: () => import("./commands/node.ts") },
  { ...initDefinition, load: () => import("./commands/init.ts") },
  { ...importDefinition, load: () => import("./commands/import.ts") },
  { ...exportDefinition, load: () => import("./commands/export.ts") },
  { ...accountDefinition, load: () => import("./commands/account.ts") },
  // { ...dbDefinition, load: () => import("./commands/db.ts") },
  { ...versionDefinition, load: () => import("./commands/version.ts") },
  { ...docsDefinition, load: () => import("./commands/docs.ts") },
  {
    name: "state-test",
    summary: "Run state tests; one JSON record per case",
    operands: "[--fork NAME,...] [FILE...]",
    options: [],
    load: () => import("./commands/stateTest.ts"),
  },
  {
    name: "block-test",
    summary: "Run blockchain tests; one JSON record per test",
    operands: "[--fork NAME,...] [FILE...]",
    options: [],
    load: () => import("./commands/blockTest.ts"),
  },
  {
    name: "tx-test",
    summary: "Run transaction tests; one JSON record per test and fork",
    operands: "[--fork NAME,...] [FILE...]",
    options: [],
    load: () => import("./commands/txTest.ts"),
  },
  {
    name: "t8n",
    summary: "Apply transactions to a state (geth's state transition tool, its flags and files)",
    operands: "[--input.alloc FILE] [--input.env FILE] [--input.txs FILE] [--state.fork NAME] ...",
    options: [],
    load: () => import("./commands/t8n.ts"),
  },
  {
    name: "conformance",
    summary: "Run public conformance suites against this program",
    operands: "evm | rpc",
    options: [],
    load: () => import("./commands/conformance.ts"),
  },
];
