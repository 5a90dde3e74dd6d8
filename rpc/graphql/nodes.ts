/**
 * The things that a query walks over. Each is an object made from the JSON that JSON-RPC gives for it; a field that costs a
 * call is a function and runs only when the query wants it. graphql calls it with the field's arguments.
 */

import { blockId } from "../blockId.ts";
import { runCall } from "../callMessage.ts";
import { callRequest } from "../callRequest.ts";
import { callTarget } from "../callTarget.ts";
import { data as dataCodec, type Json, type JsonObject, quantity } from "../codec.ts";
import { TimeBudget } from "../timeBudget.ts";
import { type Asker, asList, asObject, quantityText } from "./ask.ts";

type Args = JsonObject;
/** What JSON-RPC takes for a block: a tag, a number, or an object with its hash. */
type Place = string | { readonly blockHash: Json };

const ZERO = "0x0";
const EVM_UNITS = 3;

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function countOf(json: Json | undefined): string | null {
  return Array.isArray(json) ? `0x${json.length.toString(16)}` : null;
}

/** The block that an argument `block` names; without one the head. */
function placeOf({ block }: Args): Place {
  return block === undefined || block === null ? "latest" : quantityText(block, "block");
}

/** An account in the state after a block. */
export function accountNode(asker: Asker, address: Json, place: Place) {
  return {
    address,
    balance: () => asker.ask("eth_getBalance", address, place),
    transactionCount: () => asker.ask("eth_getTransactionCount", address, place),
    code: () => asker.ask("eth_getCode", address, place),
    storage: ({ slot }: Args) => asker.ask("eth_getStorageAt", address, slot ?? null, place),
  };
}

/** `data` of a call as JSON-RPC takes it. */
function callObject({ data }: Args): JsonObject {
  const given = asObject(data) ?? {};
  const entries = Object.entries(given).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([key, value]) =>
      ["from", "to", "data"].includes(key)
        ? [key, value]
        : [key, quantityText(value, `data.${key}`)],
    ),
  );
}

/** Calls and estimates on the state after a block. */
function executionFields(asker: Asker, place: Place) {
  return {
    call: async (args: Args) => {
      await asker.spend(EVM_UNITS);
      const { context } = asker;
      const { gasCap, evmTimeoutMs } = context.limits;
      const request = callRequest.decode(callObject(args), "data");
      const site = await callTarget(context, blockId.decode(place, "block"));
      const wanted = request.gas ?? gasCap;
      const gasLimit = gasCap > 0n && wanted > gasCap ? gasCap : wanted;
      const time = new TimeBudget(evmTimeoutMs);
      const outcome = await runCall(site, request, gasLimit, { time });
      return {
        data: dataCodec.encode(outcome.returnData),
        gasUsed: quantity.encode(outcome.gasUsed),
        status: outcome.failure === undefined ? "0x1" : ZERO,
      };
    },
    estimateGas: (args: Args) => asker.ask("eth_estimateGas", callObject(args), place),
  };
}

/** A log; its transaction is looked up unless it is at hand. */
export function logNode(asker: Asker, log: JsonObject, transaction?: object) {
  return {
    index: log["logIndex"],
    topics: log["topics"],
    data: log["data"],
    account: (args: Args) => accountNode(asker, log["address"] ?? null, placeOf(args)),
    transaction: () => transaction ?? transactionByHash(asker, log["transactionHash"] ?? null),
  };
}

/** A transaction of the chain or of the pool. */
export async function transactionByHash(asker: Asker, hash: Json) {
  const found = await asker.askObject("eth_getTransactionByHash", hash);
  return found && transactionNode(asker, found);
}

type Receipt = () => Promise<JsonObject | undefined>;

/** A transaction; `receiptOf` finds its receipt. */
export function transactionNode(asker: Asker, json: JsonObject, receiptOf?: Receipt) {
  const hash = json["hash"] ?? null;
  const isMined = json["blockHash"] !== null;
  const receipt =
    receiptOf ?? lazily(async () => asker.askObject("eth_getTransactionReceipt", hash));
  const fromReceipt = (key: string) => async () =>
    isMined ? ((await receipt())?.[key] ?? null) : null;
  const node = {
    ...json,
    index: json["transactionIndex"] ?? null,
    inputData: json["input"],
    from: (args: Args) => accountNode(asker, json["from"] ?? null, placeOf(args)),
    to: (args: Args) =>
      json["to"] === null ? null : accountNode(asker, json["to"] ?? null, placeOf(args)),
    block: () => (isMined ? blockByHash(asker, json["blockHash"] ?? null) : null),
    effectiveTip: async () => {
      const block = isMined ? await headerOf(asker, json) : undefined;
      const baseFee = BigInt(String(block?.["baseFeePerGas"] ?? 0));
      return isMined ? quantity.encode(BigInt(String(json["gasPrice"])) - baseFee) : null;
    },
    createdContract: async (args: Args) => {
      const address = isMined ? (await receipt())?.["contractAddress"] : null;
      return address === undefined || address === null
        ? null
        : accountNode(asker, address, placeOf(args));
    },
    logs: async (): Promise<object[] | null> =>
      isMined ? asList((await receipt())?.["logs"]).map((log) => logNode(asker, log, node)) : null,
    raw: () => asker.ask("eth_getRawTransactionByHash", hash),
    rawReceipt: async () => {
      if (!isMined) return "0x";
      const all = await asker.ask("debug_getRawReceipts", json["blockHash"] ?? null);
      return Array.isArray(all) ? all[Number(json["transactionIndex"])] : "0x";
    },
    status: fromReceipt("status"),
    gasUsed: fromReceipt("gasUsed"),
    cumulativeGasUsed: fromReceipt("cumulativeGasUsed"),
    effectiveGasPrice: fromReceipt("effectiveGasPrice"),
    blobGasUsed: fromReceipt("blobGasUsed"),
    blobGasPrice: fromReceipt("blobGasPrice"),
  };
  return node;
}

function headerOf(asker: Asker, transaction: JsonObject): Promise<JsonObject | undefined> {
  return asker.askObject("eth_getHeaderByHash", transaction["blockHash"] ?? null);
}

/** A block by its hash. */
export async function blockByHash(asker: Asker, hash: Json) {
  const found = await asker.askObject("eth_getBlockByHash", hash, false);
  return found && blockNode(asker, found);
}

/** A block by number or tag. */
export async function blockByNumber(asker: Asker, number: Json) {
  const found = await asker.askObject("eth_getBlockByNumber", number, false);
  return found && blockNode(asker, found);
}

function ommerNode(asker: Asker, json: JsonObject | undefined) {
  // an ommer has a header and nothing else
  return json && { ...headerFields(asker, json), transactionCount: null, ommerCount: null };
}

function headerFields(asker: Asker, json: JsonObject) {
  return {
    ...json,
    parent: () => blockByHash(asker, json["parentHash"] ?? null),
    miner: (args: Args) => accountNode(asker, json["miner"] ?? null, placeOf(args)),
    ommerHash: json["sha3Uncles"],
    nextBaseFeePerGas: async () => {
      const history = await asker.askObject("eth_feeHistory", "0x1", json["number"] ?? null, []);
      const fees = history?.["baseFeePerGas"];
      return json["baseFeePerGas"] === undefined || !Array.isArray(fees) ? null : fees[1];
    },
  };
}

/** Transactions of a block with their receipts, read once for all of them. */
function transactionsOf(asker: Asker, hash: Json) {
  const receipts = lazily(() => asker.askList("eth_getBlockReceipts", hash));
  return lazily(async () => {
    const full = await asker.askObject("eth_getBlockByHash", hash, true);
    return asList(full?.["transactions"]).map((one, index) =>
      transactionNode(asker, one, async () => (await receipts())[index]),
    );
  });
}

function blockNode(asker: Asker, json: JsonObject) {
  const hash = json["hash"] ?? null;
  const place: Place = { blockHash: hash };
  const transactions = transactionsOf(asker, hash);
  const ommerAt = async (index: string) =>
    ommerNode(asker, await asker.askObject("eth_getUncleByBlockHashAndIndex", hash, index));
  return {
    ...headerFields(asker, json),
    ...executionFields(asker, place),
    transactionCount: countOf(json["transactions"]),
    transactions,
    transactionAt: async ({ index }: Args) =>
      (await transactions())[Number(quantityText(index, "index"))],
    ommerCount: countOf(json["uncles"]),
    ommers: () => {
      const { uncles } = json;
      return Array.isArray(uncles)
        ? uncles.map((_, index) => ommerAt(`0x${index.toString(16)}`))
        : [];
    },
    ommerAt: ({ index }: Args) => ommerAt(quantityText(index, "index")),
    logs: async ({ filter }: Args) => logsOf(asker, { ...logFilter(filter), blockHash: hash }),
    account: ({ address }: Args) => accountNode(asker, address ?? null, place),
    rawHeader: () => asker.ask("debug_getRawHeader", hash),
    raw: () => asker.ask("debug_getRawBlock", hash),
    withdrawalsRoot: json["withdrawalsRoot"] ?? null,
    withdrawals:
      json["withdrawals"] === undefined
        ? null
        : asList(json["withdrawals"]).map((one) => ({ ...one, validator: one["validatorIndex"] })),
  };
}

/** Addresses and topics of a filter as JSON-RPC takes them. */
function logFilter(filter: Json | undefined): JsonObject {
  const { addresses, topics } = asObject(filter) ?? {};
  return {
    ...(Array.isArray(addresses) && addresses.length > 0 && { address: addresses }),
    ...(Array.isArray(topics) && { topics }),
  };
}

async function logsOf(asker: Asker, query: JsonObject) {
  return (await asker.askList("eth_getLogs", query)).map((log) => logNode(asker, log));
}

/** Logs of a range of blocks. */
export function logsOfRange(asker: Asker, filter: Json | undefined) {
  const range = asObject(filter) ?? {};
  const ends = (["fromBlock", "toBlock"] as const).flatMap((key) => {
    const value = range[key];
    return value === undefined || value === null ? [] : [[key, quantityText(value, key)] as const];
  });
  return logsOf(asker, { ...logFilter(filter), ...Object.fromEntries(ends) });
}

/** What the pool would make of the head. */
export function pendingNode(asker: Asker) {
  const block = lazily(() => asker.askObject("eth_getBlockByNumber", "pending", true));
  return {
    ...executionFields(asker, "pending"),
    transactionCount: async () => countOf((await block())?.["transactions"]),
    transactions: async () =>
      asList((await block())?.["transactions"]).map((one) =>
        transactionNode(asker, { ...one, blockHash: null }),
      ),
    account: ({ address }: Args) => accountNode(asker, address ?? null, "pending"),
  };
}
