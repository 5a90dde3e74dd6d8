/** Logs by address and topics: the argument that asks for them, and the rules of its range. */
import type { Chain } from "../src/chain/chain.ts";
import type { HeadEvent } from "../src/chain/chainEvents.ts";
import { type FoundLog, type LogFilter, matchReceipts } from "../src/chain/logIndex.ts";
import type { Hash } from "../src/primitives/hex.ts";
import type { Block } from "../src/types/block.ts";
import { type BlockNumberOrTag, blockNumberOrTag } from "./blockId.ts";
import { address, hash, type ParamCodec, refuse, refuseValue } from "./codec.ts";
import { RpcError } from "./errors.ts";
import { objectOf, ownField } from "./objects.ts";

/** Limits of one filter and of one reply. */
export const logLimits = {
  topics: 4,
  /** Addresses of a filter, topics in one position. */
  alternatives: 1_000,
  /** Logs of one reply; past it the query is refused and the caller told how far it would get. */
  logs: 100_000,
} as const;

/** A filter and where to look: one block by hash, or a range whose ends may be left out. */
export interface LogArgument extends LogFilter {
  readonly blockHash: Hash | undefined;
  readonly fromBlock: BlockNumberOrTag | undefined;
  readonly toBlock: BlockNumberOrTag | undefined;
}

/** A log with its place in the chain. */
export interface PlacedLog extends FoundLog {
  /** A reorganisation took its block off the chain. */
  readonly removed: boolean;
}

/** Lets every log pass. */
const ALL_LOGS: LogFilter = { addresses: [], topics: [] };

function alternatives<T>(json: unknown, where: string, one: ParamCodec<T>): readonly T[] {
  if (!Array.isArray(json)) return [one.decode(json, where)];
  if (json.length > logLimits.alternatives)
    refuse(where, `exceed max addresses or topics per search position`);
  return json.map((item, index) => one.decode(item, `${where}[${index}]`));
}

function topicsOf(json: unknown, where: string): readonly (readonly Hash[])[] {
  if (json === undefined) return [];
  if (!Array.isArray(json)) return refuseValue(where, "an array", json);
  if (json.length > logLimits.topics) refuse(where, "exceed max topics");
  return json.map((position: unknown, index) => {
    if (position === null) return [];
    // null among the alternatives makes the whole position a wildcard, as in geth
    if (Array.isArray(position) && position.includes(null)) return [];
    return alternatives(position, `${where}[${index}]`, hash);
  });
}

/** The argument of eth_getLogs, eth_newFilter and of a subscription to logs. */
export const logArgument: ParamCodec<LogArgument> = {
  schema: {
    title: "log filter",
    type: "object",
    properties: {
      fromBlock: blockNumberOrTag.schema,
      toBlock: blockNumberOrTag.schema,
      blockHash: hash.schema,
      address: {
        oneOf: [{ type: "null" }, address.schema, { type: "array", items: address.schema }],
      },
      topics: {
        type: "array",
        items: { oneOf: [{ type: "null" }, hash.schema, { type: "array", items: hash.schema }] },
      },
    },
  },
  decode(json, where) {
    const source = objectOf(json, where);
    const blockHash = ownField(source, "blockHash");
    const from = ownField(source, "fromBlock");
    const to = ownField(source, "toBlock");
    if (blockHash !== undefined && (from !== undefined || to !== undefined)) {
      refuse(where, "cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other");
    }
    const who = ownField(source, "address");
    return {
      blockHash: blockHash === undefined ? undefined : hash.decode(blockHash, `${where}.blockHash`),
      fromBlock:
        from === undefined ? undefined : blockNumberOrTag.decode(from, `${where}.fromBlock`),
      toBlock: to === undefined ? undefined : blockNumberOrTag.decode(to, `${where}.toBlock`),
      addresses: who === undefined ? [] : alternatives(who, `${where}.address`, address),
      topics: topicsOf(ownField(source, "topics"), `${where}.topics`),
    };
  },
};

/** The logs of a block that `filter` asks for. */
export function logsOfBlock(
  chain: Chain,
  block: Block,
  filter: LogFilter,
  removed: boolean,
): PlacedLog[] {
  const receipts = chain.receipts(block.hash) ?? [];
  return matchReceipts(block, receipts, filter).map((found) => ({ ...found, removed }));
}

/** All logs that a change of the head took away and brought, in that order. */
export function logsOfChange(chain: Chain, { added, removed }: HeadEvent): readonly PlacedLog[] {
  return [
    ...removed.flatMap((block) => logsOfBlock(chain, block, ALL_LOGS, true)),
    ...added.flatMap((block) => logsOfBlock(chain, block, ALL_LOGS, false)),
  ];
}

/** Addresses and topics that a filter names. */
export function termsOf({ addresses, topics }: LogFilter): number {
  return topics.reduce((sum, position) => sum + position.length, addresses.length);
}

function numberOf(chain: Chain, id: BlockNumberOrTag): bigint {
  if (typeof id === "bigint") return id;
  switch (id) {
    case "earliest":
      return 0n;
    case "finalized":
      return chain.finalized.header.number;
    case "safe":
      return chain.safe.header.number;
    case "latest":
      return chain.head.header.number;
    case "pending":
      throw new RpcError({ code: "INVALID_PARAMS", text: "pending logs are not supported" });
  }
}

/** First and last block of a query by range. Throws INVALID_PARAMS and LOG_RANGE as the rules of eth_getLogs say. */
export function rangeOf(
  chain: Chain,
  query: LogArgument,
  maxRange: bigint,
): readonly [bigint, bigint] {
  const head = chain.head.header.number;
  const from = numberOf(chain, query.fromBlock ?? "latest");
  const to = numberOf(chain, query.toBlock ?? "latest");
  if (from > to) throw new RpcError({ code: "INVALID_PARAMS", text: "invalid block range params" });
  if (to > head) {
    throw new RpcError({
      code: "INVALID_PARAMS",
      text: "block range extends beyond current head block",
    });
  }
  if (maxRange > 0n && to - from >= maxRange) {
    throw new RpcError({ code: "LOG_RANGE", maxRange, suggestedTo: from + maxRange - 1n });
  }
  return [from, to];
}

/** Refuses ranges that can never hold: what eth_newFilter checks at once. */
export function checkRange(chain: Chain, query: LogArgument): void {
  if (query.blockHash !== undefined) return;
  const from = query.fromBlock === undefined ? undefined : numberOf(chain, query.fromBlock);
  const to = query.toBlock === undefined ? undefined : numberOf(chain, query.toBlock);
  if (from !== undefined && to !== undefined && from > to) {
    throw new RpcError({ code: "INVALID_PARAMS", text: "invalid block range params" });
  }
}
