/**
 * All options, each declared once: flag, `QNET_…` variable, configuration key, help, reference page and the type of the
 * value come from its line. Which command takes which is in definitions.ts; reading them is parseOptions.ts' work.
 */
import { EVM_NAMES } from "../src/execution/evm.ts";
import {
  address,
  choice,
  coins,
  duration,
  flag,
  hash,
  integer,
  type Kind,
  list,
  path,
  port,
  quantity,
  quantityWithin,
  text,
  time,
} from "./optionKinds.ts";

/** An option. Without a default its value may be undefined. */
export interface Option<T, D extends T | undefined = T | undefined> {
  readonly kind: Kind<T>;
  readonly fallback: D;
  readonly help: string;
}

/** Declares an option with a default. */
function option<T>(fallback: NoInfer<T>, kind: Kind<T>, help: string): Option<T, T> {
  return { kind, fallback, help };
}

/** Declares an option without a default. */
function optional<T>(kind: Kind<T>, help: string): Option<T, undefined> {
  return { kind, fallback: undefined, help };
}

/** The standard mnemonic of development chains; its keys are public. */
export const TEST_MNEMONIC = "test test test test test test test test test test test junk";

/** Bytes of what options call MB. */
export const MEBIBYTE = 1024 * 1024;

export const options = {
  // every command
  config: optional(path, "Configuration file (TOML); its keys are the names of the options"),
  verbosity: option(3, integer(0, 5), "Log level: 0 silent, 1 error, 2 warn, 3 info, 4 debug"),
  "log.format": option("terminal", choice("terminal", "json"), "Form of log lines on stderr"),
  // chain and data
  datadir: optional(path, "Data directory"),
  network: option("mainnet", text, "mainnet, testnet, devnet or a genesis file"),
  "genesis-hash": optional(hash, "Refuse to start unless the genesis block has this hash"),
  networkid: optional(quantity, "Must equal the chain id of the genesis, which decides"),
  syncmode: option("full", choice("full"), "Only full: every block is executed"),
  gcmode: option(
    "archive",
    choice("archive", "full"),
    "archive keeps every state, full those of the last --history.state blocks",
  ),
  "history.state": option(
    90_000n,
    quantity,
    "Blocks whose states --gcmode full keeps, at least 128; 0: all",
  ),
  cache: option(
    160,
    integer(16, 65_536),
    "MB of memory for reading the database; more makes reads of large states faster",
  ),
  "crypto.paranoid": option(
    false,
    flag,
    "Check post-quantum signatures with two implementations; stop if they disagree",
  ),
  evm: option(
    "fast",
    choice(...EVM_NAMES),
    "EVM that runs blocks and calls; the results are equal",
  ),
  // JSON-RPC
  http: option(true, flag, "JSON-RPC over HTTP and WebSocket; it cannot be switched off yet"),
  "http.addr": option("127.0.0.1", text, "Address of the JSON-RPC server"),
  "http.port": option(8545, port, "Port of the JSON-RPC server; 0 takes a free one"),
  "http.api": optional(list, "Open namespaces; default eth,net,web3,txpool,qnet (dev chain: all)"),
  "http.corsdomain": optional(list, "Origins of web pages that may call; default none (dev: *)"),
  "http.vhosts": optional(list, "Host names that are answered; default localhost"),
  ws: option(false, flag, "A WebSocket port of its own; HTTP's port serves WebSocket anyway"),
  "ws.port": option(8546, port, "Port of the additional WebSocket server"),
  "ws.addr": optional(text, "Address of the additional WebSocket server; default that of HTTP"),
  "ws.api": optional(list, "Namespaces open over WebSocket; default those of HTTP"),
  "ws.origins": optional(list, "Origins of pages that may connect; default http.corsdomain"),
  ipcpath: optional(path, "Unix socket that serves every namespace to its owner; default none"),
  ipcdisable: option(false, flag, "No Unix socket, whatever --ipcpath says"),
  graphql: option(false, flag, "GraphQL at /graphql of the HTTP port (EIP-1767)"),
  "http.verify": optional(
    flag,
    "Verify contracts at /v2, as Sourcify does; default off (dev chain: on)",
  ),
  "http.tls.cert": optional(
    path,
    "Certificate chain (PEM): serve over TLS 1.3; SIGHUP reads it again",
  ),
  "http.tls.key": optional(path, "Private key of the certificate (PEM)"),
  "rpc.ratelimit": option(
    0,
    integer(0, 1_000_000),
    "Units of work per second of one address, at least 10; a plain read is 1, a trace up to 100; 0: no limit",
  ),
  "rpc.keys": optional(path, "File of API keys (JSON); then nobody is answered without one"),
  "rpc.jwtsecret": optional(path, "Secret, 64 hex digits, of tokens that open the admin methods"),
  "rpc.http-body-limit": option(
    5 << 20,
    integer(1_024, 1 << 30),
    "Bytes of one request, over WebSocket too",
  ),
  "rpc.gascap": option(50_000_000n, quantity, "Gas limit of eth_call and eth_estimateGas"),
  "rpc.evmtimeout": option(5_000, duration, "Time limit of one eth_call"),
  "rpc.txfeecap": option(10n ** 18n, coins, "Highest fee of a transaction sent over RPC; 0: none"),
  "rpc.rangelimit": option(0n, quantity, "Blocks of one eth_getLogs query; 0: no limit"),
  "rpc.batch-request-limit": option(1_000, integer(1), "Calls of one batch"),
  "rpc.batch-response-max-size": option(25_000_000, integer(1_000), "Bytes of a batch's replies"),
  "rpc.allow-unprotected-txs": option(false, flag, "Take transactions without EIP-155 over RPC"),
  "authrpc.addr": option("127.0.0.1", text, "Address of the Engine API"),
  "authrpc.port": option(
    8551,
    port,
    "Port of the Engine API; open when an authrpc option is given",
  ),
  "authrpc.jwtsecret": optional(path, "Its secret, 64 hex digits; default <datadir>/jwtsecret"),
  "authrpc.vhosts": optional(list, "Host names that it answers; default localhost"),
  // metrics
  metrics: option(false, flag, "Serve figures for Prometheus at /metrics"),
  "metrics.addr": option("127.0.0.1", text, "Address of the metrics server"),
  "metrics.port": option(6060, port, "Port of the metrics server; 0 takes a free one"),
  // transaction pool
  "txpool.pricelimit": option(1n, quantity, "Lowest tip accepted, in wei per gas"),
  "txpool.pricebump": option(10, integer(0, 10_000), "Least raise of a replacement, in percent"),
  "txpool.accountslots": option(16, integer(1), "Transactions guaranteed to an account"),
  "txpool.globalslots": option(50_000, integer(1), "Transactions in the pool"),
  "txpool.lifetime": option(10_800_000, duration, "Longest stay of a transaction in the pool"),
  // dev chain, with anvil's names
  accounts: option(10, integer(0, 10_000), "Funded accounts"),
  balance: option(10_000n * 10n ** 18n, coins, "Balance of each funded account, in coins"),
  mnemonic: option(TEST_MNEMONIC, text, "BIP-39 mnemonic of the accounts"),
  "derivation-path": option("m/44'/60'/0'/0/", text, "Path to which the account's index is added"),
  "block-time": optional(duration, "Seconds between blocks, fractions allowed; default instant"),
  microblocks: option(
    false,
    flag,
    "Blocks and macroblocks at the main network's cadence: epochs of 90, blocks 2 to 0.25 s apart",
  ),
  "no-mining": option(false, flag, "Make blocks only when asked by evm_mine"),
  "mixed-mining": option(false, flag, "Instant blocks and the interval of --block-time"),
  "chain-id": option(31_337n, quantityWithin(1n, 2n ** 64n - 1n), "Chain id"),
  "gas-limit": option(30_000_000n, quantityWithin(5_000n, 2n ** 63n - 1n), "Gas limit of blocks"),
  "base-fee": option(
    1_000_000_000n,
    quantity,
    "Base fee of the genesis block, in wei; block 1 has up to an eighth less",
  ),
  timestamp: optional(time, "Time of the genesis block, in seconds; default now"),
  "auto-impersonate": option(false, flag, "Let anybody send as any account"),
  silent: option(false, flag, "Print nothing on standard output"),
  "config-out": optional(path, "Write accounts, keys and addresses of the servers as JSON"),
  // files
  genesis: optional(path, "Genesis file: initialises an empty data directory, else must match it"),
  until: optional(quantity, "Last block to import"),
  batch: option(100, integer(1, 10_000), "Blocks between two lines of progress"),
  first: option(0n, quantity, "First block to export"),
  last: optional(quantity, "Last block to export; default the head"),
  plain: option(false, flag, "Ethereum blocks, without what consensus adds"),
  // keys
  keystore: optional(path, "Folder of encrypted keys; default <datadir>/keystore"),
  "key-type": option(
    "secp256k1",
    choice("secp256k1", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87", "slh-dsa-sha2-128s"),
    "Type of a new or imported key; account commands also take it as --type",
  ),
  password: optional(path, "File whose first line is the password"),
  "new-password": optional(path, "File whose first line is the password to change to"),
  lightkdf: option(false, flag, "Spend less memory and time on the password of new key files"),
  index: option(0, integer(0, 9_999), "Number of the account below an imported mnemonic"),
  "pkcs11.module": optional(path, "Library of a PKCS #11 token; the password is then its PIN"),
  "pkcs11.token": optional(text, "Label of the token that seals the key from now on"),
  signer: optional(text, "Remote signer that has the key, https://HOST:PORT"),
  "signer.addr": option("127.0.0.1", text, "Address of the signer"),
  "signer.port": option(9000, port, "Port of the signer; 0 takes a free one"),
  "signer.cert": optional(path, "This side's certificate (PEM), from qnet signer cert"),
  "signer.key": optional(path, "Its private key (PEM)"),
  "signer.trust": optional(path, "Certificates that the other side may have (PEM)"),
  // validators
  solo: option(
    false,
    flag,
    "Rehearse the network on this machine: its parameters, an own salt, one local validator",
  ),
  validator: option(false, flag, "Sign with the validator keys in --datadir"),
  "i-know-what-i-do": option(
    false,
    flag,
    "Sign at once: no other process signs with these keys, which is not waited to be heard",
  ),
  "report-evidence": optional(
    address,
    "Account of --datadir that reports validators which contradict themselves, and is rewarded; its password is --validator-password",
  ),
  "rpc-url": option(
    "http://127.0.0.1:8545",
    text,
    "JSON-RPC of the node to ask and to send through",
  ),
  "rpc-urls": option(
    ["http://127.0.0.1:8545"],
    list,
    "JSON-RPC of the nodes to ask, which must agree; --rpc-url may be given several times",
  ),
  checkpoint: optional(
    text,
    "Macro header to start from instead of the genesis, EPOCH:0xHASH from a source that you trust",
  ),
  tx: optional(hash, "Transaction whose finality is verified"),
  account: optional(address, "Account whose state is verified in the last final block"),
  staking: optional(address, "Staking contract, where the genesis names another than 0x…515000"),
  from: optional(address, "Account that sends or owns the validator; its key is in the keystore"),
  to: optional(
    address,
    "Account that receives the transaction; without it --data creates a contract",
  ),
  value: option(0n, coins, "Coins to send"),
  data: option("0x", text, "Call data or creation code, as hex digits"),
  chain: optional(quantity, "Id of the chain it must be for; default: what the node says"),
  "max-fee": option(10n ** 18n, coins, "Highest fee to sign for, gas times price, in coins"),
  wait: option(false, flag, "Wait until the transaction is in a block; fails if it was reverted"),
  id: optional(integer(0, 0xffff_ffff), "Validator; default: that of the newest key in --datadir"),
  stake: optional(coins, "Stake in coins; in a genesis by default the least"),
  withdrawal: optional(address, "Account that receives stake and rewards; default the owner"),
  "fee-recipient": optional(address, "Account that receives tips; default the owner"),
  "validator-password": optional(
    path,
    "File with the validator key's password; default --password",
  ),
  template: option("mainnet", path, "Network or genesis file without validators to start from"),
  output: optional(path, "File to write"),
  validators: option(4, integer(1, 100), "Number of validators"),
  hosts: option(["127.0.0.1", "localhost"], list, "Names under which a server is reached"),
  days: option(365, integer(1, 3_650), "Life of a certificate"),
  out: optional(path, "Folder of new files; default the working folder, or that of the old file"),
  json: option(false, flag, "Print JSON"),
} as const;

export type Options = typeof options;
export type OptionName = keyof Options;

/** All names, in the order of their declaration. */
export const optionNames: readonly OptionName[] = Object.keys(options).filter(isOptionName);

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}

/** Type of an option's value after parsing. */
export type OptionValue<N extends OptionName> =
  Options[N] extends Option<infer T, infer D> ? (undefined extends D ? T | undefined : T) : never;

/** Names of options as a mapped type of values. */
export type OptionValues<N extends OptionName> = { readonly [K in N]: OptionValue<K> };

/** `QNET_HTTP_PORT` for `http.port`. */
export function variableOf(name: string): string {
  return `QNET_${name.replaceAll(/[.-]/g, "_").toUpperCase()}`;
}

/** Key in the configuration file. A table and a value cannot share a name in TOML: `[http] enable = true`. */
export function configKeyOf(name: OptionName): string {
  return name === "http" || name === "ws" || name === "metrics" ? `${name}.enable` : name;
}

/** Flags of geth, anvil and of our own later features: refused by name, never ignored. */
export const NOT_YET: ReadonlySet<string> = new Set(
  `bootnodes dev dev.gaslimit dev.period dump-state exitwhensynced fork-block-number fork-url
  fund-accounts graphql.corsdomain history identity init
  load-state log.file log.maxage log.maxbackups log.maxsize log.rotate log.vmodule maxpeers
  mnemonic-random nat nodekey port print-traces recovery region
  rpc.logquerylimit state state-interval steps-tracing type`.split(/\s+/),
);
