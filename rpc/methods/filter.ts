/** Logs, polled filters and subscriptions. */

import { ChainError } from "../../src/chain/chainError.ts";
import type { Hash } from "../../src/primitives/hex.ts";
import {
  boolean,
  hash,
  json,
  list,
  quantity,
  quantity64,
  type ResultCodec,
  text,
} from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { RpcError } from "../errors.ts";
import type { Changes } from "../filters.ts";
import {
  checkRange,
  type LogArgument,
  logArgument,
  logLimits,
  logsOfBlock,
  type PlacedLog,
  rangeOf,
} from "../logs.ts";
import { defineMethod, optional, param } from "../method.ts";
import { object } from "../objects.ts";
import type { Subscription } from "../subscriptions.ts";
import { JsonText } from "../textCache.ts";
import { logView, pendingTransactionOf, transactionView } from "../views.ts";

/** Of a caller's text shown again in an error. */
const SHOWN_CHARACTERS = 64;

const logs = list(logView);
const hashes = list(hash);
const transactions = list(transactionView);

function logsByHash({ node }: RpcContext, blockHash: Hash, query: LogArgument): PlacedLog[] {
  const block = node.chain.block(blockHash);
  if (block === undefined) throw new RpcError({ code: "UNKNOWN_BLOCK" });
  return logsOfBlock(node.chain, block, query, false);
}

/** Logs of a query. A search that finds too much is refused with the last block up to which it would do. */
async function findLogs(context: RpcContext, query: LogArgument): Promise<PlacedLog[]> {
  if (query.blockHash !== undefined) return logsByHash(context, query.blockHash, query);
  const { chain } = context.node;
  const [fromBlock, toBlock] = rangeOf(chain, query, context.limits.logRange);
  const { addresses, topics } = query;
  const found: PlacedLog[] = [];
  const progress = { block: fromBlock };
  const signal = AbortSignal.timeout(context.limits.searchTimeoutMs);
  try {
    const search = chain.logs(
      { addresses, topics, fromBlock, toBlock },
      { maxLogs: logLimits.logs, signal, progress },
    );
    for await (const log of search) found.push({ ...log, removed: false });
  } catch (error) {
    throw refusedSearch(error, fromBlock, progress.block);
  }
  return found;
}

/** Logs of a reply up to which their texts are kept: more would only push each other out. */
const MAX_KEPT_LOGS = 1_000;

/** The logs as JSON; those of the chain never change, and are asked for again and again. */
async function findLogsAsText(context: RpcContext, query: LogArgument): Promise<JsonText> {
  const found = await findLogs(context, query);
  if (found.length > MAX_KEPT_LOGS) return new JsonText(JSON.stringify(logs.encode(found)));
  const texts = found.map((log) => {
    const key = `log:${log.blockHash}:${log.logIndex}`;
    return context.texts.get(key, () => logView.encode(log)).text;
  });
  return new JsonText(`[${texts.join()}]`);
}

/** All blocks before `reached` were searched. */
function refusedSearch(error: unknown, from: bigint, reached: bigint): unknown {
  const tooMany = error instanceof ChainError && error.reason.code === "TOO_MANY_LOGS";
  const tooLong = error instanceof DOMException && error.name === "TimeoutError";
  if (!tooMany && !tooLong) return error;
  const suggestedTo = reached <= from ? from : reached - 1n;
  return new RpcError(
    { code: "LOG_SEARCH_LIMIT", maxRange: suggestedTo - from + 1n, suggestedTo },
    { cause: error },
  );
}

const changes: ResultCodec<Changes> = {
  schema: { oneOf: [hashes.schema, transactions.schema, logs.schema] },
  encode(value) {
    switch (value.kind) {
      case "hashes":
        return hashes.encode(value.changes);
      case "logs":
        return logs.encode(value.changes);
      case "transactions":
        return transactions.encode(value.changes.map(pendingTransactionOf));
    }
  },
};

const polled = [
  defineMethod({
    name: "eth_getLogs",
    cost: 10,
    summary: "Returns the logs of a block or of a range of blocks that match a filter.",
    params: [param("filter", logArgument)],
    result: logs,
    handler: findLogsAsText,
  }),
  defineMethod({
    name: "eth_newFilter",
    summary: "Makes a filter that collects matching logs of new blocks.",
    params: [param("filter", logArgument)],
    result: quantity,
    handler: ({ node, filters }, query) => {
      checkRange(node.chain, query);
      return filters.newLogs(query);
    },
  }),
  defineMethod({
    name: "eth_newBlockFilter",
    summary: "Makes a filter that collects the hashes of new blocks.",
    params: [],
    result: quantity,
    handler: ({ filters }) => filters.newBlocks(),
  }),
  defineMethod({
    name: "eth_newPendingTransactionFilter",
    summary:
      "Makes a filter that collects new transactions of the pool, their hashes unless asked for whole ones.",
    params: [param("fullTransactions", boolean, false)],
    result: quantity,
    handler: ({ filters }, full) => filters.newTransactions(full),
  }),
  defineMethod({
    name: "eth_getFilterChanges",
    summary: "Returns what a filter has collected since the last call.",
    params: [param("id", quantity)],
    result: changes,
    handler: ({ filters }, id) => filters.poll(id),
  }),
  defineMethod({
    name: "eth_getFilterLogs",
    cost: 10,
    summary: "Returns all logs that a filter for logs matches.",
    params: [param("id", quantity)],
    result: logs,
    handler: (context, id) => {
      const query = context.filters.query(id);
      if (query === undefined) throw new RpcError({ code: "FILTER_NOT_FOUND" });
      return findLogs(context, query);
    },
  }),
  defineMethod({
    name: "eth_uninstallFilter",
    summary: "Removes a filter and tells whether it was there.",
    params: [param("id", quantity)],
    result: boolean,
    handler: ({ filters }, id) => filters.remove(id),
  }),
];

/** Transactions of one subscription to receipts. */
const MAX_RECEIPTS_FOLLOWED = 200;

/** Options of a subscription to receipts; without hashes those of all transactions. */
const receiptOptions = object("options of transactionReceipts", {
  transactionHashes: list(hash, MAX_RECEIPTS_FOLLOWED),
});

/** Options of a subscription to new heads. */
const headOptions = object("options of newHeads", { fromBlock: quantity64 });

function logSubscription(options: unknown): Subscription {
  const { fromBlock, addresses, topics } = logArgument.decode(options ?? {}, "filter");
  const from = typeof fromBlock === "bigint" ? fromBlock : undefined;
  return { kind: "logs", filter: { addresses, topics }, fromBlock: from };
}

function subscriptionOf(kind: string, options: unknown): Subscription {
  switch (kind) {
    case "newHeads":
      return { kind, ...headOptions.decode(options ?? {}, "options") };
    case "syncing":
      return { kind };
    case "newPendingTransactions":
      return { kind, full: options !== undefined && boolean.decode(options, "fullTransactions") };
    case "logs":
      return logSubscription(options);
    case "transactionReceipts": {
      const { transactionHashes: wanted } = receiptOptions.decode(options ?? {}, "options");
      return { kind, hashes: wanted === undefined ? undefined : new Set(wanted) };
    }
    default:
      throw new RpcError({
        code: "NO_SUBSCRIPTION",
        kind: kind.slice(0, SHOWN_CHARACTERS),
        namespace: "eth",
      });
  }
}

const pushed = [
  defineMethod({
    name: "eth_subscribe",
    summary:
      "Opens a subscription to newHeads, logs, newPendingTransactions, transactionReceipts or syncing; WebSocket only.",
    params: [param("kind", text), optional("options", json)],
    result: quantity,
    handler: ({ subscriptions, connection }, kind, options) => {
      const what = subscriptionOf(kind, options);
      return subscriptions.open(connection, what);
    },
  }),
  defineMethod({
    name: "eth_unsubscribe",
    summary: "Ends a subscription of this connection and tells whether it was there.",
    params: [param("id", quantity)],
    result: boolean,
    handler: ({ subscriptions, connection }, id) => subscriptions.end(connection, id),
  }),
];

/** Logs, filters, subscriptions. */
export const filterMethods = [...polled, ...pushed];
