/** The chain as a whole: its id, its rules, how far this node is. */
import type { Hash } from "../../src/primitives/hex.ts";
import type { BlobParameters } from "../../src/types/forks.ts";
import {
  address,
  boolean,
  dataOf,
  hash,
  nullable,
  quantity,
  type ResultCodec,
  record,
} from "../codec.ts";
import { type ForkReport, type ForkReports, forkReports } from "../forkReport.ts";
import { defineMethod } from "../method.ts";
import { field, orNull, view } from "../objects.ts";
import { syncing, syncStatusOf } from "../syncStatus.ts";

/** A JSON number; what is counted here stays far below 2^53. */
const jsonNumber: ResultCodec<bigint> = { schema: { type: "integer" }, encode: Number };

/** First half of a fork identifier: 4 bytes. */
const forkHash: ResultCodec<string> = { schema: dataOf(4).schema, encode: (value) => value };

const blobView = view<BlobParameters>("blob schedule", {
  target: field(jsonNumber, (blobs: BlobParameters) => blobs.target),
  max: field(jsonNumber, (blobs) => blobs.max),
  baseFeeUpdateFraction: field(jsonNumber, (blobs) => blobs.baseFeeUpdateFraction),
});

const forkView = view<ForkReport>("fork configuration", {
  activationTime: field(jsonNumber, (fork: ForkReport) => fork.activationTime),
  blobSchedule: orNull(blobView, (fork) => fork.blobSchedule),
  chainId: field(quantity, (fork) => fork.chainId),
  forkId: field(forkHash, (fork) => fork.forkId.hash),
  precompiles: field(record(address), (fork) => fork.precompiles),
  systemContracts: field(record(address), (fork) => fork.systemContracts),
});

interface Head {
  readonly header: { readonly number: bigint };
  readonly hash: Hash;
}

/** Everything is kept since the genesis. */
const kept = view<bigint>("kept data", {
  disabled: field(boolean, (_oldest: bigint) => false),
  oldestBlock: field(quantity, (oldest) => oldest),
});

const whole = field(kept, (_head: Head) => 0n);

/** Protocol version that old wallets ask for: eth/68. */
const PROTOCOL_VERSION = 68n;

/** eth_chainId and its kin. */
export const chainMethods = [
  defineMethod({
    name: "eth_chainId",
    summary: "Returns the chain id that transactions are signed for.",
    params: [],
    result: quantity,
    handler: ({ node }) => node.chain.config.chainId,
  }),
  defineMethod({
    name: "eth_protocolVersion",
    summary: "Returns the version of the Ethereum protocol.",
    params: [],
    result: quantity,
    handler: () => PROTOCOL_VERSION,
  }),
  defineMethod({
    name: "eth_syncing",
    summary: "Returns false, or how far synchronisation is.",
    params: [],
    result: syncing,
    handler: ({ node }) => syncStatusOf(node),
  }),
  defineMethod({
    name: "eth_mining",
    summary: "Returns false: nothing is mined by proof of work.",
    params: [],
    result: boolean,
    handler: () => false,
  }),
  defineMethod({
    name: "eth_hashrate",
    summary: "Returns 0: nothing is mined by proof of work.",
    params: [],
    result: quantity,
    handler: () => 0n,
  }),
  defineMethod({
    name: "eth_coinbase",
    summary:
      "Returns the address that gets the tips of blocks made here; null where none are made.",
    params: [],
    result: nullable(address),
    handler: ({ node }) => node.miner?.(),
  }),
  defineMethod({
    name: "eth_config",
    summary: "Returns the rules in force, the next ones and the last ones scheduled (EIP-7910).",
    params: [],
    result: view<ForkReports>("fork configurations", {
      current: field(forkView, (reports: ForkReports) => reports.current),
      next: orNull(forkView, (reports) => reports.next),
      last: orNull(forkView, (reports) => reports.last),
    }),
    handler: ({ node }) => forkReports(node.chain),
  }),
  defineMethod({
    name: "eth_capabilities",
    summary: "Returns which data of the chain this node serves.",
    params: [],
    result: view<Head>("capabilities", {
      head: field(
        view<Head>("head", {
          number: field(quantity, ({ header }: Head) => header.number),
          hash: field(hash, (head) => head.hash),
        }),
        (head: Head) => head,
      ),
      state: whole,
      tx: whole,
      logs: whole,
      receipts: whole,
      blocks: whole,
      stateproofs: whole,
    }),
    handler: ({ node }) => node.chain.head,
  }),
];
