/** The txpool namespace: what is pooled, by sender and nonce. */
import type { Address } from "../../src/primitives/hex.ts";
import type { PoolStats } from "../../src/txpool/poolFacts.ts";
import type { PoolEntry } from "../../src/txpool/senderQueue.ts";
import type { Transaction } from "../../src/types/transaction.ts";
import { checksumAddress } from "../checksum.ts";
import { address, count, type ResultCodec, record, text } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { defineMethod, param } from "../method.ts";
import { field, view } from "../objects.ts";
import { pendingTransactionOf, transactionView } from "../views.ts";

type BySender = ReadonlyMap<Address, readonly PoolEntry[]>;
type ByNonce<T> = ReadonlyMap<string, T>;

interface Content {
  readonly pending: BySender;
  readonly queued: BySender;
}

function contentOf({ node: { pool } }: RpcContext): Content {
  return { pending: pool.pending(), queued: pool.queued() };
}

function byNonce<T>(
  entries: readonly PoolEntry[],
  show: (transaction: Transaction) => T,
): ByNonce<T> {
  return new Map(
    entries.map(({ transaction }) => [transaction.nonce.toString(), show(transaction)]),
  );
}

/** A list of each kind under the checksummed address of its sender. */
function bySender<T>(
  inner: ResultCodec<T>,
  show: (transaction: Transaction) => T,
): ResultCodec<BySender> {
  const codec = record(record(inner));
  return {
    schema: codec.schema,
    encode: (content) =>
      codec.encode(
        new Map(
          [...content].map(([sender, transactions]) => [
            checksumAddress(sender),
            byNonce(transactions, show),
          ]),
        ),
      ),
  };
}

/** One line for people. */
function summaryOf({ to, value, gasLimit, maxFeePerGas }: Transaction): string {
  const target = to === undefined ? "contract creation" : checksumAddress(to);
  return `${target}: ${value} wei + ${gasLimit} gas × ${maxFeePerGas} wei`;
}

function contentView<T>(
  inner: ResultCodec<T>,
  show: (transaction: Transaction) => T,
): ResultCodec<Content> {
  const codec = bySender(inner, show);
  return view<Content>("pool content", {
    pending: field(codec, (content: Content) => content.pending),
    queued: field(codec, (content: Content) => content.queued),
  });
}

interface OwnContent {
  readonly pending: readonly PoolEntry[];
  readonly queued: readonly PoolEntry[];
}

const ownContent = view<OwnContent>("pool content of one sender", {
  pending: field(record(transactionView), (content: OwnContent) =>
    byNonce(content.pending, pendingTransactionOf),
  ),
  queued: field(record(transactionView), (content: OwnContent) =>
    byNonce(content.queued, pendingTransactionOf),
  ),
});

/** txpool_content, txpool_contentFrom, txpool_inspect, txpool_status. */
export const txpoolMethods = [
  defineMethod({
    name: "txpool_content",
    cost: 10,
    summary: "Returns all pooled transactions by sender and nonce.",
    params: [],
    result: contentView(transactionView, pendingTransactionOf),
    handler: contentOf,
  }),
  defineMethod({
    name: "txpool_contentFrom",
    summary: "Returns the pooled transactions of one sender by nonce.",
    params: [param("address", address)],
    result: ownContent,
    handler: ({ node }, sender) => node.pool.contentFrom(sender),
  }),
  defineMethod({
    name: "txpool_inspect",
    cost: 10,
    summary: "Returns all pooled transactions by sender and nonce as one line each.",
    params: [],
    result: contentView(text, summaryOf),
    handler: contentOf,
  }),
  defineMethod({
    name: "txpool_status",
    summary: "Returns how many pooled transactions can run and how many wait for an earlier nonce.",
    params: [],
    result: view<PoolStats>("pool status", {
      pending: field(count, (stats: PoolStats) => stats.pending),
      queued: field(count, (stats: PoolStats) => stats.queued),
    }),
    handler: ({ node }) => node.pool.stats(),
  }),
];
