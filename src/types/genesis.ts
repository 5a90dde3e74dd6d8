/**
 * Genesis files: geth's format, with everything of ours under `config.qnet`. `parseGenesisText` reads a file's text
 * without losing digits, `parseGenesis` takes parsed JSON; both report every problem with its JSON path in one
 * GenesisError. Source: geth's core/genesis.go and EIP-7840 for `blobSchedule`.
 */
import { z } from "zod";
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import {
  type Address,
  type Hash,
  HexError,
  parseAddress,
  parseHash,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "../primitives/hex.ts";
import { EMPTY_TRIE_ROOT } from "./account.ts";
import { ExtensionSchedule } from "./extensionSchedule.ts";
import {
  type BlobSchedule,
  FORKS,
  type ForkConfig,
  type ForkName,
  ForkSchedule,
  forkProblems,
} from "./forks.ts";
import { nonceBytes, parseStorageWord } from "./genesisFields.ts";
import { blobScheduleSchema, type GenesisFile, genesisSchema } from "./genesisSchema.ts";
import type { Header } from "./header.ts";
import { parseJsonText } from "./jsonText.ts";
import { type QnetConfig, qnetProblems } from "./qnetConfig.ts";
import { SYSTEM_CONTRACTS } from "./systemContracts.ts";

export interface GenesisAccount {
  /** wei */
  readonly balance: bigint;
  readonly nonce: bigint;
  readonly code: Bytes;
  /** Slots that are not zero */
  readonly storage: ReadonlyMap<Hash, Hash>;
}

export interface ChainConfig {
  readonly chainId: bigint;
  readonly forks: ForkSchedule;
  /** undefined: the chain never merges */
  readonly terminalTotalDifficulty: bigint | undefined;
  readonly depositContractAddress: Address;
  /** undefined: a plain Ethereum chain */
  readonly qnet: QnetConfig | undefined;
}

export interface Genesis {
  readonly config: ChainConfig;
  readonly parentHash: Hash;
  readonly coinbase: Address;
  readonly difficulty: bigint;
  readonly number: bigint;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  /** seconds */
  readonly timestamp: bigint;
  readonly extraData: Bytes;
  readonly mixHash: Hash;
  /** 8 bytes */
  readonly nonce: Bytes;
  /** wei; undefined: what the fork of block 0 demands */
  readonly baseFeePerGas: bigint | undefined;
  readonly excessBlobGas: bigint | undefined;
  readonly blobGasUsed: bigint | undefined;
  readonly alloc: ReadonlyMap<Address, GenesisAccount>;
  /** The JSON it was read from; `formatGenesis` writes it out again */
  readonly json: unknown;
}

export interface GenesisIssue {
  /** JSON path as `alloc.0x….balance`; empty: the file as a whole */
  readonly path: string;
  readonly message: string;
}

export type GenesisErrorReason = {
  readonly code: "BAD_GENESIS";
  readonly issues: readonly GenesisIssue[];
};

/** A genesis file that cannot be used, with everything that is wrong with it. */
export class GenesisError extends NodeError<GenesisErrorReason> {
  constructor(issues: readonly GenesisIssue[], options?: ErrorOptions) {
    const lines = issues.map(({ path, message }) =>
      path === "" ? message : `${path}: ${message}`,
    );
    super({ code: "BAD_GENESIS", issues }, { ...options, message: lines.join("\n") });
  }
}

/** Of most accounts: a Map for each of a million would be 200 MB. */
const NO_STORAGE: ReadonlyMap<Hash, Hash> = new Map();
/** 1 gwei. Source: EIP-1559, INITIAL_BASE_FEE. */
const INITIAL_BASE_FEE = 1_000_000_000n;
const ETHASH_GENESIS_DIFFICULTY = 131_072n;
/** sha256 of nothing. Source: EIP-7685. */
export const EMPTY_REQUESTS_HASH = parseHash(
  "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
);
/** keccak256(rlp([])): no ommers. */
export const EMPTY_OMMERS_HASH = parseHash(
  "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
);

/** JSON schema (draft 2020-12) of genesis files. */
export function genesisJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(genesisSchema, { io: "input", unrepresentable: "any" });
}

/** Reads the text of a genesis file. Throws GenesisError. */
export function parseGenesisText(text: string): Genesis {
  let parsed: ReturnType<typeof parseJsonText>;
  try {
    parsed = parseJsonText(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new GenesisError([{ path: "", message: `not JSON: ${error.message}` }], { cause: error });
  }
  if (parsed.repeated.length > 0) {
    throw new GenesisError(
      parsed.repeated.map(({ path, key }) => ({
        path: [...path, key].join("."),
        message: "is given twice",
      })),
    );
  }
  return parseGenesis(parsed.value);
}

/** The text of a genesis file with the same meaning, for the database; `settings`: all but the accounts. */
export function formatGenesis(genesis: Genesis, part: "all" | "settings" = "all"): string {
  return JSON.stringify(genesis.json, (key, value: unknown) => {
    if (part === "settings" && key === "alloc") return undefined;
    return typeof value === "bigint" ? value.toString() : value;
  });
}

/** Reads a genesis from parsed JSON. Throws GenesisError. */
export function parseGenesis(json: unknown): Genesis {
  const parsed = genesisSchema.safeParse(json);
  if (!parsed.success) throw new GenesisError(flattenIssues(parsed.error.issues));
  const file = parsed.data;
  const issues: GenesisIssue[] = [];
  const alloc = readAlloc(file.alloc, issues);
  const timestamp = file.timestamp ?? 0n;
  const forkConfig = readForks(file.config, timestamp, issues);
  for (const { field, problem } of forkProblems(forkConfig)) {
    issues.push({ path: `config.${field}`, message: problem });
  }
  const { qnet } = file.config;
  let allocatedWei = 0n;
  for (const { balance } of alloc.values()) allocatedWei += balance;
  if (qnet !== undefined) {
    const osakaTime = forkConfig.activations.get("osaka");
    const totals = { chainId: forkConfig.chainId, allocatedWei, osakaTime };
    for (const { path, message } of qnetProblems(qnet, totals)) {
      issues.push({ path: `config.qnet.${path}`, message });
    }
    const staking = qnet.consensus?.staking;
    if (staking !== undefined && alloc.has(staking)) {
      const message = "belongs to the staking contract, which block 0 makes by itself";
      issues.push({ path: `alloc.${staking}`, message });
    }
  }
  if (issues.length > 0) throw new GenesisError(issues);
  const forks = new ForkSchedule(forkConfig);
  if (qnet !== undefined) demandSystemContracts(forks, alloc, { number: file.number, timestamp });
  return {
    config: {
      chainId: forks.chainId,
      forks,
      terminalTotalDifficulty: forks.terminalTotalDifficulty,
      depositContractAddress: forks.depositContract,
      qnet,
    },
    ...headerFields(file, forks.terminalTotalDifficulty !== undefined),
    timestamp,
    alloc,
    json,
  };
}

/** Coins of block 0 in wei: balances and stakes. Issuance stops when they and what was minted reach maxSupply. */
export function genesisSupply({ alloc, config }: Genesis): bigint {
  let supply = 0n;
  for (const { balance } of alloc.values()) supply += balance;
  for (const { stake } of config.qnet?.consensus?.validators ?? [])
    supply += stake * 1_000_000_000n;
  return supply;
}

/**
 * No block of a chain without them is valid (EIP-7002, EIP-7251), or it lacks what contracts rely on. On other people's
 * chains a transaction may deploy them later.
 */
function demandSystemContracts(
  forks: ForkSchedule,
  alloc: ReadonlyMap<Address, GenesisAccount>,
  { number = 0n, timestamp }: { number: bigint | null | undefined; timestamp: bigint },
): void {
  const missing = SYSTEM_CONTRACTS.filter(
    ({ address, since }) =>
      forks.isScheduled(since, number ?? 0n, timestamp) && !alloc.get(address)?.code.length,
  );
  if (missing.length === 0) return;
  throw new GenesisError(
    missing.map(({ address, since }) => ({
      path: `alloc.${address}`,
      message: `must hold the code of this system contract: blocks call it from ${since} on`,
    })),
  );
}

/** Blob schedule of a test fixture's `config`. Throws GenesisError. */
export function parseBlobSchedule(json: unknown): BlobSchedule {
  const parsed = blobScheduleSchema.safeParse(json);
  if (!parsed.success) throw new GenesisError(flattenIssues(parsed.error.issues));
  return parsed.data;
}

/** Header of block 0 over the state that `alloc` makes. Which fields it has follows number and time alone, as in geth. */
export function genesisHeader(genesis: Genesis, stateRoot: Hash): Header {
  const { number, timestamp } = genesis;
  const { forks } = genesis.config;
  const london = forks.isScheduled("london", number, timestamp);
  const cancun = forks.isScheduled("cancun", number, timestamp);
  return {
    parentHash: genesis.parentHash,
    sha3Uncles: EMPTY_OMMERS_HASH,
    miner: genesis.coinbase,
    stateRoot,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty: genesis.difficulty,
    number,
    gasLimit: genesis.gasLimit,
    gasUsed: genesis.gasUsed,
    timestamp,
    extraData: genesis.extraData,
    mixHash: genesis.mixHash,
    nonce: genesis.nonce,
    baseFeePerGas: london ? (genesis.baseFeePerGas ?? INITIAL_BASE_FEE) : undefined,
    withdrawalsRoot: forks.isScheduled("shanghai", number, timestamp) ? EMPTY_TRIE_ROOT : undefined,
    blobGasUsed: cancun ? (genesis.blobGasUsed ?? 0n) : undefined,
    excessBlobGas: cancun ? (genesis.excessBlobGas ?? 0n) : undefined,
    parentBeaconBlockRoot: cancun ? ZERO_HASH : undefined,
    requestsHash: forks.isScheduled("prague", number, timestamp) ? EMPTY_REQUESTS_HASH : undefined,
  };
}

function headerFields(file: GenesisFile, merges: boolean) {
  return {
    parentHash: file.parentHash ?? ZERO_HASH,
    coinbase: file.coinbase ?? ZERO_ADDRESS,
    difficulty: file.difficulty ?? (merges ? 0n : ETHASH_GENESIS_DIFFICULTY),
    number: file.number ?? 0n,
    gasLimit: file.gasLimit,
    gasUsed: file.gasUsed ?? 0n,
    extraData: file.extraData ?? EMPTY_BYTES,
    mixHash: file.mixHash ?? ZERO_HASH,
    nonce: nonceBytes(file.nonce ?? 0n),
    baseFeePerGas: file.baseFeePerGas ?? undefined,
    excessBlobGas: file.excessBlobGas ?? undefined,
    blobGasUsed: file.blobGasUsed ?? undefined,
  };
}

function readAlloc(
  file: GenesisFile["alloc"],
  issues: GenesisIssue[],
): ReadonlyMap<Address, GenesisAccount> {
  const alloc = new Map<Address, GenesisAccount>();
  for (const [key, account] of Object.entries(file)) {
    const path = `alloc.${key}`;
    try {
      const address = parseAddress(key.startsWith("0x") ? key : `0x${key}`);
      if (alloc.has(address))
        issues.push({ path, message: "names an account for the second time" });
      alloc.set(address, {
        balance: account.balance,
        nonce: account.nonce ?? 0n,
        code: account.code ?? EMPTY_BYTES,
        storage: readStorage(account.storage ?? {}, path, issues),
      });
    } catch (error) {
      if (!(error instanceof HexError)) throw error;
      issues.push({ path, message: `expected an address, got ${error.reason.got}` });
    }
  }
  return alloc;
}

function readStorage(
  file: Readonly<Record<string, string>>,
  path: string,
  issues: GenesisIssue[],
): ReadonlyMap<Hash, Hash> {
  const entries = Object.entries(file);
  if (entries.length === 0) return NO_STORAGE;
  const storage = new Map<Hash, Hash>();
  for (const [key, text] of entries) {
    try {
      const value = parseStorageWord(text);
      if (value !== ZERO_HASH) storage.set(parseStorageWord(key), value);
    } catch (error) {
      if (!(error instanceof HexError)) throw error;
      const { expected, got } = error.reason;
      issues.push({ path: `${path}.storage.${key}`, message: `expected ${expected}, got ${got}` });
    }
  }
  return storage;
}

function readForks(
  config: GenesisFile["config"],
  genesisTimestamp: bigint,
  issues: GenesisIssue[],
): ForkConfig {
  refuseUnsupported(config, issues);
  const activations = new Map<ForkName, bigint>();
  for (const { name, key } of FORKS) {
    const at = config[key];
    if (name !== "paris" && typeof at === "bigint") activations.set(name, at);
  }
  // EIP-155 and EIP-158 are one fork everywhere but in geth's file format.
  const eip155 = config.eip155Block;
  if (typeof eip155 === "bigint") {
    const eip158 = activations.get("spuriousDragon") ?? eip155;
    activations.set("spuriousDragon", eip158);
    if (eip158 !== eip155) {
      issues.push({
        path: "config.eip155Block",
        message: "differs from eip158Block: not supported",
      });
    }
  }
  const constantinople = activations.get("constantinople");
  if (constantinople !== undefined && !activations.has("petersburg")) {
    activations.set("petersburg", constantinople); // geth's reading of a missing petersburgBlock
  }
  return {
    chainId: config.chainId,
    activations,
    terminalTotalDifficulty:
      config.terminalTotalDifficulty ?? (config.terminalTotalDifficultyPassed ? 0n : undefined),
    mergeNetsplitBlock: config.mergeNetsplitBlock ?? undefined,
    blobSchedule: config.blobSchedule ?? undefined,
    depositContract: config.depositContractAddress ?? undefined,
    genesisTimestamp,
    maxBlockBytes: config.qnet?.consensus?.maxBlockBytes,
    extensions: new ExtensionSchedule(config.qnet),
  };
}

const KNOWN_POINTS: ReadonlySet<string> = new Set([
  ...FORKS.map(({ key }) => key),
  "eip155Block",
  "mergeNetsplitBlock",
]);

/** A rule change that this program does not know must not be ignored: the chain would split at it. */
function refuseUnsupported(config: GenesisFile["config"], issues: GenesisIssue[]): void {
  const refuse = (field: string, message: string) =>
    issues.push({ path: `config.${field}`, message });
  for (const [key, value] of Object.entries(config)) {
    if (value === undefined || value === null || !/(Time|Block)$/.test(key)) continue;
    if (!KNOWN_POINTS.has(key)) refuse(key, "is not supported yet");
  }
  if (config.chainId === 0n) refuse("chainId", "must not be 0");
  if (typeof config["daoForkBlock"] === "bigint" && config.daoForkSupport === true) {
    refuse("daoForkSupport", "is not supported: the DAO fork moves balances by hand");
  }
  const merged = config.terminalTotalDifficulty === 0n;
  if (config["clique"] !== undefined && !merged) {
    refuse("clique", "is not supported: only ethash headers and merged chains can be verified");
  }
}

type ZodIssues = readonly z.core.$ZodIssue[];

function flattenIssues(issues: ZodIssues, prefix: readonly PropertyKey[] = []): GenesisIssue[] {
  return issues.flatMap((issue): GenesisIssue[] => {
    const path = [...prefix, ...issue.path].map(String).join(".");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        path: path === "" ? key : `${path}.${key}`,
        message: "is not a known field",
      }));
    }
    return [{ path, message: issue.message }];
  });
}
