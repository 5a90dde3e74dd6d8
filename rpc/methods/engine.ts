/** engine_*: what a consensus client or a test suite needs to steer this node. Served on the port with the token only. */
import { BlockError } from "../../src/chain/blockError.ts";
import type { Chain } from "../../src/chain/chain.ts";
import type { Bytes } from "../../src/primitives/bytes.ts";
import { type Hash, ZERO_HASH } from "../../src/primitives/hex.ts";
import type { Block } from "../../src/types/block.ts";
import type { Rules } from "../../src/types/forks.ts";
import { DecodeError } from "../../src/types/rlp.ts";
import { data, hash, list, nullable, quantity64, type ResultCodec, text } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { knownError, RpcError } from "../errors.ts";
import { defineMethod, optional, param } from "../method.ts";
import { completeObject, field, object, orNull, view } from "../objects.ts";
import {
  blockOf,
  type Payload,
  type PayloadExtras,
  payload,
  payloadAttributes,
} from "../payload.ts";
import { withdrawalView } from "../withdrawal.ts";

/** Bodies of one request. Source: execution-apis asks for 32 at least; geth gives as many. */
const MAX_BODIES = 1_024n;

/** What became of a payload or of the head that was named. */
interface PayloadStatus {
  readonly status: "VALID" | "INVALID" | "SYNCING";
  readonly latestValidHash: Hash | undefined;
  readonly validationError: string | undefined;
}

const statusView: ResultCodec<PayloadStatus> = view("payload status", {
  status: field(text, ({ status }: PayloadStatus) => status),
  latestValidHash: orNull(hash, ({ latestValidHash }) => latestValidHash),
  validationError: orNull(text, ({ validationError }) => validationError),
});

const updateView: ResultCodec<PayloadStatus> = view("forkchoice update", {
  payloadStatus: field(statusView, (status: PayloadStatus) => status),
  payloadId: orNull(data, (): Bytes | undefined => undefined),
});

const syncing: PayloadStatus = {
  status: "SYNCING",
  latestValidHash: undefined,
  validationError: undefined,
};

function valid(latestValidHash: Hash): PayloadStatus {
  return { status: "VALID", latestValidHash, validationError: undefined };
}

function invalid(latestValidHash: Hash | undefined, validationError: string): PayloadStatus {
  return { status: "INVALID", latestValidHash, validationError };
}

type PayloadVersion = 1 | 2 | 3 | 4;

function refuseParams(problem: string): never {
  throw new RpcError({ code: "INVALID_PARAMS", text: problem });
}

/** Whether payloads under `rules` are of this version. */
function hasVersion(rules: Rules, version: PayloadVersion): boolean {
  if (version <= 2) return !rules.has("cancun");
  return version === 3 ? rules.has("cancun") && !rules.has("prague") : rules.has("prague");
}

/** The fields of a payload must be those of its version and fork, no more and no fewer. Throws RpcError. */
function checkFields(from: Payload, rules: Rules, version: PayloadVersion): void {
  if (!hasVersion(rules, version)) {
    throw new RpcError({ code: "UNSUPPORTED_FORK", fork: rules.fork, version });
  }
  const { withdrawals, blobGasUsed, excessBlobGas } = from;
  if ((withdrawals !== undefined) !== rules.has("shanghai") || (version === 1 && withdrawals)) {
    refuseParams(`withdrawals do not fit ${rules.fork} and version ${version}`);
  }
  for (const gas of [blobGasUsed, excessBlobGas]) {
    if ((gas !== undefined) !== rules.has("cancun"))
      refuseParams(`blobGasUsed and excessBlobGas do not fit ${rules.fork}`);
  }
}

/** Requests must be ordered by type, each with content. Source: EIP-7685. */
function checkRequests(requests: readonly Bytes[]): void {
  let before = -1;
  for (const request of requests) {
    const [type = -1] = request;
    if (request.length < 2 || type <= before) refuseParams("malformed executionRequests");
    before = type;
  }
}

interface Versioned extends PayloadExtras {
  readonly version: PayloadVersion;
  readonly blobHashes?: readonly Hash[];
}

async function newPayload(
  { node }: RpcContext,
  from: Payload,
  { version, blobHashes = [], ...extras }: Versioned,
): Promise<PayloadStatus> {
  const { chain } = node;
  const { blockNumber: number, timestamp } = from;
  const rules = chain.config.forks.rules({ number, timestamp, difficulty: 0n });
  checkFields(from, rules, version);
  checkRequests(extras.requests ?? []);
  let block: Block;
  try {
    block = blockOf(from, extras, rules);
  } catch (error) {
    if (error instanceof DecodeError) return invalid(undefined, messageOf(error));
    throw error;
  }
  if (block.hash !== from.blockHash) {
    return invalid(undefined, `blockhash mismatch, want ${from.blockHash}, got ${block.hash}`);
  }
  const hashes = block.transactions.flatMap((transaction) => transaction.blobVersionedHashes);
  if (hashes.join() !== blobHashes.join()) {
    return invalid(undefined, "the blob hashes are not those of the transactions");
  }
  return importAside(chain, block);
}

async function importAside(chain: Chain, block: Block): Promise<PayloadStatus> {
  const parent = chain.header(block.header.parentHash);
  if (parent === undefined) return syncing;
  try {
    await chain.importBlock(block, undefined, { role: "aside" });
    return valid(block.hash);
  } catch (error) {
    if (!(error instanceof BlockError)) throw error;
    // a block before the merge is nothing that the Engine API could have validated
    const latest = parent.difficulty === 0n ? block.header.parentHash : ZERO_HASH;
    return invalid(latest, messageOf(error));
  }
}

function messageOf(error: BlockError | DecodeError): string {
  return knownError(error)?.message ?? error.reason.code;
}

const forkchoiceState = completeObject("forkchoice state", {
  headBlockHash: hash,
  safeBlockHash: hash,
  finalizedBlockHash: hash,
});

type ForkchoiceState = ReturnType<typeof forkchoiceState.decode>;

/** The block, if it is named; it must be an ancestor of the head or the head itself. Throws INVALID_FORKCHOICE. */
function ancestor(chain: Chain, head: Hash, named: Hash): Hash | undefined {
  if (named === ZERO_HASH) return undefined;
  const header = chain.header(named);
  const from = chain.header(head);
  const isAncestor =
    named === head ||
    (header !== undefined &&
      from !== undefined &&
      header.number < from.number &&
      chain.contextFor(from).blockHash(header.number) === named);
  if (!isAncestor) throw new RpcError({ code: "INVALID_FORKCHOICE", hash: named });
  return named;
}

async function updateForkchoice(
  { node }: RpcContext,
  state: ForkchoiceState,
  attributes: unknown,
): Promise<PayloadStatus> {
  const { chain } = node;
  const { headBlockHash: head } = state;
  const header = chain.header(head);
  if (header === undefined) return syncing;
  const safe = ancestor(chain, head, state.safeBlockHash);
  const finalized = ancestor(chain, head, state.finalizedBlockHash);
  // what lies behind the head already does not take it back: that is the specification's choice
  const isBehind = head !== chain.head.hash && chain.canonicalHash(header.number) === head;
  await chain.setForkchoice({
    ...(!isBehind && { head }),
    ...(safe !== undefined && { safe }),
    ...(finalized !== undefined && { finalized }),
  });
  if (attributes !== undefined) throw new RpcError({ code: "NO_PAYLOADS" });
  return valid(head);
}

function forkchoiceMethod(version: 1 | 2 | 3) {
  return defineMethod({
    name: `engine_forkchoiceUpdatedV${version}`,
    summary:
      "Makes a known block the head, and others safe and final. Payloads are not built here.",
    params: [
      param("forkchoiceState", forkchoiceState),
      optional("payloadAttributes", payloadAttributes),
    ],
    result: updateView,
    handler: updateForkchoice,
  });
}

const bodyView: ResultCodec<Block> = view("payload body", {
  transactions: field(list(data), ({ transactions }: Block) => transactions.map(({ raw }) => raw)),
  withdrawals: orNull(list(withdrawalView), ({ withdrawals }) => withdrawals),
});

function checkBodies(wanted: bigint): void {
  if (wanted > MAX_BODIES) throw new RpcError({ code: "REQUEST_TOO_LARGE", limit: MAX_BODIES });
}

const bodies = [
  defineMethod({
    name: "engine_getPayloadBodiesByHashV1",
    summary: "Returns transactions and withdrawals of blocks by hash; null for unknown ones.",
    params: [param("blockHashes", list(hash))],
    result: list(nullable(bodyView)),
    handler: ({ node }, hashes) => {
      checkBodies(BigInt(hashes.length));
      return hashes.map((wanted) => node.chain.block(wanted));
    },
  }),
  defineMethod({
    name: "engine_getPayloadBodiesByRangeV1",
    summary: "Returns transactions and withdrawals of consecutive blocks, up to the head.",
    params: [param("start", quantity64), param("count", quantity64)],
    result: list(nullable(bodyView)),
    handler: ({ node }, start, wanted) => {
      if (start === 0n || wanted === 0n) refuseParams("start and count must be at least 1");
      checkBodies(wanted);
      const head = node.chain.head.header.number;
      const end = start + wanted - 1n < head ? start + wanted - 1n : head;
      const length = end < start ? 0 : Number(end - start) + 1;
      return Array.from({ length }, (_, index) => node.chain.blockByNumber(start + BigInt(index)));
    },
  }),
];

const payloads = [
  defineMethod({
    name: "engine_newPayloadV1",
    summary: "Imports a block of Paris without making it the head.",
    params: [param("executionPayload", payload)],
    result: statusView,
    handler: (context, from) => newPayload(context, from, { version: 1 }),
  }),
  defineMethod({
    name: "engine_newPayloadV2",
    summary: "Imports a block of Paris or Shanghai without making it the head.",
    params: [param("executionPayload", payload)],
    result: statusView,
    handler: (context, from) => newPayload(context, from, { version: 2 }),
  }),
  defineMethod({
    name: "engine_newPayloadV3",
    summary: "Imports a block of Cancun without making it the head.",
    params: [
      param("executionPayload", payload),
      param("expectedBlobVersionedHashes", list(hash)),
      param("parentBeaconBlockRoot", hash),
    ],
    result: statusView,
    handler: (context, from, blobHashes, parentBeaconBlockRoot) =>
      newPayload(context, from, { version: 3, blobHashes, parentBeaconBlockRoot }),
  }),
  defineMethod({
    name: "engine_newPayloadV4",
    summary: "Imports a block of Prague or later without making it the head.",
    params: [
      param("executionPayload", payload),
      param("expectedBlobVersionedHashes", list(hash)),
      param("parentBeaconBlockRoot", hash),
      param("executionRequests", list(data)),
    ],
    result: statusView,
    handler: (context, from, ...[blobHashes, parentBeaconBlockRoot, requests]) =>
      newPayload(context, from, { version: 4, blobHashes, parentBeaconBlockRoot, requests }),
  }),
];

const clientVersionFields = object("client version", {
  code: text,
  name: text,
  version: text,
  commit: data,
});

/** Two letters for this client, where others are GE, NM, BU. */
const CLIENT_CODE = "QN";
/** The program does not know of what commit it was made. */
const NO_COMMIT = new Uint8Array(4);

const clientVersionView: ResultCodec<string> = view("client version", {
  code: field(text, () => CLIENT_CODE),
  name: field(text, () => "qnet"),
  version: field(text, (version: string) => version),
  commit: field(data, () => NO_COMMIT),
});

const steering = [forkchoiceMethod(1), forkchoiceMethod(2), forkchoiceMethod(3)];

/** Names of what a client may call, without the method that asks for them. */
function capabilities(): string[] {
  const others = [...steering, ...payloads, ...bodies].map(({ name }) => name);
  return [...others, "engine_getClientVersionV1"].sort();
}

/** Methods of the Engine API. */
export const engineMethods = [
  ...steering,
  ...payloads,
  ...bodies,
  defineMethod({
    name: "engine_exchangeCapabilities",
    summary: "Returns the methods of the Engine API that are supported here.",
    params: [param("methods", list(text))],
    result: list(text),
    handler: () => capabilities(),
  }),
  defineMethod({
    name: "engine_getClientVersionV1",
    summary: "Returns name and version of this client.",
    params: [optional("clientVersion", clientVersionFields)],
    result: list(clientVersionView),
    handler: ({ node }) => [node.clientVersion.split("/")[1] ?? ""],
  }),
];
