/** Snapshots, impersonation, the pool, and what tools ask a development node about itself. */
import { gunzipSync, gzipSync } from "node:zlib";
import type { Hash } from "../../src/primitives/hex.ts";
import type { Block } from "../../src/types/block.ts";
import type { Transaction } from "../../src/types/transaction.ts";
import { type CallRequest, callRequest } from "../callRequest.ts";
import {
  address,
  boolean,
  data,
  hash,
  integer,
  type JsonObject,
  json,
  looseQuantity,
  nullable,
  type ParamCodec,
  quantity,
  refuse,
  refuseValue,
} from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { devMethods, nothing } from "../devMethod.ts";
import { RpcError } from "../errors.ts";
import { fillTransaction } from "../fillTransaction.ts";
import { optional, param } from "../method.ts";
import { objectOf, ownField } from "../objects.ts";
import { senderFor, signOrImpersonate } from "../signer.ts";
import { decodeStateDump, encodeStateDump } from "../stateDump.ts";

/** Both prefixes of a name that anvil took over from Hardhat. */
function both<const N extends string>(name: N) {
  return [`hardhat_${name}`, `anvil_${name}`] as const;
}

const account = param("address", address);

const snapshots = [
  devMethods({
    names: ["evm_snapshot", "anvil_snapshot"],
    summary: "Remembers head, state, pool, clock and settings, and returns an id.",
    params: [],
    result: quantity,
    handler: (dev) => dev.snapshot(),
  }),
  devMethods({
    names: ["evm_revert", "anvil_revert"],
    summary: "Goes back to a snapshot, which is used up with all later ones; false when unknown.",
    params: [param("id", looseQuantity)],
    result: boolean,
    handler: (dev, _context, id) => dev.revert(id),
  }),
];

const impersonation = [
  devMethods({
    names: both("impersonateAccount"),
    summary: "Lets transactions of the account be sent without its key.",
    params: [account],
    result: nothing,
    handler: async (dev, _context, target) => {
      dev.impersonate(target);
      return undefined;
    },
  }),
  devMethods({
    names: both("stopImpersonatingAccount"),
    summary: "Ends the impersonation of an account.",
    params: [account],
    result: nothing,
    handler: async (dev, _context, target) => {
      dev.stopImpersonating(target);
      return undefined;
    },
  }),
  devMethods({
    names: both("autoImpersonateAccount"),
    summary: "Lets transactions of any account be sent without its key.",
    params: [param("enabled", boolean)],
    result: nothing,
    handler: async (dev, _context, enabled) => {
      dev.setAutoImpersonate(enabled);
      return undefined;
    },
  }),
];

const pool = [
  devMethods({
    names: ["hardhat_dropTransaction"],
    summary: "Takes a transaction out of the pool; tells whether it was there.",
    params: [param("transactionHash", hash)],
    result: boolean,
    handler: (_dev, { node }, wanted) => node.pool.remove(wanted),
  }),
  devMethods({
    names: ["anvil_dropTransaction"],
    summary:
      "Takes a transaction out of the pool and returns its hash; null when it was not there.",
    params: [param("transactionHash", hash)],
    result: nullable(hash),
    handler: (_dev, { node }, wanted) => (node.pool.remove(wanted) ? wanted : undefined),
  }),
  devMethods({
    names: both("dropAllTransactions"),
    summary: "Empties the pool.",
    params: [],
    result: nothing,
    handler: async (_dev, { node }) => {
      node.pool.clear();
      return undefined;
    },
  }),
  devMethods({
    names: ["anvil_removePoolTransactions"],
    summary: "Takes all transactions of a sender out of the pool.",
    params: [account],
    result: nothing,
    handler: async (_dev, { node }, sender) => {
      const { pending, queued } = node.pool.contentFrom(sender);
      for (const { transaction } of [...pending, ...queued]) node.pool.remove(transaction.hash);
      return undefined;
    },
  }),
];

/** What a reset or reorganisation may be asked for by raw bytes or by a request. */
type Planned = { readonly what: CallRequest | Uint8Array; readonly block: number };

const planned: ParamCodec<readonly Planned[]> = {
  schema: { type: "array", items: { type: "array", minItems: 2, maxItems: 2 } },
  decode(value, where) {
    if (!Array.isArray(value)) return refuseValue(where, "pairs of transaction and block", value);
    return value.map((pair: unknown, index): Planned => {
      const at = `${where}[${index}]`;
      if (!Array.isArray(pair) || pair.length !== 2) return refuse(at, "expected a pair");
      const [what, block]: readonly unknown[] = pair;
      const decoded =
        typeof what === "string" ? data.decode(what, at) : callRequest.decode(what, at);
      return { what: decoded, block: integer.decode(block, `${at}[1]`) };
    });
  },
};

/** `{forking: …}` as Hardhat and anvil take it; only the absence of a fork is possible. */
const noFork: ParamCodec<undefined> = {
  schema: { type: "object" },
  decode(value, where) {
    const forking = ownField(objectOf(value, where), "forking");
    if (forking === undefined) return undefined;
    if (ownField(objectOf(forking, `${where}.forking`), "jsonRpcUrl") !== undefined) {
      refuse(`${where}.forking`, "forking another chain is not supported");
    }
    return undefined;
  },
};

async function plannedTransaction(context: RpcContext, { what }: Planned): Promise<Transaction> {
  if (what instanceof Uint8Array) return context.node.pool.add(what, "local");
  const from = senderFor(context, what);
  const fields = await fillTransaction(context, { ...what, from });
  const made = signOrImpersonate(context, fields, from);
  return context.node.pool.addTransaction(made, "local");
}

const history = [
  devMethods({
    names: both("reset"),
    summary: "Goes back to block 0, empties the pool and sets the clock right.",
    params: [optional("options", noFork)],
    result: nothing,
    handler: async (dev) => {
      await dev.reset();
      return undefined;
    },
  }),
  devMethods({
    names: ["anvil_rollback"],
    summary: "Goes back by so many blocks; their transactions are gone.",
    params: [param("depth", looseQuantity, 1n)],
    result: nothing,
    handler: async (dev, _context, depth) => {
      await dev.rollback(depth);
      return undefined;
    },
  }),
  devMethods({
    names: ["anvil_reorg"],
    summary: "Replaces the last blocks by as many others, which hold the given transactions.",
    params: [param("depth", looseQuantity), param("transactions", planned, [])],
    result: nothing,
    handler: async (dev, context, depth, pairs) => {
      const outside = pairs.find(({ block }) => BigInt(block) >= depth);
      if (outside !== undefined) {
        const text = `transactions: block ${outside.block} is not among the ${depth} new ones`;
        throw new RpcError({ code: "INVALID_PARAMS", text });
      }
      await dev.reorg(depth, async (index) => {
        for (const pair of pairs) {
          if (pair.block === index) await plannedTransaction(context, pair);
        }
      });
      return undefined;
    },
  }),
  devMethods({
    names: both("dumpState"),
    summary: "Returns all accounts at the head as gzipped JSON in anvil's format.",
    params: [optional("preserveHistory", boolean)],
    result: data,
    handler: async (dev, { node }) => {
      const text = JSON.stringify(encodeStateDump(node.chain.head.header, await dev.dump()));
      return gzipSync(Buffer.from(text, "utf8"));
    },
  }),
  devMethods({
    names: both("loadState"),
    summary: "Puts the accounts of a dump into the state at the head.",
    params: [param("state", data)],
    result: boolean,
    handler: async (dev, _context, bytes) => {
      await dev.load(decodeStateDump(readDump(bytes)));
      return true;
    },
  }),
];

/** Bytes that a dump may have once unpacked. */
const MAX_DUMP_BYTES = 512 * 1024 * 1024;
const GZIP_MAGIC = 0x1f;

function readDump(bytes: Uint8Array): unknown {
  try {
    const plain =
      bytes[0] === GZIP_MAGIC ? gunzipSync(bytes, { maxOutputLength: MAX_DUMP_BYTES }) : bytes;
    return JSON.parse(Buffer.from(plain).toString("utf8"));
  } catch (error) {
    throw new RpcError(
      { code: "INVALID_PARAMS", text: "state: neither JSON nor gzipped JSON" },
      { cause: error },
    );
  }
}

function headBlock({ node: { chain } }: RpcContext): {
  readonly hash: Hash;
  readonly block: Block;
} {
  const { hash: headHash } = chain.head;
  const block = chain.block(headHash);
  if (block === undefined) throw new RpcError({ code: "UNKNOWN_BLOCK" });
  return { hash: headHash, block };
}

function nodeInfo(context: RpcContext): JsonObject {
  const { chain, nextBlock } = context.node;
  const { header, hash: headHash } = chain.head;
  const baseFee = nextBlock?.().overrides?.baseFeePerGas ?? header.baseFeePerGas ?? 0n;
  return {
    currentBlockNumber: quantity.encode(header.number),
    currentBlockTimestamp: Number(header.timestamp),
    currentBlockHash: headHash,
    hardFork: chain.rulesFor(header).fork,
    transactionOrder: "fees",
    environment: {
      baseFee: quantity.encode(baseFee),
      chainId: Number(chain.config.chainId),
      gasLimit: quantity.encode(header.gasLimit),
      gasPrice: quantity.encode(baseFee),
    },
    forkConfig: { forkUrl: null, forkBlockNumber: null, forkRetryBackoff: null },
  };
}

const about = [
  devMethods({
    names: ["anvil_nodeInfo"],
    summary: "Returns block, fork, fees and limits of the node.",
    params: [],
    result: json,
    handler: (_dev, context) => nodeInfo(context),
  }),
  devMethods({
    names: both("metadata"),
    summary: "Returns version, chain, head and snapshots of the node.",
    params: [],
    result: json,
    handler: (dev, context) => {
      const { chain, clientVersion } = context.node;
      const { hash: headHash, block } = headBlock(context);
      return {
        clientVersion,
        chainId: Number(chain.config.chainId),
        instanceId: dev.instanceId,
        latestBlockNumber: Number(block.header.number),
        latestBlockHash: headHash,
        forkedNetwork: null,
        snapshots: Object.fromEntries(
          dev
            .snapshots()
            .map(({ id, number, hash: at }) => [quantity.encode(id), [Number(number), at]]),
        ),
      };
    },
  }),
  devMethods({
    names: both("setLoggingEnabled"),
    summary: "Switches the lines about transactions on or off.",
    params: [param("enabled", boolean)],
    result: nothing,
    handler: async (dev, _context, enabled) => {
      dev.setLogging(enabled);
      return undefined;
    },
  }),
];

/** evm_snapshot, hardhat_impersonateAccount, anvil_nodeInfo and their kin. */
export const devChainMethods = [
  ...snapshots,
  ...impersonation,
  ...pool,
  ...history,
  ...about,
].flat();
