/**
 * Filters that are polled: eth_newFilter and its kin. A filter collects what happens between two polls, within limits,
 * and is forgotten five minutes after the last one.
 */
import { randomBytes } from "node:crypto";
import type { Chain } from "../src/chain/chain.ts";
import type { HeadEvent } from "../src/chain/chainEvents.ts";
import type { Hash } from "../src/primitives/hex.ts";
import type { TransactionEvent } from "../src/txpool/poolFacts.ts";
import type { Block } from "../src/types/block.ts";
import type { Transaction } from "../src/types/transaction.ts";
import type { RpcNode } from "./context.ts";
import { RpcError } from "./errors.ts";
import { type LogArgument, logsOfBlock, type PlacedLog } from "./logs.ts";

/** Limits of all filters of a server. */
export const filterLimits = {
  /** Filters at once; the one polled longest ago makes room. */
  filters: 10_000,
  /** Changes kept over all filters; those polled longest ago are dropped, and their owners make new ones. */
  changes: 500_000,
  idleMs: 5 * 60_000,
} as const;

/** What a poll brings. */
export type Changes =
  | { readonly kind: "blocks"; readonly hashes: readonly Hash[] }
  | {
      readonly kind: "transactions";
      readonly transactions: readonly Transaction[];
      readonly full: boolean;
    }
  | { readonly kind: "logs"; readonly logs: readonly PlacedLog[] };

type Filter =
  | { readonly kind: "blocks"; lastPollMs: number; changes: Hash[] }
  | {
      readonly kind: "transactions";
      readonly full: boolean;
      lastPollMs: number;
      changes: Transaction[];
    }
  | {
      readonly kind: "logs";
      readonly query: LogArgument;
      lastPollMs: number;
      changes: PlacedLog[];
    };

/** The filters of one server. */
export class Filters {
  readonly #node: RpcNode;
  /** In order of the last poll. */
  readonly #filters = new Map<bigint, Filter>();
  readonly #ends: (() => void)[];
  /** Changes kept over all filters. */
  #kept = 0;

  constructor(node: RpcNode) {
    this.#node = node;
    this.#ends = [
      node.chain.on("head", (event) => this.#onHead(event)),
      node.pool.on("transaction", (event) => this.#onTransaction(event)),
    ];
  }

  get size(): number {
    return this.#filters.size;
  }

  newBlocks(): bigint {
    return this.#add({ kind: "blocks", lastPollMs: this.#nowMs(), changes: [] });
  }

  newTransactions(full: boolean): bigint {
    return this.#add({ kind: "transactions", full, lastPollMs: this.#nowMs(), changes: [] });
  }

  newLogs(query: LogArgument): bigint {
    return this.#add({ kind: "logs", query, lastPollMs: this.#nowMs(), changes: [] });
  }

  /** What happened since the last poll. Throws FILTER_NOT_FOUND. */
  poll(id: bigint): Changes {
    const filter = this.#find(id);
    const taken = changesOf(filter);
    this.#kept -= filter.changes.length;
    filter.changes = [];
    return taken;
  }

  /** The query of a filter for logs; undefined for another kind. Throws FILTER_NOT_FOUND. */
  query(id: bigint): LogArgument | undefined {
    const filter = this.#find(id);
    return filter.kind === "logs" ? filter.query : undefined;
  }

  /** Whether there was such a filter. */
  remove(id: bigint): boolean {
    const filter = this.#filters.get(id);
    if (filter === undefined) return false;
    this.#kept -= filter.changes.length;
    return this.#filters.delete(id);
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#filters.clear();
  }

  #nowMs(): number {
    const { clock } = this.#node;
    return (clock.real ?? clock).nowMs();
  }

  #add(filter: Filter): bigint {
    this.#expire();
    if (this.#filters.size >= filterLimits.filters) {
      const [oldest] = this.#filters.keys();
      if (oldest !== undefined) this.remove(oldest);
    }
    // unguessable: one caller must not drain another's filter
    const id = BigInt(`0x${randomBytes(16).toString("hex")}`);
    this.#filters.set(id, filter);
    return id;
  }

  #find(id: bigint): Filter {
    this.#expire();
    const filter = this.#filters.get(id);
    if (filter === undefined) throw new RpcError({ code: "FILTER_NOT_FOUND" });
    filter.lastPollMs = this.#nowMs();
    this.#filters.delete(id);
    this.#filters.set(id, filter);
    return filter;
  }

  /** The map is in order of the last poll, so the search ends at the first filter that is still alive. */
  #expire(): void {
    const deadlineMs = this.#nowMs() - filterLimits.idleMs;
    for (const [id, filter] of this.#filters) {
      if (filter.lastPollMs >= deadlineMs) return;
      this.remove(id);
    }
  }

  #onHead({ added, removed }: HeadEvent): undefined {
    this.#expire();
    const changed: ChangedBlock[] = [
      ...removed.map((block) => ({ block, removed: true })),
      ...added.map((block) => ({ block, removed: false })),
    ];
    for (const filter of this.#filters.values()) {
      const before = filter.changes.length;
      if (filter.kind === "blocks") for (const { hash } of added) filter.changes.push(hash);
      if (filter.kind === "logs") collectLogs(this.#node.chain, filter, changed);
      this.#kept += filter.changes.length - before;
    }
    this.#makeRoom();
  }

  #onTransaction({ transaction }: TransactionEvent): undefined {
    for (const filter of this.#filters.values()) {
      if (filter.kind !== "transactions") continue;
      filter.changes.push(transaction);
      this.#kept++;
    }
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const id of this.#filters.keys()) {
      if (this.#kept <= filterLimits.changes) return;
      this.remove(id);
    }
  }
}

interface ChangedBlock {
  readonly block: Block;
  readonly removed: boolean;
}

/** Adds the logs of changed blocks that the filter looks for. */
function collectLogs(
  chain: Chain,
  filter: { readonly query: LogArgument; readonly changes: PlacedLog[] },
  changed: readonly ChangedBlock[],
): void {
  for (const { block, removed } of changed) {
    if (!isInRange(filter.query, block.header.number)) continue;
    for (const log of logsOfBlock(chain, block, filter.query, removed)) filter.changes.push(log);
  }
}

/** Whether a new block lies where the filter looks; tags other than numbers follow the head. */
function isInRange({ fromBlock, toBlock }: LogArgument, number: bigint): boolean {
  if (typeof fromBlock === "bigint" && number < fromBlock) return false;
  return !(typeof toBlock === "bigint" && number > toBlock);
}

function changesOf(filter: Filter): Changes {
  switch (filter.kind) {
    case "blocks":
      return { kind: "blocks", hashes: filter.changes };
    case "transactions":
      return { kind: "transactions", transactions: filter.changes, full: filter.full };
    case "logs":
      return { kind: "logs", logs: filter.changes };
  }
}
