/**
 * Filters that are polled: eth_newFilter and its kin. A filter collects what happens between two polls, within limits,
 * and is forgotten five minutes after the last one.
 */
import { randomBytes } from "node:crypto";
import type { HeadEvent } from "../src/chain/chainEvents.ts";
import { logMatches } from "../src/chain/logIndex.ts";
import type { Hash } from "../src/primitives/hex.ts";
import type { TransactionEvent } from "../src/txpool/poolFacts.ts";
import type { Transaction } from "../src/types/transaction.ts";
import type { RpcNode } from "./context.ts";
import { RpcError } from "./errors.ts";
import { type LogArgument, logsOfChange, type PlacedLog, termsOf } from "./logs.ts";

/** Limits of all filters of a server. */
export const filterLimits = {
  /** Filters at once; the one polled longest ago makes room. */
  filters: 10_000,
  /**
   * Changes kept over all filters, in half kilobytes begun; filters polled longest ago are dropped, and their owners make
   * new ones.
   */
  changes: 500_000,
  /** Addresses and topics of all filters: each new log is compared with them. */
  terms: 100_000,
  idleMs: 5 * 60_000,
} as const;

/** What a poll brings. */
export type Changes =
  | { readonly kind: "hashes"; readonly changes: readonly Hash[] }
  | { readonly kind: "transactions"; readonly changes: readonly Transaction[] }
  | { readonly kind: "logs"; readonly changes: readonly PlacedLog[] };

interface Watch<Of extends "blocks" | "hashes" | "transactions" | "logs", Change> {
  readonly of: Of;
  changes: Change[];
  /** Of the changes, as `filterLimits.changes` counts them. */
  size: number;
  lastPollMs: number;
}

type Filter =
  | Watch<"blocks", Hash>
  /** Pooled transactions by their hashes, or whole. */
  | Watch<"hashes", Hash>
  | Watch<"transactions", Transaction>
  | (Watch<"logs", PlacedLog> & { readonly query: LogArgument });

const SIZE_UNIT_BYTES = 512;

function sizeOf(bytes: number): number {
  return 1 + Math.floor(bytes / SIZE_UNIT_BYTES);
}

/** The filters of one server. */
export class Filters {
  readonly #node: RpcNode;
  /** In order of the last poll. */
  readonly #filters = new Map<bigint, Filter>();
  readonly #ends: (() => void)[];
  #kept = 0;
  #terms = 0;

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
    return this.#add({ of: "blocks", ...this.#nothing() });
  }

  newTransactions(full: boolean): bigint {
    return this.#add({ of: full ? "transactions" : "hashes", ...this.#nothing() });
  }

  newLogs(query: LogArgument): bigint {
    return this.#add({ of: "logs", query, ...this.#nothing() });
  }

  /** What happened since the last poll. Throws FILTER_NOT_FOUND. */
  poll(id: bigint): Changes {
    const filter = this.#find(id);
    const taken = changesOf(filter);
    this.#kept -= filter.size;
    filter.changes = [];
    filter.size = 0;
    return taken;
  }

  /** The query of a filter for logs; undefined for another kind. Throws FILTER_NOT_FOUND. */
  query(id: bigint): LogArgument | undefined {
    const filter = this.#find(id);
    return filter.of === "logs" ? filter.query : undefined;
  }

  /** Whether there was such a filter. */
  remove(id: bigint): boolean {
    const filter = this.#filters.get(id);
    if (filter === undefined) return false;
    this.#kept -= filter.size;
    if (filter.of === "logs") this.#terms -= termsOf(filter.query);
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

  #nothing(): { changes: never[]; size: number; lastPollMs: number } {
    return { changes: [], size: 0, lastPollMs: this.#nowMs() };
  }

  #add(filter: Filter): bigint {
    this.#expire();
    if (filter.of === "logs") this.#terms += termsOf(filter.query);
    // unguessable: one caller must not drain another's filter
    const id = BigInt(`0x${randomBytes(16).toString("hex")}`);
    this.#filters.set(id, filter);
    this.#makeRoom();
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

  #onHead(event: HeadEvent): undefined {
    this.#expire();
    if (this.#filters.size === 0) return;
    let logs: readonly PlacedLog[] | undefined;
    for (const filter of this.#filters.values()) {
      if (filter.of === "blocks") {
        for (const { hash } of event.added) this.#keep(filter, hash, 0);
      }
      if (filter.of !== "logs") continue;
      // read once, for the first filter that wants them
      logs ??= logsOfChange(this.#node.chain, event);
      for (const placed of logs) {
        if (isInRange(filter.query, placed.blockNumber) && logMatches(placed.log, filter.query))
          this.#keep(filter, placed, placed.log.data.length);
      }
    }
    this.#makeRoom();
  }

  #onTransaction({ transaction }: TransactionEvent): undefined {
    for (const filter of this.#filters.values()) {
      if (filter.of === "hashes") this.#keep(filter, transaction.hash, 0);
      if (filter.of === "transactions") this.#keep(filter, transaction, transaction.raw.length);
    }
    this.#makeRoom();
  }

  #keep<T>(filter: { readonly changes: T[]; size: number }, change: T, bytes: number): void {
    const size = sizeOf(bytes);
    filter.changes.push(change);
    filter.size += size;
    this.#kept += size;
  }

  #makeRoom(): void {
    const { filters, changes, terms } = filterLimits;
    for (const id of this.#filters.keys()) {
      if (this.#filters.size <= filters && this.#kept <= changes && this.#terms <= terms) return;
      this.remove(id);
    }
  }
}

/** Whether a new block lies where the filter looks; tags other than numbers follow the head. */
function isInRange({ fromBlock, toBlock }: LogArgument, number: bigint): boolean {
  if (typeof fromBlock === "bigint" && number < fromBlock) return false;
  return !(typeof toBlock === "bigint" && number > toBlock);
}

function changesOf(filter: Filter): Changes {
  switch (filter.of) {
    case "blocks":
    case "hashes":
      return { kind: "hashes", changes: filter.changes };
    case "transactions":
      return { kind: "transactions", changes: filter.changes };
    case "logs":
      return { kind: "logs", changes: filter.changes };
  }
}
