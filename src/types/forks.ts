/**
 * Forks: which rules hold in which block. One row per fork in `FORKS`; code asks `rules.has("osaka")` and never
 * compares numbers itself. A schedule comes from a genesis file (types/genesis.ts) or from the fork names of public
 * test fixtures (`rulesForName`). Block forks activate by number, later ones by timestamp; Paris, between them, is
 * recognised by the zero difficulty of the block itself. Sources: EIP-2124, EIP-3675, EIP-7840, EIP-7892, geth's
 * genesis format.
 */
import { NodeError } from "../primitives/errors.ts";
import { type Address, type Hash, parseAddress, ZERO_ADDRESS } from "../primitives/hex.ts";
import { DEFAULT_BLOBS, FIXTURE_BLOBS } from "./blobDefaults.ts";
import { ExtensionSchedule, type Extensions } from "./extensionSchedule.ts";
import { computeForkId, type ForkId, type ForkPoints } from "./forkId.ts";

interface ForkRow {
  readonly name: string;
  readonly by: "genesis" | "block" | "difficulty" | "time";
  /** Field of the genesis file's `config` */
  readonly key: string;
  /** May be left out although a later fork is scheduled */
  readonly optional?: true;
  /** Spellings of public test fixtures */
  readonly aliases?: readonly string[];
}

/** All forks in the order in which they must activate. */
export const FORKS = [
  { name: "frontier", by: "genesis", key: "" },
  { name: "homestead", by: "block", key: "homesteadBlock" },
  { name: "dao", by: "block", key: "daoForkBlock", optional: true },
  { name: "tangerineWhistle", by: "block", key: "eip150Block", aliases: ["eip150"] },
  { name: "spuriousDragon", by: "block", key: "eip158Block", aliases: ["eip158", "eip155"] },
  { name: "byzantium", by: "block", key: "byzantiumBlock" },
  { name: "constantinople", by: "block", key: "constantinopleBlock" },
  { name: "petersburg", by: "block", key: "petersburgBlock", aliases: ["constantinoplefix"] },
  { name: "istanbul", by: "block", key: "istanbulBlock" },
  { name: "muirGlacier", by: "block", key: "muirGlacierBlock", optional: true },
  { name: "berlin", by: "block", key: "berlinBlock" },
  { name: "london", by: "block", key: "londonBlock" },
  { name: "arrowGlacier", by: "block", key: "arrowGlacierBlock", optional: true },
  { name: "grayGlacier", by: "block", key: "grayGlacierBlock", optional: true },
  { name: "paris", by: "difficulty", key: "terminalTotalDifficulty", aliases: ["merge"] },
  { name: "shanghai", by: "time", key: "shanghaiTime" },
  { name: "cancun", by: "time", key: "cancunTime" },
  { name: "prague", by: "time", key: "pragueTime" },
  { name: "osaka", by: "time", key: "osakaTime" },
  { name: "bpo1", by: "time", key: "bpo1Time", optional: true },
  { name: "bpo2", by: "time", key: "bpo2Time", optional: true },
  { name: "bpo3", by: "time", key: "bpo3Time", optional: true },
  { name: "bpo4", by: "time", key: "bpo4Time", optional: true },
  { name: "bpo5", by: "time", key: "bpo5Time", optional: true },
] as const satisfies readonly ForkRow[];

export type ForkName = (typeof FORKS)[number]["name"];

/** Blob parameters of a fork. Source: EIP-7840. */
export interface BlobParameters {
  /** blobs per block */
  readonly target: bigint;
  /** blobs per block */
  readonly max: bigint;
  readonly baseFeeUpdateFraction: bigint;
}

export type BlobSchedule = ReadonlyMap<ForkName, BlobParameters>;

/** The rules of one block. Two blocks with the same active forks get the same object. */
export interface Rules extends Extensions {
  /** Latest active fork */
  readonly fork: ForkName;
  has(fork: ForkName): boolean;
  readonly chainId: bigint;
  /** undefined before Cancun */
  readonly blobs: BlobParameters | undefined;
  /** Contract whose logs are deposits (EIP-6110) */
  readonly depositContract: Address;
  /** Largest RLP size of an Ethereum block (EIP-7934, or less by the genesis); undefined: no limit */
  readonly maxRlpBlockBytes: number | undefined;
}

/** What the rules depend on. */
export interface RulesKey {
  readonly number: bigint;
  /** seconds */
  readonly timestamp: bigint;
  readonly difficulty: bigint;
}

export interface ForkActivation {
  readonly fork: ForkName;
  readonly by: "block" | "time";
  /** block number or seconds */
  readonly at: bigint;
}

export interface ForkConfig {
  readonly chainId: bigint;
  /** Block number or time (seconds) of every scheduled fork; `frontier` and `paris` are not in it */
  readonly activations: ReadonlyMap<ForkName, bigint>;
  /** undefined: the chain never merges */
  readonly terminalTotalDifficulty?: bigint | undefined;
  /** Counts in fork identifiers only */
  readonly mergeNetsplitBlock?: bigint | undefined;
  readonly blobSchedule?: BlobSchedule | undefined;
  readonly depositContract?: Address | undefined;
  /** seconds; forks up to here are the genesis' own rules */
  readonly genesisTimestamp?: bigint | undefined;
  /** Limit of the genesis' consensus section */
  readonly maxBlockBytes?: number | undefined;
  /** What the genesis adds to Ethereum's rules */
  readonly extensions?: ExtensionSchedule | undefined;
}

export type ForkErrorReason = {
  readonly code: "BAD_FORKS";
  readonly field: string;
  readonly problem: string;
};

/** A fork schedule that contradicts itself; `field` is the field of the genesis file's `config`. */
export class ForkError extends NodeError<ForkErrorReason> {}

/** Deposit contract of Ethereum's main network, which public test fixtures use. */
export const MAINNET_DEPOSIT_CONTRACT = parseAddress("0x00000000219ab540356cbb839cbe05303d7705fa");

/** EIP-7934: 10 MiB less a margin of 2 MiB for the beacon block. */
const MAX_RLP_BLOCK_BYTES = 8_388_608;

/** The rules of a chain, block by block. Immutable. Throws ForkError when the configuration contradicts itself. */
export class ForkSchedule {
  readonly chainId: bigint;
  readonly terminalTotalDifficulty: bigint | undefined;
  readonly depositContract: Address;
  /** First block that can only be a merged one, where the genesis names it */
  readonly mergeNetsplitBlock: bigint | undefined;
  /** All scheduled forks in order, without Frontier and Paris */
  readonly all: readonly ForkActivation[];
  readonly #blockForks: readonly ForkActivation[];
  readonly #timeForks: readonly ForkActivation[];
  readonly #config: ForkConfig;
  readonly #points: ForkPoints;
  readonly extensions: ExtensionSchedule;
  /** Index: (period of extensions, active block forks, 0 before the merge or 1 + active time forks) */
  readonly #cache: (Rules | undefined)[] = [];

  constructor(config: ForkConfig) {
    const problem = forkProblems(config)[0];
    if (problem !== undefined) throw new ForkError({ code: "BAD_FORKS", ...problem });
    this.#config = config;
    this.chainId = config.chainId;
    this.terminalTotalDifficulty = config.terminalTotalDifficulty;
    this.depositContract = config.depositContract ?? ZERO_ADDRESS;
    this.mergeNetsplitBlock = config.mergeNetsplitBlock;
    this.#blockForks = activationsBy(config, "block");
    this.#timeForks = activationsBy(config, "time");
    this.all = [...this.#blockForks, ...this.#timeForks];
    this.extensions = config.extensions ?? new ExtensionSchedule();
    this.#points = forkPoints(config, this.#blockForks, this.#timeForks);
  }

  /** Rules of a block. A block counts as merged if the chain merges and its difficulty is zero. */
  rules(block: RulesKey): Rules {
    let blockForks = 0;
    for (const fork of this.#blockForks) {
      if (block.number < fork.at) break;
      blockForks++;
    }
    let merged = 0;
    if (this.terminalTotalDifficulty !== undefined && block.difficulty === 0n) {
      merged = 1;
      for (const fork of this.#timeForks) {
        if (block.timestamp < fork.at) break;
        merged++;
      }
    }
    const period = this.extensions.periodAt(block.timestamp);
    const row = period * (this.#blockForks.length + 1) + blockForks;
    const index = row * (this.#timeForks.length + 2) + merged;
    this.#cache[index] ??= this.#build(blockForks, merged, period);
    return this.#cache[index];
  }

  /** Whether `fork` is in force at this height and time, whatever the block's difficulty (so a genesis header is judged). */
  isScheduled(fork: ForkName, number: bigint, timestamp: bigint): boolean {
    const activation = this.all.find((entry) => entry.fork === fork);
    if (activation === undefined) return fork === "frontier";
    return (activation.by === "block" ? number : timestamp) >= activation.at;
  }

  /** Latest fork in force at `head`; undefined: Frontier. Paris, which has no activation point, is not named. */
  current(head: {
    readonly number: bigint;
    readonly timestamp: bigint;
  }): ForkActivation | undefined {
    return this.all.findLast((fork) => isPassed(fork, head));
  }

  /** The fork that comes next after `head`; of forks at one point the latest. */
  next(head: { readonly number: bigint; readonly timestamp: bigint }): ForkActivation | undefined {
    const first = this.all.find((fork) => !isPassed(fork, head));
    return first && this.all.findLast((fork) => fork.by === first.by && fork.at === first.at);
  }

  /** The last scheduled fork, passed or not. */
  last(): ForkActivation | undefined {
    return this.all.at(-1);
  }

  /** Fork identifier at `head`. Source: EIP-2124. */
  forkId(genesisHash: Hash, head: { readonly number: bigint; readonly timestamp: bigint }): ForkId {
    return computeForkId(genesisHash, this.#points, head);
  }

  #build(blockForks: number, merged: number, period: number): Rules {
    const active = new Set<ForkName>(["frontier"]);
    for (const { fork } of this.#blockForks.slice(0, blockForks)) active.add(fork);
    if (merged > 0) active.add("paris");
    for (const { fork } of this.#timeForks.slice(0, Math.max(0, merged - 1))) active.add(fork);
    const fork = FORKS.findLast(({ name }) => active.has(name))?.name ?? "frontier";
    const { blobSchedule, maxBlockBytes } = this.#config;
    const limit = active.has("osaka") ? MAX_RLP_BLOCK_BYTES : Number.POSITIVE_INFINITY;
    const maxRlpBlockBytes = Math.min(limit, maxBlockBytes ?? Number.POSITIVE_INFINITY);
    return {
      fork,
      has: (name) => active.has(name),
      chainId: this.chainId,
      blobs: blobsOf(active, blobSchedule ?? new Map()),
      depositContract: this.depositContract,
      maxRlpBlockBytes: Number.isFinite(maxRlpBlockBytes) ? maxRlpBlockBytes : undefined,
      ...this.extensions.activeIn(period),
    };
  }
}

function isPassed(
  fork: ForkActivation,
  head: { readonly number: bigint; readonly timestamp: bigint },
): boolean {
  return (fork.by === "block" ? head.number : head.timestamp) >= fork.at;
}

function activationsBy(config: ForkConfig, by: "block" | "time"): ForkActivation[] {
  const found: ForkActivation[] = [];
  for (const row of FORKS) {
    const at = config.activations.get(row.name);
    // A refused DAO fork still splits the network, but no rule of ours depends on it.
    if (row.by === by && at !== undefined && row.name !== "dao")
      found.push({ fork: row.name, by, at });
  }
  return found;
}

function forkPoints(
  config: ForkConfig,
  blockForks: readonly ForkActivation[],
  timeForks: readonly ForkActivation[],
): ForkPoints {
  const blocks = blockForks.map(({ at }) => at);
  for (const extra of [config.activations.get("dao"), config.mergeNetsplitBlock]) {
    if (extra !== undefined) blocks.push(extra);
  }
  return {
    blocks: ascending(blocks, 0n),
    times: ascending(
      [...timeForks.map(({ at }) => at), ...(config.extensions?.points ?? [])],
      config.genesisTimestamp ?? 0n,
    ),
  };
}

function ascending(values: readonly bigint[], above: bigint): bigint[] {
  const distinct = [...new Set(values)].filter((value) => value > above);
  return distinct.sort((a, b) => (a < b ? -1 : 1));
}

/** Parameters of the latest active fork that has some; Osaka inherits Prague's unless the schedule says otherwise. */
function blobsOf(
  active: ReadonlySet<ForkName>,
  schedule: BlobSchedule,
): BlobParameters | undefined {
  for (const { name } of FORKS.toReversed()) {
    const found = active.has(name) ? (schedule.get(name) ?? DEFAULT_BLOBS.get(name)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What is wrong with a configuration: the field of `config` and the reason. Order rules are geth's. */
export function forkProblems(config: ForkConfig): { field: string; problem: string }[] {
  return [...orderProblems(config), ...blobProblems(config)];
}

function orderProblems(config: ForkConfig): { field: string; problem: string }[] {
  const problems: { field: string; problem: string }[] = [];
  let missing: string | undefined;
  let previous: { by: string; key: string; at: bigint } | undefined;
  for (const row of FORKS) {
    const at = activationOf(config, row.name);
    if (row.name === "dao") continue;
    if (at === undefined) {
      if (!("optional" in row)) missing ??= row.key;
      continue;
    }
    if (missing !== undefined) {
      problems.push({ field: row.key, problem: `is set, but ${missing} before it is not` });
      missing = undefined;
    }
    if (previous?.by === row.by && at < previous.at) {
      problems.push({
        field: row.key,
        problem: `${at} is before ${previous.key} (${previous.at})`,
      });
    }
    previous = { by: row.by, key: row.key, at };
  }
  return problems;
}

function activationOf(config: ForkConfig, fork: ForkName): bigint | undefined {
  if (fork === "frontier") return 0n;
  return fork === "paris" ? config.terminalTotalDifficulty : config.activations.get(fork);
}

function blobProblems(config: ForkConfig): { field: string; problem: string }[] {
  const problems: { field: string; problem: string }[] = [];
  for (const [name, { target, max, baseFeeUpdateFraction }] of config.blobSchedule ?? []) {
    const field = `blobSchedule.${name}`;
    if (target > max) problems.push({ field, problem: `target ${target} is above max ${max}` });
    if (baseFeeUpdateFraction === 0n)
      problems.push({ field, problem: "baseFeeUpdateFraction is 0" });
  }
  for (const { name } of FORKS) {
    if (!name.startsWith("bpo") || !config.activations.has(name)) continue;
    if (!config.blobSchedule?.has(name)) {
      problems.push({
        field: `blobSchedule.${name}`,
        problem: `is missing, but ${name}Time is set`,
      });
    }
  }
  return problems;
}

/**
 * Schedule of a fork name of public test fixtures: "Cancun", "Merge", "ConstantinopleFix", or a transition as
 * "PragueToOsakaAtTime15k", "BerlinToLondonAt5", "ArrowGlacierToParisAtDiffC0000"; undefined if it is not supported.
 */
export function rulesForName(
  name: string,
  chainId: bigint,
  blobSchedule?: BlobSchedule,
): ForkSchedule | undefined {
  const transition = /^(\w+?)To(\w+?)At(Time|Diff)?([0-9A-F]+)(k?)$/.exec(name);
  const [, from = name, to = name, by, point = "0", kilo] = transition ?? [];
  const first = forkIndex(from);
  const target = forkIndex(to);
  if (first < 0 || target < first) return undefined;
  const kind = by === "Time" ? "time" : by === "Diff" ? "difficulty" : "block";
  const later = FORKS.slice(first + 1, target + 1).filter(
    (row) => row.by === kind || !("optional" in row),
  );
  if (later.some((row) => row.by !== kind)) return undefined;
  const at = BigInt(by === "Diff" ? `0x${point}` : kilo ? `${point}000` : point);
  const activations = new Map<ForkName, bigint>();
  for (const row of FORKS.slice(0, first + 1)) activations.set(row.name, 0n);
  for (const row of later) activations.set(row.name, at);
  activations.delete("dao");
  return new ForkSchedule({
    chainId,
    activations,
    terminalTotalDifficulty: activations.get("paris"),
    blobSchedule: new Map([...FIXTURE_BLOBS, ...(blobSchedule ?? [])]),
    depositContract: MAINNET_DEPOSIT_CONTRACT,
  });
}

function forkIndex(name: string): number {
  const wanted = name.toLowerCase();
  if (wanted === "dao") return -1;
  return FORKS.findIndex(
    (row) =>
      row.name.toLowerCase() === wanted ||
      ("aliases" in row && row.aliases.some((alias) => alias === wanted)),
  );
}
