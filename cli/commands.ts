/** Where each command's module is. Modules are loaded when used: `qnet dev` must not wait for what it does not need. */
import type { CommandName } from "./definitions.ts";
import type { CommandModule } from "./io.ts";

export const loaders: Readonly<Record<CommandName, () => Promise<CommandModule>>> = {
  dev: () => import("./commands/dev.ts"),
  node: () => import("./commands/node.ts"),
  init: () => import("./commands/init.ts"),
  import: () => import("./commands/import.ts"),
  export: () => import("./commands/export.ts"),
  account: () => import("./commands/account.ts"),
  signer: () => import("./commands/signer.ts"),
  validator: () => import("./commands/validator.ts"),
  rewards: () => import("./commands/rewards.ts"),
  wallet: () => import("./commands/wallet.ts"),
  light: () => import("./commands/light.ts"),
  genesis: () => import("./commands/genesis.ts"),
  testnet: () => import("./commands/testnet.ts"),
  db: () => import("./commands/db.ts"),
  doctor: () => import("./commands/doctor.ts"),
  version: () => import("./commands/version.ts"),
  docs: () => import("./commands/docs.ts"),
  "state-test": () => import("./commands/stateTest.ts"),
  "block-test": () => import("./commands/blockTest.ts"),
  "tx-test": () => import("./commands/txTest.ts"),
  t8n: () => import("./commands/t8n.ts"),
  conformance: () => import("./commands/conformance.ts"),
};
