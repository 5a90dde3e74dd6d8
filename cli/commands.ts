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
  { ...devDefinition, load: () => import("./commands/dev.ts") },
  { ...nodeDefinition, load: () => import("./commands/node.ts") },
  { ...initDefinition, load: () => import("./commands/init.ts") },
  { ...importDefinition, load: () => import("./commands/import.ts") },
  { ...exportDefinition, load: () => import("./commands/export.ts") },
  { ...accountDefinition, load: () => import("./commands/account.ts") },
  { ...dbDefinition, load: () => import("./commands/db.ts") },
  { ...versionDefinition, load: () => import("./commands/version.ts") },
  { ...docsDefinition, load: () => import("./commands/docs.ts") },
];
