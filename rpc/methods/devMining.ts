/** Time and blocks of a development chain. */
import type { DevChain } from "../../src/node/dev.ts";
import type { Hash } from "../../src/primitives/hex.ts";
import type { Block } from "../../src/types/block.ts";
import {
  address,
  boolean,
  hash,
  integer,
  list,
  looseQuantity,
  nullable,
  type ParamCodec,
  type ResultCodec,
  text,
} from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { devMethods, nothing } from "../devMethod.ts";
import { RpcError } from "../errors.ts";
import { optional, param } from "../method.ts";
import { object } from "../objects.ts";
import { blockView, type ShownBlock } from "../views.ts";

/** Blocks that one request may make. */
const MAX_BLOCKS = 100_000n;
/** Timestamps above are taken for milliseconds (evm_setTime). */
const MILLISECONDS_FROM = 100_000_000_000n;
const MS_PER_SECOND = 1_000;

interface MineWish {
  /** seconds */
  readonly timestamp: bigint | undefined;
  readonly blocks: bigint | undefined;
}

const mineFields = object("mining options", { timestamp: looseQuantity, blocks: looseQuantity });

/** `{timestamp, blocks}` or the timestamp alone. */
const mineWish: ParamCodec<MineWish> = {
  schema: { oneOf: [mineFields.schema, looseQuantity.schema] },
  decode(json, where) {
    if (typeof json === "object") return mineFields.decode(json, where);
    return { timestamp: looseQuantity.decode(json, where), blocks: undefined };
  },
};

function blockCount(blocks: bigint): number {
  if (blocks > MAX_BLOCKS) {
    throw new RpcError({ code: "INVALID_PARAMS", text: `at most ${MAX_BLOCKS} blocks at once` });
  }
  return Number(blocks);
}

async function mineAsWished(dev: DevChain, wish: MineWish | undefined): Promise<readonly Hash[]> {
  if (wish?.timestamp !== undefined) dev.setNextTimestamp(wish.timestamp);
  return dev.mine(blockCount(wish?.blocks ?? 1n));
}

function shown({ node }: RpcContext, hashes: readonly Hash[]): readonly ShownBlock[] {
  return hashes
    .map((one) => node.chain.block(one))
    .filter((block): block is Block => block !== undefined)
    .map((block) => ({ block, full: true }));
}

/** Signed number of seconds, as JSON number. */
const seconds: ResultCodec<bigint> = { schema: { type: "integer" }, encode: Number };

const mining = [
  devMethods({
    names: ["evm_mine"],
    summary: "Makes one block, or as many as asked for, at once.",
    params: [optional("options", mineWish)],
    result: text,
    handler: async (dev, _context, wish) => {
      await mineAsWished(dev, wish);
      return "0x0";
    },
  }),
  devMethods({
    names: ["evm_mine_detailed", "anvil_mine_detailed"],
    summary: "Makes blocks like evm_mine and returns them with their transactions.",
    params: [optional("options", mineWish)],
    result: list(blockView),
    handler: async (dev, context, wish) => shown(context, await mineAsWished(dev, wish)),
  }),
  devMethods({
    names: ["hardhat_mine", "anvil_mine"],
    summary: "Makes blocks, the timestamps `interval` seconds apart.",
    params: [param("blocks", looseQuantity, 1n), optional("interval", looseQuantity)],
    result: nothing,
    handler: async (dev, _context, blocks, interval) => {
      await dev.mine(blockCount(blocks), interval);
      return undefined;
    },
  }),
  devMethods({
    names: ["evm_setAutomine", "anvil_setAutomine", "hardhat_setAutomine"],
    summary: "Switches on or off that each transaction gets a block at once.",
    params: [param("enabled", boolean)],
    result: nothing,
    handler: async (dev, _context, enabled) => {
      dev.setAutomine(enabled);
      return undefined;
    },
  }),
  devMethods({
    names: ["hardhat_getAutomine", "anvil_getAutomine"],
    summary: "Tells whether each transaction gets a block at once.",
    params: [],
    result: boolean,
    handler: (dev) => dev.automine,
  }),
  devMethods({
    names: ["evm_setIntervalMining", "anvil_setIntervalMining"],
    summary: "Makes a block every so many seconds; 0 ends that.",
    params: [param("interval", looseQuantity)],
    result: nothing,
    handler: async (dev, _context, interval) => {
      dev.setIntervalMs(Number(interval) * MS_PER_SECOND);
      return undefined;
    },
  }),
  devMethods({
    names: ["anvil_getIntervalMining"],
    summary: "Returns the seconds between blocks, or null when they are not made by the clock.",
    params: [],
    result: nullable(integer),
    handler: (dev) => {
      const { intervalMs } = dev;
      return intervalMs === undefined ? undefined : Math.ceil(intervalMs / MS_PER_SECOND);
    },
  }),
];

const time = [
  devMethods({
    names: ["evm_increaseTime", "anvil_increaseTime"],
    summary: "Moves the clock on and returns by how many seconds it is ahead in all.",
    params: [param("seconds", looseQuantity)],
    result: seconds,
    handler: (dev, _context, wanted) => dev.increaseTime(wanted),
  }),
  devMethods({
    names: ["evm_setTime", "anvil_setTime"],
    summary: "Sets the clock (seconds or milliseconds) and returns by how many seconds it moved.",
    params: [param("timestamp", looseQuantity)],
    result: seconds,
    handler: (dev, _context, timestamp) =>
      dev.setTime(timestamp >= MILLISECONDS_FROM ? timestamp / BigInt(MS_PER_SECOND) : timestamp),
  }),
  devMethods({
    names: ["evm_setNextBlockTimestamp", "anvil_setNextBlockTimestamp"],
    summary: "Sets the timestamp of the next block, in seconds.",
    params: [param("timestamp", looseQuantity)],
    result: nothing,
    handler: async (dev, _context, timestamp) => {
      dev.setNextTimestamp(timestamp);
      return undefined;
    },
  }),
  devMethods({
    names: ["anvil_setBlockTimestampInterval"],
    summary: "Sets the distance of the timestamps of all blocks to come, in seconds.",
    params: [param("seconds", looseQuantity)],
    result: nothing,
    handler: async (dev, _context, interval) => {
      dev.setTimestampInterval(interval);
      return undefined;
    },
  }),
  devMethods({
    names: ["anvil_removeBlockTimestampInterval"],
    summary: "Lets timestamps follow the clock again; tells whether they did not.",
    params: [],
    result: boolean,
    handler: (dev) => dev.setTimestampInterval(undefined),
  }),
  devMethods({
    names: ["anvil_getGenesisTime"],
    summary: "Returns the timestamp of block 0, in seconds.",
    params: [],
    result: seconds,
    handler: (_dev, { node: { chain } }) => chain.header(chain.genesisHash)?.timestamp ?? 0n,
  }),
  devMethods({
    names: ["anvil_getLastBlockWallTime"],
    summary: "Returns when the last block was made by the computer's clock, in ms since 1970.",
    params: [],
    result: integer,
    handler: (dev) => dev.lastBlockWallMs,
  }),
];

const blocks = [
  devMethods({
    names: ["evm_setBlockGasLimit", "anvil_setBlockGasLimit"],
    summary: "Sets the gas limit of the blocks to come.",
    params: [param("gasLimit", looseQuantity)],
    result: boolean,
    handler: (dev, _context, gasLimit) => {
      dev.setNext({ gasLimit });
      return true;
    },
  }),
  devMethods({
    names: ["hardhat_setCoinbase", "anvil_setCoinbase"],
    summary: "Sets the beneficiary of the blocks to come.",
    params: [param("address", address)],
    result: nothing,
    handler: async (dev, _context, miner) => {
      dev.setMiner(miner);
      return undefined;
    },
  }),
  devMethods({
    names: ["hardhat_setPrevRandao", "anvil_setPrevRandao", "anvil_setNextBlockPrevRandao"],
    summary: "Sets prevRandao of the next block.",
    params: [param("prevRandao", hash)],
    result: nothing,
    handler: async (dev, _context, prevRandao) => {
      dev.setNext({ prevRandao });
      return undefined;
    },
  }),
  devMethods({
    names: ["hardhat_setNextBlockBaseFeePerGas", "anvil_setNextBlockBaseFeePerGas"],
    summary: "Sets the base fee of the next block, in wei per gas.",
    params: [param("baseFeePerGas", looseQuantity)],
    result: nothing,
    handler: async (dev, _context, baseFeePerGas) => {
      dev.setNext({ baseFeePerGas });
      return undefined;
    },
  }),
  devMethods({
    names: ["hardhat_setMinGasPrice", "anvil_setMinGasPrice"],
    summary: "Sets the least fee of the transactions taken from now on, in wei per gas.",
    params: [param("gasPrice", looseQuantity)],
    result: nothing,
    handler: async (dev, _context, gasPrice) => {
      dev.setMinGasPrice(gasPrice);
      return undefined;
    },
  }),
];

/** evm_mine, evm_increaseTime and their kin. */
export const devMiningMethods = [...mining, ...time, ...blocks].flat();
