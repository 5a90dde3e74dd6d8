/** The qnet namespace: what Ethereum's methods cannot tell. */
import { describeStatus, type TransactionStatus } from "../../src/txpool/statusLog.ts";
import { hash, nullable, quantity, text } from "../codec.ts";
import { defineMethod, param } from "../method.ts";
import { field, maybe, view } from "../objects.ts";

const statusView = view<TransactionStatus>("transaction status", {
  status: field(text, (status: TransactionStatus) => status.state),
  description: field(text, describeStatus),
  blockNumber: maybe(quantity, (status) =>
    "blockNumber" in status ? status.blockNumber : undefined,
  ),
  blockHash: maybe(hash, (status) => ("blockHash" in status ? status.blockHash : undefined)),
  expectedNonce: maybe(quantity, (status) =>
    status.state === "queued" ? status.expects : undefined,
  ),
  nonce: maybe(quantity, (status) => (status.state === "queued" ? status.got : undefined)),
  replacedBy: maybe(hash, (status) => (status.state === "replaced" ? status.by : undefined)),
});

/** qnet_getTransactionStatus. */
export const qnetMethods = [
  defineMethod({
    name: "qnet_getTransactionStatus",
    summary:
      "Tells where a transaction is in its life and why: pending, queued, replaced, dropped, refused, included or finalized.",
    params: [param("hash", hash)],
    result: nullable(statusView),
    handler: ({ node }, wanted) => node.pool.status(wanted),
  }),
];
