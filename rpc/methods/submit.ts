/** Sending transactions: signed by the caller, or by this node for the accounts of a development chain. */
import { keccakHash } from "../../src/crypto/keccak.ts";
import { TransactionError } from "../../src/execution/transactionError.ts";
import type { Bytes } from "../../src/primitives/bytes.ts";
import { type Address, type Hash, ZERO_ADDRESS } from "../../src/primitives/hex.ts";
import { PoolError } from "../../src/txpool/poolError.ts";
import { decodeNetworkTransaction } from "../../src/types/blobSidecar.ts";
import { impersonate } from "../../src/types/impersonation.ts";
import { claimedSender, senderOf } from "../../src/types/sender.ts";
import type { Transaction, TransactionFields } from "../../src/types/transaction.ts";
import { signingPayload } from "../../src/types/transactionCodec.ts";
import { PQ_TYPE } from "../../src/types/transactionTypes.ts";
import { type CallRequest, callRequest } from "../callRequest.ts";
import { data, hash, looseQuantity, quantity, quantity64 } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { RpcError } from "../errors.ts";
import { baseFeeToCome } from "../feeHistory.ts";
import { fillTransaction } from "../fillTransaction.ts";
import { defineMethod, optional, param } from "../method.ts";
import { field, view } from "../objects.ts";
import { receiptsOfBlock } from "../receipts.ts";
import { devOf, senderFor, signOrImpersonate } from "../signer.ts";
import { type PlacedTransaction, receiptView, unsentTransactionView } from "../views.ts";

const DEFAULT_WAIT_MS = 20_000n;
/** Less than a request may take in all, so that the caller gets the answer of this method. */
const MAX_WAIT_MS = 25_000n;

interface FilledTransaction {
  readonly transaction: Transaction;
  readonly sender: Address;
}

function placed({ transaction, sender }: FilledTransaction): PlacedTransaction {
  return { transaction, sender, block: undefined, index: 0 };
}

const filledView = view("signed or filled transaction", {
  raw: field(data, ({ transaction }: FilledTransaction) => transaction.raw),
  tx: field(unsentTransactionView, placed),
});

/** The transaction as a wallet shows it before signing: `raw` is what will be signed. */
function unsigned(fields: TransactionFields): Transaction {
  const raw = signingPayload(fields);
  const signature = { v: 0n, r: 0n, s: 0n, yParity: 0 } as const;
  return { ...fields, signature, raw, hash: keccakHash(raw) };
}

/** Resolves when the transaction is in a canonical block, or with undefined after `timeoutMs`. */
function inclusion({ node }: RpcContext, wanted: Hash, timeoutMs: number): Promise<boolean> {
  if (node.chain.transaction(wanted) !== undefined) return Promise.resolve(true);
  return new Promise((resolve) => {
    const finish = (found: boolean) => {
      clearTimeout(timer);
      stop();
      resolve(found);
    };
    const stop = node.chain.on("head", () => {
      if (node.chain.transaction(wanted) !== undefined) finish(true);
    });
    const timer = setTimeout(() => finish(false), timeoutMs);
  });
}

/**
 * Refuses what offers less than a developer set as the least fee, and what the block made at once could not take: a test
 * would wait for it in vain. Throws PoolError, TransactionError.
 */
function checkLeastFee({ node }: RpcContext, transaction: Transaction): void {
  const { dev } = node;
  if (dev === undefined) return;
  const { maxFeePerGas } = transaction;
  const minimum = dev.minGasPrice;
  if (maxFeePerGas < minimum) {
    throw new PoolError({ code: "UNDERPRICED", tip: maxFeePerGas, minimum });
  }
  const baseFee = dev.automine ? baseFeeToCome(node) : 0n;
  if (maxFeePerGas < baseFee) {
    const address = claimedSender(transaction) ?? senderOf(transaction);
    throw new TransactionError({ code: "MAX_FEE_BELOW_BASE_FEE", address, maxFeePerGas, baseFee });
  }
}

/** Puts raw bytes into the pool. Throws DecodeError, TransactionError, PoolError. */
function addRaw(context: RpcContext, raw: Bytes): Promise<Transaction> {
  const { dev, pool } = context.node;
  if (dev !== undefined && (dev.automine || dev.minGasPrice > 0n)) {
    checkLeastFee(context, decodeNetworkTransaction(raw).transaction);
  }
  return pool.add(raw, "local");
}

/** Puts a transaction whose sender is known into the pool. Throws TransactionError, PoolError. */
function addMade(context: RpcContext, transaction: Transaction): Promise<Transaction> {
  checkLeastFee(context, transaction);
  return context.node.pool.addTransaction(transaction, "local");
}

/** A request of an account whose post-quantum key this node holds is of type 0x51; an impersonated one needs no key. */
function withOwnKey(context: RpcContext, request: CallRequest, from: Address): CallRequest {
  const own = devOf(context).pqSigner(from);
  if (own === undefined) return { ...request, from };
  const { type } = request;
  if (type !== undefined && type !== PQ_TYPE) {
    const text = `${from} signs with ${own.algorithm.name}: its transactions are of type 0x51`;
    throw new RpcError({ code: "REFUSED", text });
  }
  return { ...request, from, type: PQ_TYPE, pqSender: own };
}

async function fillFor(
  context: RpcContext,
  request: CallRequest,
): Promise<{ readonly fields: TransactionFields; readonly sender: Address }> {
  const sender = senderFor(context, request);
  const fields = await fillTransaction(context, withOwnKey(context, request, sender));
  return { fields, sender };
}

/** Completes, makes and pools a transaction; requests of one sender at the same time get different nonces. */
async function sendFor(
  context: RpcContext,
  request: CallRequest,
  make: (fields: TransactionFields, sender: Address) => Transaction,
): Promise<Hash> {
  const { fields, sender } = await fillFor(context, request);
  // the estimate has let others in; from here to the insertion nothing waits
  const nonce = request.nonce ?? context.node.pool.nonce(sender);
  return (await addMade(context, make({ ...fields, nonce }, sender))).hash;
}

/** The request with what is to change. Throws REFUSED when no such transaction waits in the pool. */
function replacement(
  context: RpcContext,
  request: CallRequest,
  change: { readonly gasPrice: bigint | undefined; readonly gasLimit: bigint | undefined },
): CallRequest {
  const { nonce } = request;
  if (nonce === undefined)
    throw new RpcError({
      code: "INVALID_PARAMS",
      text: "missing transaction nonce in transaction spec",
    });
  const sender = senderFor(context, request);
  const { pending, queued } = context.node.pool.contentFrom(sender);
  const waits = [...pending, ...queued].some(({ transaction }) => transaction.nonce === nonce);
  if (!waits) {
    const text = `no transaction of ${sender} with nonce ${nonce} is in the pool`;
    throw new RpcError({ code: "REFUSED", text });
  }
  const { gasPrice, gasLimit = request.gas } = change;
  if (gasPrice === undefined) return { ...request, gas: gasLimit };
  // one price stands for both fees, as for a legacy transaction
  const fees = { maxFeePerGas: undefined, maxPriorityFeePerGas: undefined };
  return { ...request, ...fees, gasPrice, gas: gasLimit };
}

const rawMethods = [
  defineMethod({
    name: "eth_sendRawTransaction",
    cost: 5,
    summary: "Puts a signed transaction into the pool and returns its hash at once.",
    params: [param("transaction", data)],
    result: hash,
    atOnce: true,
    overlaps: true,
    handler: async (context, raw) => (await addRaw(context, raw)).hash,
  }),
  defineMethod({
    name: "eth_sendRawTransactionSync",
    cost: 5,
    summary:
      "Puts a signed transaction into the pool and waits for its receipt (20 s unless told, 25 s at most).",
    params: [param("transaction", data), optional("timeout", looseQuantity)],
    result: receiptView,
    atOnce: true,
    handler: async (context, raw, timeout = DEFAULT_WAIT_MS) => {
      const { node } = context;
      const timeoutMs = Number(timeout < MAX_WAIT_MS ? timeout : MAX_WAIT_MS);
      const transaction = await addRaw(context, raw);
      const included = await inclusion(context, transaction.hash, timeoutMs);
      const found = included ? node.chain.transaction(transaction.hash) : undefined;
      const receipt = found && receiptsOfBlock(node.chain, found.block)[found.index];
      if (receipt === undefined) {
        throw new RpcError({ code: "NOT_INCLUDED_IN_TIME", hash: transaction.hash, timeoutMs });
      }
      return receipt;
    },
  }),
  defineMethod({
    name: "eth_fillTransaction",
    cost: 10,
    summary: "Completes a transaction with type, nonce, fees and gas, ready to be signed.",
    params: [param("transaction", callRequest)],
    result: filledView,
    handler: async (context, wanted) => {
      const request = context.keys.complete(wanted);
      const fields = await fillTransaction(context, request);
      return { transaction: unsigned(fields), sender: request.from ?? ZERO_ADDRESS };
    },
  }),
];

/** eth_sendRawTransaction and what a development chain signs by itself. */
export const submitMethods = [
  ...rawMethods,
  defineMethod({
    name: "eth_sendTransaction",
    cost: 5,
    summary: "Completes, signs and sends a transaction of an unlocked or impersonated account.",
    params: [param("transaction", callRequest)],
    result: hash,
    devOnly: true,
    atOnce: true,
    handler: (context, request) =>
      sendFor(context, request, (fields, sender) => signOrImpersonate(context, fields, sender)),
  }),
  defineMethod({
    name: "eth_sendUnsignedTransaction",
    summary: "Sends a transaction of any account, without a signature.",
    params: [param("transaction", callRequest)],
    result: hash,
    devOnly: true,
    atOnce: true,
    handler: (context, request) => sendFor(context, request, impersonate),
  }),
  defineMethod({
    name: "eth_resend",
    cost: 5,
    summary:
      "Replaces a pooled transaction of an unlocked account by the same with another price or gas limit.",
    params: [
      param("transaction", callRequest),
      optional("gasPrice", quantity),
      optional("gasLimit", quantity64),
    ],
    result: hash,
    devOnly: true,
    atOnce: true,
    handler: (context, ...[request, gasPrice, gasLimit]) => {
      const wanted = replacement(context, request, { gasPrice, gasLimit });
      return sendFor(context, wanted, (fields, sender) =>
        signOrImpersonate(context, fields, sender),
      );
    },
  }),
  defineMethod({
    name: "eth_signTransaction",
    summary: "Completes and signs a transaction of an unlocked account without sending it.",
    params: [param("transaction", callRequest)],
    result: data,
    devOnly: true,
    handler: async (context, request) => {
      const { fields, sender } = await fillFor(context, request);
      return signOrImpersonate(context, fields, sender).raw;
    },
  }),
];
