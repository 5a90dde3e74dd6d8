/** The commands' names, arguments and options; help and the reference page are made from these rows. */
import type { OptionName } from "./options.ts";

/** One command as its user sees it. */
export interface Definition {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as help shows them */
  readonly operands: string;
  readonly options: readonly OptionName[];
  /** Other spellings of options: anvil's names */
  readonly aliases?: Readonly<Record<string, OptionName>>;
  /** Spellings that may stand without a value, and the value that they then have */
  readonly alone?: Readonly<Record<string, string>>;
  /** One-letter flags */
  readonly short?: Readonly<Record<string, OptionName>>;
}

const LOGGING = ["config", "verbosity", "log.format"] as const;
const LIMITS = [
  "rpc.gascap",
  "rpc.evmtimeout",
  "rpc.txfeecap",
  "rpc.rangelimit",
  "rpc.batch-request-limit",
  "rpc.batch-response-max-size",
  "rpc.allow-unprotected-txs",
  "rpc.http-body-limit",
  "rpc.ratelimit",
  "rpc.keys",
  "rpc.jwtsecret",
] as const;
const SERVER = [
  "http.addr",
  "http.port",
  "http.api",
  "http.corsdomain",
  "http.vhosts",
  "graphql",
  "http.verify",
  "http.tls.cert",
  "http.tls.key",
  "ws",
  "ws.addr",
  "ws.port",
  "ws.api",
  "ws.origins",
  "ipcpath",
  "ipcdisable",
  ...LIMITS,
] as const;
/** The Engine API, closed unless one of these is given. */
export const ENGINE = [
  "authrpc.addr",
  "authrpc.port",
  "authrpc.jwtsecret",
  "authrpc.vhosts",
] as const;
const POOL = [
  "txpool.pricelimit",
  "txpool.pricebump",
  "txpool.accountslots",
  "txpool.globalslots",
  "txpool.lifetime",
] as const;
const CRYPTO = ["crypto.paranoid"] as const;
const METRICS = ["metrics", "metrics.addr", "metrics.port"] as const;
/** What commands need that talk to the staking contract of a node's chain. */
const STAKING = [
  "datadir",
  "keystore",
  "password",
  "validator-password",
  "lightkdf",
  "rpc-url",
  "staking",
  "from",
  "id",
  "stake",
  "withdrawal",
  "fee-recipient",
  "template",
  "json",
] as const;
const TOKEN = ["pkcs11.module", "pkcs11.token"] as const;
/** Both sides of the connection to a remote signer. */
const SIGNER_TLS = ["signer.cert", "signer.key", "signer.trust"] as const;
const HISTORY = ["gcmode", "history.state"] as const;
const EXECUTION = ["evm"] as const;
const DATABASE = ["cache"] as const;

export const devDefinition = {
  name: "dev",
  summary: "Start a development chain: funded accounts, instant blocks (the default command)",
  operands: "",
  options: [
    ...LOGGING,
    "datadir",
    "accounts",
    "balance",
    "mnemonic",
    "derivation-path",
    "block-time",
    "microblocks",
    "no-mining",
    "mixed-mining",
    "chain-id",
    "gas-limit",
    "base-fee",
    "timestamp",
    "auto-impersonate",
    "silent",
    "config-out",
    ...DATABASE,
    ...CRYPTO,
    ...EXECUTION,
    ...SERVER,
    ...METRICS,
    ...POOL,
  ],
  aliases: { port: "http.port", host: "http.addr", ipc: "ipcpath" },
  alone: { ipc: "/tmp/anvil.ipc" },
  short: { p: "http.port", a: "accounts", m: "mnemonic", b: "block-time" },
} as const satisfies Definition;

export const nodeDefinition = {
  name: "node",
  summary: "Run a node of a network on a data directory",
  operands: "",
  options: [
    ...LOGGING,
    "datadir",
    "network",
    "genesis-hash",
    "networkid",
    "syncmode",
    "solo",
    "validator",
    "validator-password",
    "i-know-what-i-do",
    "report-evidence",
    ...HISTORY,
    ...DATABASE,
    ...CRYPTO,
    ...EXECUTION,
    "http",
    ...SERVER,
    ...METRICS,
    ...ENGINE,
    ...POOL,
  ],
} as const satisfies Definition;

export const initDefinition = {
  name: "init",
  summary: "Write block 0 into a data directory; prints its hash and state root",
  operands: "GENESIS",
  options: [...LOGGING, "datadir", "genesis-hash"],
} as const satisfies Definition;

export const importDefinition = {
  name: "import",
  summary: "Import blocks from RLP files, also .gz and .zst",
  operands: "FILE...",
  options: [
    ...LOGGING,
    "datadir",
    "genesis",
    "until",
    "batch",
    ...HISTORY,
    ...DATABASE,
    ...EXECUTION,
  ],
} as const satisfies Definition;

export const exportDefinition = {
  name: "export",
  summary: 'Write blocks to an RLP file, also .gz and .zst; "-" is standard output',
  operands: "FILE",
  options: [...LOGGING, "datadir", "first", "last", "plain"],
} as const satisfies Definition;

export const accountDefinition = {
  name: "account",
  summary: "Manage encrypted keys: secp256k1 (Web3 keystore, version 3), ML-DSA, SLH-DSA",
  operands:
    "new | mnemonic | list | import KEYFILE | export ADDRESS | update ADDRESS | sign ADDRESS FILE | " +
    "card ADDRESS | encrypt ADDRESS CARD FILE | decrypt ADDRESS FILE",
  options: [
    ...LOGGING,
    "datadir",
    "keystore",
    "key-type",
    "password",
    "new-password",
    "lightkdf",
    "index",
    "derivation-path",
    ...TOKEN,
    "signer",
    ...SIGNER_TLS,
    "out",
    "json",
  ],
  aliases: { type: "key-type" },
} as const satisfies Definition;

export const signerDefinition = {
  name: "signer",
  summary: "Keep post-quantum keys on a machine of their own and sign for nodes over mutual TLS",
  operands: "cert NAME | serve [ADDRESS...]",
  options: [
    ...LOGGING,
    "datadir",
    "keystore",
    "password",
    "pkcs11.module",
    "signer.addr",
    "signer.port",
    ...SIGNER_TLS,
    "hosts",
    "days",
    "out",
  ],
} as const satisfies Definition;

export const validatorDefinition = {
  name: "validator",
  summary: "Run a validator: its key, stake and rewards, and what it has signed",
  operands:
    "keygen | apply | register | top-up | status | claim | unjail | rotate-key | exit | withdraw | " +
    "protection export [FILE] | protection import FILE | protection adopt KEYHASH SLOT EPOCH",
  options: [...LOGGING, ...STAKING],
} as const satisfies Definition;

export const rewardsDefinition = {
  name: "rewards",
  summary: "Show or claim what a validator has earned",
  operands: "check | claim",
  options: [...LOGGING, ...STAKING],
} as const satisfies Definition;

export const walletDefinition = {
  name: "wallet",
  summary: "Send a transaction, signed with a key of the keystore, a token or a remote signer",
  operands: "send",
  options: [
    ...LOGGING,
    "datadir",
    "keystore",
    "password",
    "pkcs11.module",
    "signer",
    ...SIGNER_TLS,
    "rpc-url",
    "from",
    "to",
    "value",
    "data",
    "chain",
    "max-fee",
    "wait",
    "json",
  ],
} as const satisfies Definition;

export const lightDefinition = {
  name: "light",
  summary: "Verify finality, a transaction or an account by signatures alone, trusting no node",
  operands: "verify",
  options: [...LOGGING, "network", "rpc-urls", "checkpoint", "tx", "account", "json"],
  aliases: { "rpc-url": "rpc-urls" },
} as const satisfies Definition;

export const genesisDefinition = {
  name: "genesis",
  summary: "Build a network's genesis file from its validators' entries; prints the hash",
  operands: "build ENTRIES...",
  options: [...LOGGING, "template", "timestamp", "output"],
} as const satisfies Definition;

export const testnetDefinition = {
  name: "testnet",
  summary: "Write the data directories of a network of validators",
  operands: "",
  options: [...LOGGING, "network", "validators", "out", "stake", "balance", "timestamp"],
} as const satisfies Definition;

export const dbDefinition = {
  name: "db",
  summary: "Check, describe, prune or repair the database of a data directory",
  operands: "verify | stats | prune | repair",
  options: [...LOGGING, "datadir", "history.state"],
} as const satisfies Definition;

export const doctorDefinition = {
  name: "doctor",
  summary:
    "Check whether this machine can run a node: Node, crypto, ports, disk, clock, memory, lock",
  operands: "",
  options: ["config", "datadir", "http.addr", "http.port", "json"],
} as const satisfies Definition;

export const versionDefinition = {
  name: "version",
  summary: "Print the version",
  operands: "",
  options: ["config", "json"],
} as const satisfies Definition;

export const docsDefinition = {
  name: "docs",
  summary: "Write docs/reference from the declarations in the code",
  operands: "",
  options: ["config"],
} as const satisfies Definition;

/** Commands that read fixtures have a command line of their own, fixed by the tools they replace. */
const fixtureDefinitions = [
  {
    name: "state-test",
    summary: "Run state tests; one JSON record per case",
    operands: "[--fork NAME,...] [FILE...]",
    options: [],
  },
  {
    name: "block-test",
    summary: "Run blockchain tests; one JSON record per test",
    operands: "[--fork NAME,...] [FILE...]",
    options: [],
  },
  {
    name: "tx-test",
    summary: "Run transaction tests; one JSON record per test and fork",
    operands: "[--fork NAME,...] [FILE...]",
    options: [],
  },
  {
    name: "t8n",
    summary: "Apply transactions to a state (geth's state transition tool, its flags and files)",
    operands: "[--input.alloc FILE] [--input.env FILE] [--input.txs FILE] [--state.fork NAME] ...",
    options: [],
  },
  {
    name: "conformance",
    summary: "Run public conformance suites against this program",
    operands: "evm | rpc",
    options: [],
  },
] as const satisfies readonly Definition[];

/** All commands, in the order of help. */
export const definitions = [
  devDefinition,
  nodeDefinition,
  initDefinition,
  importDefinition,
  exportDefinition,
  accountDefinition,
  signerDefinition,
  validatorDefinition,
  rewardsDefinition,
  walletDefinition,
  lightDefinition,
  genesisDefinition,
  testnetDefinition,
  dbDefinition,
  doctorDefinition,
  versionDefinition,
  docsDefinition,
  ...fixtureDefinitions,
] as const;

export type CommandName = (typeof definitions)[number]["name"];
