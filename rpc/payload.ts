/** Execution payloads: blocks as the Engine API writes them. Shapes: execution-apis, src/engine. */
import { bodyRoots } from "../src/execution/bodyRoots.ts";
import { hashRequests } from "../src/execution/requests.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import type { Hash } from "../src/primitives/hex.ts";
import { type Block, makeBlock, type Withdrawal } from "../src/types/block.ts";
import type { Rules } from "../src/types/forks.ts";
import { decodeTransaction } from "../src/types/transactionCodec.ts";
import {
  address,
  data,
  dataOf,
  hash,
  list,
  type ParamCodec,
  quantity,
  quantity64,
  type ResultCodec,
} from "./codec.ts";
import { completeObject, field, maybe, object, view } from "./objects.ts";
import { withdrawal, withdrawalView } from "./withdrawal.ts";

const required = completeObject("execution payload", {
  parentHash: hash,
  feeRecipient: address,
  stateRoot: hash,
  receiptsRoot: hash,
  logsBloom: dataOf(256),
  prevRandao: hash,
  blockNumber: quantity64,
  gasLimit: quantity64,
  gasUsed: quantity64,
  timestamp: quantity64,
  extraData: data,
  baseFeePerGas: quantity,
  blockHash: hash,
  transactions: list(data),
});
const later = object("execution payload", {
  withdrawals: list(withdrawal),
  blobGasUsed: quantity64,
  excessBlobGas: quantity64,
});

/** A payload of any version; fields of later forks are undefined where they were left out. */
export type Payload = ReturnType<typeof required.decode> & ReturnType<typeof later.decode>;

/** Payload of a caller. */
export const payload: ParamCodec<Payload> = {
  schema: required.schema,
  decode: (json, where) => ({ ...required.decode(json, where), ...later.decode(json, where) }),
};

/** What a payload's version brings along beside it. */
export interface PayloadExtras {
  readonly parentBeaconBlockRoot?: Hash | undefined;
  /** Type byte and data of each. */
  readonly requests?: readonly Bytes[] | undefined;
}

/** The block of a payload, whose hash may differ from the one the payload names. Throws DecodeError. */
export function blockOf(from: Payload, extras: PayloadExtras, rules: Rules): Block {
  const body = {
    transactions: from.transactions.map(decodeTransaction),
    ommers: [],
    withdrawals: from.withdrawals,
  };
  const header = {
    parentHash: from.parentHash,
    miner: from.feeRecipient,
    stateRoot: from.stateRoot,
    receiptsRoot: from.receiptsRoot,
    logsBloom: from.logsBloom,
    difficulty: 0n,
    number: from.blockNumber,
    gasLimit: from.gasLimit,
    gasUsed: from.gasUsed,
    timestamp: from.timestamp,
    extraData: from.extraData,
    mixHash: from.prevRandao,
    nonce: new Uint8Array(8),
    baseFeePerGas: from.baseFeePerGas,
    excessBlobGas: from.excessBlobGas,
    parentBeaconBlockRoot: extras.parentBeaconBlockRoot,
    requestsHash: extras.requests && hashRequests(extras.requests),
    ...bodyRoots(body, rules),
    blobGasUsed: from.blobGasUsed,
  };
  return makeBlock(header, body);
}

const MAX_WITHDRAWALS = 1_024;

const requiredAttributes = completeObject("payload attributes", {
  timestamp: quantity64,
  prevRandao: hash,
  suggestedFeeRecipient: address,
});
const laterAttributes = object("payload attributes", {
  withdrawals: list(withdrawal, MAX_WITHDRAWALS),
  parentBeaconBlockRoot: hash,
});

/** What a block to be built shall be. */
export type PayloadAttributes = ReturnType<typeof requiredAttributes.decode> &
  ReturnType<typeof laterAttributes.decode>;

/** Payload attributes of a caller. */
export const payloadAttributes: ParamCodec<PayloadAttributes> = {
  schema: requiredAttributes.schema,
  decode: (json, where) => ({
    ...requiredAttributes.decode(json, where),
    ...laterAttributes.decode(json, where),
  }),
};

/** A block as a payload. */
export const payloadView: ResultCodec<Block> = view("execution payload", {
  parentHash: field(hash, ({ header }: Block) => header.parentHash),
  feeRecipient: field(address, ({ header }) => header.miner),
  stateRoot: field(hash, ({ header }) => header.stateRoot),
  receiptsRoot: field(hash, ({ header }) => header.receiptsRoot),
  logsBloom: field(dataOf(256), ({ header }) => header.logsBloom),
  prevRandao: field(hash, ({ header }) => header.mixHash),
  blockNumber: field(quantity, ({ header }) => header.number),
  gasLimit: field(quantity, ({ header }) => header.gasLimit),
  gasUsed: field(quantity, ({ header }) => header.gasUsed),
  timestamp: field(quantity, ({ header }) => header.timestamp),
  extraData: field(data, ({ header }) => header.extraData),
  baseFeePerGas: maybe(quantity, ({ header }) => header.baseFeePerGas),
  blockHash: field(hash, (block) => block.hash),
  transactions: field(list(data), (block) => block.transactions.map(({ raw }) => raw)),
  withdrawals: maybe(
    list(withdrawalView),
    (block): readonly Withdrawal[] | undefined => block.withdrawals,
  ),
  blobGasUsed: maybe(quantity, ({ header }) => header.blobGasUsed),
  excessBlobGas: maybe(quantity, ({ header }) => header.excessBlobGas),
});
