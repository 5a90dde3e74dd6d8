/** testing_*: for test suites. The namespace is off unless it is named. */
import { type BuiltBlock, buildBlock, type Candidate } from "../../src/chain/buildBlock.ts";
import { ChainError } from "../../src/chain/chainError.ts";
import { gasLimitTowards } from "../../src/chain/verifyHeader.ts";
import { type Bytes, EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import type { Hash } from "../../src/primitives/hex.ts";
import {
  type BlobSidecar,
  decodeNetworkTransaction,
  type NetworkTransaction,
} from "../../src/types/blobSidecar.ts";
import { effectiveTip } from "../../src/types/transaction.ts";
import { boolean, data, hash, list, quantity, type ResultCodec } from "../codec.ts";
import type { RpcNode } from "../context.ts";
import { RpcError } from "../errors.ts";
import { defineMethod, optional, param } from "../method.ts";
import { field, view } from "../objects.ts";
import { type PayloadAttributes, payloadAttributes, payloadView } from "../payload.ts";
import { verifiedSender } from "../signer.ts";

/** Where other nodes drift to; part of the recorded answers of the public suite. */
const TARGET_GAS_LIMIT = 60_000_000n;
const MAX_EXTRA_DATA_BYTES = 32;

/** A block that was built and forgotten. */
interface Envelope {
  readonly built: BuiltBlock;
  readonly sidecars: readonly BlobSidecar[];
}

/** wei that the miner gets from tips. */
function tipsOf({ block, result }: BuiltBlock): bigint {
  let before = 0n;
  let value = 0n;
  for (const [index, transaction] of block.transactions.entries()) {
    const total = result.receipts[index]?.cumulativeGasUsed ?? before;
    value += (total - before) * effectiveTip(transaction, block.header.baseFeePerGas);
    before = total;
  }
  return value;
}

const bundleView: ResultCodec<readonly BlobSidecar[]> = view("blobs bundle", {
  commitments: field(list(data), (sidecars: readonly BlobSidecar[]) =>
    sidecars.flatMap(({ commitments }) => commitments),
  ),
  proofs: field(list(data), (sidecars) => sidecars.flatMap(({ proofs }) => proofs)),
  blobs: field(list(data), (sidecars) => sidecars.flatMap(({ blobs }) => blobs)),
});

const envelopeView: ResultCodec<Envelope> = view("payload envelope", {
  executionPayload: field(payloadView, ({ built }: Envelope) => built.block),
  blockValue: field(quantity, ({ built }) => tipsOf(built)),
  blobsBundle: field(bundleView, ({ sidecars }) => sidecars),
  executionRequests: field(list(data), ({ built }) => built.result.requests),
  shouldOverrideBuilder: field(boolean, () => false),
});

async function candidatesOf(
  node: RpcNode,
  transactions: readonly NetworkTransaction[],
): Promise<Candidate[]> {
  const candidates: Candidate[] = [];
  for (const { transaction } of transactions)
    candidates.push({ transaction, sender: await verifiedSender(node, transaction) });
  return candidates;
}

/** Throws what kept the first transaction that is missing from the block. */
function demandAll(built: BuiltBlock, wanted: readonly NetworkTransaction[]): void {
  const [skipped] = built.skipped;
  if (skipped !== undefined) throw skipped.error;
  const missing = wanted[built.block.transactions.length];
  if (missing === undefined) return;
  const text = `transaction ${missing.transaction.hash} does not fit into the block`;
  throw new RpcError({ code: "REFUSED", text });
}

/** Sidecars of the block's blob transactions, as far as they came along or lie in the pool. */
function sidecarsOf(
  { block }: BuiltBlock,
  given: readonly NetworkTransaction[],
  { pool }: RpcNode,
): BlobSidecar[] {
  const known = new Map(given.map(({ transaction, sidecar }) => [transaction.hash, sidecar]));
  return block.transactions.flatMap(
    (transaction) => known.get(transaction.hash) ?? pool.entry(transaction.hash)?.sidecar ?? [],
  );
}

interface Wish {
  readonly parent: Hash;
  readonly attributes: PayloadAttributes;
  /** undefined: those of the pool */
  readonly transactions: readonly Bytes[] | undefined;
  readonly extraData: Bytes;
}

async function build(node: RpcNode, wish: Wish): Promise<Envelope> {
  const { chain, pool, clock } = node;
  const { parent: parentHash, attributes, extraData } = wish;
  const { timestamp, withdrawals, parentBeaconBlockRoot } = attributes;
  const header = chain.header(parentHash);
  if (header === undefined) throw new ChainError({ code: "UNKNOWN_BLOCK", hash: parentHash });
  if (timestamp <= header.timestamp) {
    const text = `invalid timestamp: ${timestamp}, parent: ${header.timestamp}`;
    throw new RpcError({ code: "REFUSED", text });
  }
  if (extraData.length > MAX_EXTRA_DATA_BYTES) {
    throw new RpcError({ code: "INVALID_PARAMS", text: "extraData is longer than 32 bytes" });
  }
  const gasLimit = gasLimitTowards(header.gasLimit, TARGET_GAS_LIMIT);
  const draft = {
    parent: { header, hash: parentHash },
    timestamp,
    miner: attributes.suggestedFeeRecipient,
    prevRandao: attributes.prevRandao,
    gasLimit,
    extraData,
    ...(withdrawals !== undefined && { withdrawals }),
    ...(parentBeaconBlockRoot !== undefined && { parentBeaconBlockRoot }),
  };
  const given = wish.transactions?.map(decodeNetworkTransaction);
  const candidates =
    given === undefined ? pool.select({ gasLimit }) : await candidatesOf(node, given);
  const built = await buildBlock(chain, draft, candidates, { clock });
  if (given !== undefined) demandAll(built, given);
  return { built, sidecars: sidecarsOf(built, given ?? [], node) };
}

/** Methods for test suites. */
export const testingMethods = [
  defineMethod({
    name: "testing_buildBlockV1",
    cost: 30,
    summary:
      "Builds a block on a parent from these transactions, or from the pool's, and throws it away; the chain stays as it is.",
    params: [
      param("parentHash", hash),
      param("payloadAttributes", payloadAttributes),
      optional("transactions", list(data)),
      optional("extraData", data),
    ],
    result: envelopeView,
    handler: ({ node }, ...[parent, attributes, transactions, extraData = EMPTY_BYTES]) =>
      build(node, { parent, attributes, transactions, extraData }),
  }),
];
