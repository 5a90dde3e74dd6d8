/** A node as a light client asks it: nothing that it says is believed before signatures and hashes bear it out. */
import { z } from "zod";
import type { BlockInclusion } from "../src/consensus/finalityProof.ts";
import type { LightBlock } from "../src/consensus/light.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import {
  type Address,
  formatQuantity,
  type Hash,
  hexToBytes,
  parseHash,
} from "../src/primitives/hex.ts";
import { decodeAckQC } from "../src/types/certificate.ts";
import { decodeHeader } from "../src/types/header.ts";
import { decodeMacroHeader } from "../src/types/macroHeader.ts";
import { CommandError } from "./exit.ts";
import { RpcEndpoint } from "./rpcEndpoint.ts";

/** A node may not send a light client more transactions of one block than this. */
const MAX_TRANSACTIONS = 100_000;

const hex = z.string().regex(/^0x[0-9a-fA-F]*$/);
const bytes = hex.transform(hexToBytes);
const hash = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/)
  .transform(parseHash);
const quantity = z.string().regex(/^0x[0-9a-fA-F]{1,64}$/);
const big = quantity.transform(BigInt);
const count = quantity.transform(Number).pipe(z.number().refine(Number.isSafeInteger));

const status = z.object({ finalizedEpoch: count });
const member = z.object({
  id: count,
  stakeOld: big,
  stakeNew: big,
  keyHash: hash,
  publicKey: bytes.optional(),
});
const proof = z.object({
  macroHeader: bytes,
  certificate: bytes,
  validators: z.array(member),
  header: bytes,
  siblings: z.array(hash),
});
const place = z.object({ blockNumber: count.nullable(), transactionIndex: count.nullable() });
const accountProof = z.object({ accountProof: z.array(bytes) });

/** What qnet_getFinalityProof says of a block. */
export interface PeerProof {
  readonly light: LightBlock;
  readonly inclusion: BlockInclusion;
}

/** One node. Its methods throw CommandError for what cannot be had or read. */
export class LightPeer {
  readonly url: string;
  readonly #rpc: RpcEndpoint;

  constructor(url: string) {
    this.url = url;
    this.#rpc = new RpcEndpoint(url);
  }

  /** The newest epoch that the node calls final. */
  async finalizedEpoch(): Promise<number> {
    const reply = await this.#rpc.call("qnet_syncStatus");
    return this.#read("its status", () => status.parse(reply).finalizedEpoch);
  }

  /** Proof of a block's finality; undefined: the node has no certificate of the block's epoch. */
  async proof(blockNumber: number): Promise<PeerProof | undefined> {
    const reply = await this.#rpc.call("qnet_getFinalityProof", formatQuantity(blockNumber));
    if (reply === null) return undefined;
    return this.#read(`the finality proof of block ${blockNumber}`, () => parseProof(reply));
  }

  /** Where the node says that a transaction is; undefined: in no block that it knows. */
  async placeOf(
    transaction: Hash,
  ): Promise<{ readonly blockNumber: number; readonly index: number } | undefined> {
    const reply = await this.#rpc.call("eth_getTransactionByHash", transaction);
    if (reply === null) return undefined;
    const found = this.#read(`transaction ${transaction}`, () => place.parse(reply));
    const { blockNumber, transactionIndex: index } = found;
    return blockNumber === null || index === null ? undefined : { blockNumber, index };
  }

  /** All transactions of a block, in their order. */
  async transactions(blockNumber: number): Promise<readonly Bytes[]> {
    const number = formatQuantity(blockNumber);
    const total = await this.#rpc.quantity("eth_getBlockTransactionCountByNumber", number);
    if (total > MAX_TRANSACTIONS) this.#fail(`block ${blockNumber} with ${total} transactions`);
    const found: Bytes[] = [];
    for (let index = 0; index < total; index++) {
      const method = "eth_getRawTransactionByBlockNumberAndIndex";
      const raw = await this.#rpc.call(method, number, formatQuantity(index));
      found.push(
        this.#read(`transaction ${index} of block ${blockNumber}`, () => bytes.parse(raw)),
      );
    }
    return found;
  }

  /** Merkle proof of an account in the state after a block. */
  async accountProof(account: Address, blockNumber: number): Promise<readonly Bytes[]> {
    const reply = await this.#rpc.call("eth_getProof", account, [], formatQuantity(blockNumber));
    return this.#read(`the proof of ${account}`, () => accountProof.parse(reply).accountProof);
  }

  #read<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      return this.#fail(what, cause);
    }
  }

  #fail(what: string, cause?: unknown): never {
    const detail = cause instanceof Error ? `: ${cause.message}` : "";
    const problem = `${this.url} sent what cannot be read as ${what}${detail}`;
    throw new CommandError({ code: "FAILED", problem }, { cause });
  }
}

function parseProof(reply: unknown): PeerProof {
  const { macroHeader, certificate, validators, header, siblings } = proof.parse(reply);
  const keys = new Map<Hash, Bytes>();
  const members = validators.map(({ publicKey, ...one }) => {
    if (publicKey !== undefined) keys.set(one.keyHash, publicKey);
    return one;
  });
  return {
    light: {
      header: decodeMacroHeader(macroHeader),
      certificate: decodeAckQC(certificate),
      validators: { members, keys },
    },
    inclusion: { header: decodeHeader(header), siblings },
  };
}
