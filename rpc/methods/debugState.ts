/** Debug methods about states, blocks that were refused, and this process. */
import { executeBlock } from "../../src/execution/executeBlock.ts";
import { type Bytes, equalBytes } from "../../src/primitives/bytes.ts";
import { type Address, bytesToHash, type Hash, ZERO_HASH } from "../../src/primitives/hex.ts";
import { MAX_VERBOSITY } from "../../src/runtime/log.ts";
import { encodeAccount } from "../../src/state/accountCodec.ts";
import { StateError } from "../../src/state/stateError.ts";
import { type Block, encodeBlock } from "../../src/types/block.ts";
import { type BlockId, blockId, blockNumberOrTag } from "../blockId.ts";
import { reported } from "../callMessage.ts";
import {
  address,
  boolean,
  count,
  data,
  hash,
  integer,
  type Json,
  json,
  list,
  nullable,
  type ParamCodec,
  refuse,
  text,
} from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { RpcError } from "../errors.ts";
import { configOf } from "../genesisConfig.ts";
import { defineMethod, optional, param } from "../method.ts";
import { inTurn, replay, stateBefore } from "../replay.ts";
import { needHeader, needState } from "../resolve.ts";
import { accountRange, MAX_ACCOUNTS, storageRange } from "../stateRange.ts";
import { blockView, type ShownBlock } from "../views.ts";
import { limitsOf, needTraceable } from "./debugTrace.ts";

/** Blocks whose changes one call may collect. */
const MAX_BLOCKS = 100n;

/** Key of a trie: up to 32 bytes, filled up with zeros on the right; absent or empty begins at the start. */
const trieKey: ParamCodec<Hash> = {
  schema: data.schema,
  decode(value, where) {
    const bytes = data.decode(value, where);
    if (bytes.length > 32) refuse(where, "longer than 32 bytes");
    const key = new Uint8Array(32);
    key.set(bytes);
    return bytesToHash(key);
  },
};

const states = [
  defineMethod({
    name: "debug_storageRangeAt",
    cost: 50,
    summary:
      "Returns slots of an account before a transaction of a block, in the order of the trie (at most 1024).",
    params: [
      param("blockHash", blockId),
      param("transactionIndex", integer),
      param("address", address),
      param("startKey", trieKey, ZERO_HASH),
      param("limit", integer, MAX_ACCOUNTS),
    ],
    result: json,
    handler: (context, id, index, ...[target, key, limit]) =>
      inTurn(context.node, async () => {
        const block = needTraceable(context, id);
        const state = await stateBefore(context, block, index, limitsOf(context));
        return storageRange(state, context.node.chain.preimages, target, { key, limit });
      }),
  }),
  defineMethod({
    name: "debug_accountRange",
    cost: 30,
    summary:
      "Returns accounts of a block's state in the order of the trie (at most 256); `next` is where the rest begins.",
    params: [
      param("block", blockId, "latest"),
      param("startKey", trieKey, ZERO_HASH),
      param("limit", integer, MAX_ACCOUNTS),
      param("noCode", boolean, false),
      param("noStorage", boolean, false),
      optional("incompletes", boolean),
    ],
    result: json,
    handler: (context, id, from, ...[limit, noCode, noStorage]) => {
      const state = needState(context, id === "pending" ? "latest" : id);
      const options = { from, limit, withCode: !noCode, withStorage: !noStorage };
      return accountRange(state, context.node.chain.preimages, options);
    },
  }),
  defineMethod({
    name: "debug_dumpBlock",
    cost: 100,
    summary: "Returns the first 256 accounts of a block's state with code and storage.",
    params: [param("block", blockNumberOrTag)],
    result: json,
    handler: (context, id) => {
      const state = needState(context, id === "pending" ? "latest" : id);
      const options = { from: ZERO_HASH, limit: MAX_ACCOUNTS, withCode: true, withStorage: true };
      return accountRange(state, context.node.chain.preimages, options);
    },
  }),
  defineMethod({
    name: "debug_codeByHash",
    summary: "Returns the contract code with a hash; null when no contract has it.",
    params: [param("hash", hash)],
    result: nullable(data),
    handler: ({ node: { chain } }, wanted) => {
      try {
        return chain.stateAt(chain.head.hash).codeByHash(wanted);
      } catch (error) {
        if (error instanceof StateError && error.reason.code === "MISSING_CODE") return undefined;
        throw error;
      }
    },
  }),
  defineMethod({
    name: "debug_intermediateRoots",
    cost: 100,
    summary: "Returns the state root after each transaction of a block.",
    params: [param("blockHash", hash), optional("options", json)],
    result: list(hash),
    handler: (context, wanted) =>
      inTurn(context.node, async () => {
        const block = needTraceable(context, { hash: wanted, requireCanonical: false });
        const plan = { spec: undefined, from: 0, limits: limitsOf(context) };
        const roots: Hash[] = [];
        for await (const { state } of replay(context, block, plan)) roots.push(state.root());
        return roots;
      }),
  }),
];

/** Accounts written by the blocks after `from` up to `to` that differ between the two. */
async function modifiedAccounts(context: RpcContext, from: Block, to: Block): Promise<Address[]> {
  const { chain } = context.node;
  const span = to.header.number - from.header.number;
  if (span <= 0n || span > MAX_BLOCKS) {
    const text = `want a range of 1 to ${MAX_BLOCKS} blocks, got ${span}`;
    throw new RpcError({ code: "INVALID_PARAMS", text });
  }
  const limits = limitsOf(context);
  const written = new Set<Address>();
  let block = to;
  while (block.hash !== from.hash) {
    const state = chain.preStateOf(block);
    const { offload } = context;
    const execution = { ...chain.contextFor(block.header), offload, pause: limits.watch() };
    await reported(() => executeBlock(block, state, execution));
    for (const one of state.takeChanges().written.keys()) written.add(one);
    const parent = chain.block(block.header.parentHash);
    if (parent === undefined || parent.header.number < from.header.number) {
      throw new RpcError({ code: "REFUSED", text: "the blocks are not on one chain" });
    }
    block = parent;
  }
  const [before, after] = [chain.stateAt(from.hash), chain.stateAt(to.hash)];
  return [...written].filter((one) => {
    const was = before.account(one);
    const is = after.account(one);
    if (was === undefined || is === undefined) return was !== is;
    return !equalBytes(encodeAccount(was), encodeAccount(is));
  });
}

function parentOf({ node }: RpcContext, block: Block): Block {
  const parent = node.chain.block(block.header.parentHash);
  if (parent === undefined) throw new RpcError({ code: "HEADER_NOT_FOUND" });
  return parent;
}

function modifiedBetween(context: RpcContext, start: BlockId, end: BlockId | undefined) {
  return inTurn(context.node, () => {
    const first = needTraceable(context, start);
    // one block alone: what it changed
    if (end === undefined) return modifiedAccounts(context, parentOf(context, first), first);
    return modifiedAccounts(context, first, needTraceable(context, end));
  });
}

const changes = [
  defineMethod({
    name: "debug_getModifiedAccountsByNumber",
    cost: 30,
    summary:
      "Returns the accounts that changed from one block to another (at most 100 later), or in one block.",
    params: [param("start", blockNumberOrTag), optional("end", blockNumberOrTag)],
    result: list(address),
    handler: modifiedBetween,
  }),
  defineMethod({
    name: "debug_getModifiedAccountsByHash",
    cost: 30,
    summary:
      "Returns the accounts that changed from one block to another (at most 100 later), or in one block.",
    params: [param("start", hash), optional("end", hash)],
    result: list(address),
    handler: (context, start, end) =>
      modifiedBetween(
        context,
        { hash: start, requireCanonical: false },
        end && { hash: end, requireCanonical: false },
      ),
  }),
];

const badBlocks: ResultOfBadBlocks = {
  schema: {
    type: "array",
    items: {
      type: "object",
      required: ["hash", "block", "rlp"],
      properties: { hash: hash.schema, block: blockView.schema, rlp: data.schema },
      additionalProperties: false,
    },
  },
  encode: (blocks) =>
    blocks.map((block) => {
      const shown: ShownBlock = { block, full: true };
      return {
        hash: block.hash,
        block: blockView.encode(shown),
        rlp: data.encode(encodeBlock(block)),
      };
    }),
};
interface ResultOfBadBlocks {
  readonly schema: typeof data.schema;
  encode(blocks: readonly Block[]): Json;
}

/** 0x and hex digits, else the characters themselves. Source: geth, common.ParseHexOrString. */
const hexOrText: ParamCodec<Bytes> = {
  schema: text.schema,
  decode(value, where) {
    const given = text.decode(value, where);
    return given.startsWith("0x") ? data.decode(given, where) : new TextEncoder().encode(given);
  },
};

const node = [
  defineMethod({
    name: "debug_verbosity",
    trustedOnly: true,
    summary: "Sets the level of the log: 0 silent, 1 error, 2 warn, 3 info, 4 and 5 debug.",
    params: [param("level", integer)],
    result: nullable(json),
    handler: ({ node: { log } }, level) => {
      if (level > MAX_VERBOSITY) {
        const text = `level ${level}, want 0 to ${MAX_VERBOSITY}`;
        throw new RpcError({ code: "INVALID_PARAMS", text });
      }
      log.setVerbosity(level);
      return undefined;
    },
  }),
  defineMethod({
    name: "debug_dbGet",
    trustedOnly: true,
    summary:
      "Returns a value of the database as it is on disk, by its key: a column's letter and the key in it.",
    params: [param("key", hexOrText)],
    result: data,
    handler: ({ node: { database } }, key) => {
      const value = database.getRaw(key);
      if (value === undefined) throw new RpcError({ code: "REFUSED", text: "not found" });
      return value;
    },
  }),
  defineMethod({
    name: "debug_getBadBlocks",
    summary: "Returns the latest blocks that this node refused, at most 10.",
    params: [],
    result: badBlocks,
    handler: ({ node: { chain } }) => chain.badBlocks.all.map(({ block }) => block),
  }),
  defineMethod({
    name: "debug_chainConfig",
    summary: "Returns the configuration section of the genesis.",
    params: [],
    result: json,
    handler: ({ node }) => configOf(node.chain),
  }),
  defineMethod({
    name: "debug_memStats",
    summary: "Returns what memory this process uses, in bytes.",
    params: [],
    result: json,
    handler: () => ({ ...process.memoryUsage() }),
  }),
  defineMethod({
    name: "debug_setHead",
    trustedOnly: true,
    summary:
      "Makes an earlier block the head; from this machine only, and not below the finalized block.",
    params: [param("number", count)],
    result: nullable(json),
    handler: async ({ node: { chain, consensus, dev } }, number) => {
      const target = needHeader(chain, BigInt(number));
      if (dev !== undefined) {
        await dev.goTo(target.hash);
        return undefined;
      }
      if (consensus !== undefined) {
        const text = "the head of this chain is what the fork choice of its validators says";
        throw new RpcError({ code: "REFUSED", text });
      }
      const finalized = chain.finalized.header.number;
      if (target.header.number < finalized) {
        const text = `block ${number} is below the finalized block ${finalized}`;
        throw new RpcError({ code: "REFUSED", text });
      }
      await chain.setForkchoice({ head: target.hash });
      return undefined;
    },
  }),
];

/** debug_… beside traces and raw encodings. */
export const debugStateMethods = [...states, ...changes, ...node];
