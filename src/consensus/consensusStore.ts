/**
 * What consensus keeps on disk beside the blocks: sidecars, seals, checkpoints, certificates, keys, evidence, and where a
 * restart begins. Gives lists of operations, so that they become part of the block's or the head's own batch.
 * A network's history ends in the last final block, and a restart begins there. That of a dev chain may be gone back in: its
 * starts are kept by block, the newest in memory and one in a while on disk.
 */
import { keccakHash } from "../crypto/keccak.ts";
import { type Bytes, concatBytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import { BoundedCache } from "../runtime/cache.ts";
import { columns, del, put, type WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import type { Block } from "../types/block.ts";
import {
  type AckQC,
  decodeAckQC,
  decodeJustQC,
  encodeAckQC,
  encodeJustQC,
  type JustQC,
} from "../types/certificate.ts";
import { FixedReader, FixedWriter } from "../types/fixedBytes.ts";
import type { SealedBlock } from "../types/sealedBlock.ts";
import { decodeSidecar, encodeSidecar, type SidecarCore } from "../types/sidecar.ts";
import { CONSENSUS_SIGNATURE_BYTES } from "../types/vote.ts";
import type { ChainPoint, Checkpoint } from "./core/chainPoint.ts";
import type { FoundEvidence } from "./core/events.ts";
import { decodePlain, encodePlain } from "./plainCodec.ts";

const POINT_KEY = "finalizedPoint";
const DROPPED_KEY = "signaturesDroppedTo";
/** Checkpoints at hand: each block asks for that of its epoch. */
const CACHED_CHECKPOINTS = 64;
/** Evidence shown at once. */
const MAX_EVIDENCE = 1_000;
/** Starts of a dev chain at hand: whoever goes back mostly goes back a little. */
const CACHED_POINTS = 256;
/** Finalised epochs from one start of a dev chain on disk to the next: the blocks between are read again. */
const EPOCHS_PER_POINT = 16;

/** Consensus data in the node's database. */
export class ConsensusStore {
  readonly #database: Database;
  readonly #isRewindable: boolean;
  readonly #checkpoints = new BoundedCache<Hash, Checkpoint>({ entries: CACHED_CHECKPOINTS });
  readonly #points = new BoundedCache<Hash, ChainPoint>({ entries: CACHED_POINTS });

  /** `isRewindable`: the chain may be made to forget final blocks. */
  constructor(database: Database, options: { readonly isRewindable: boolean }) {
    this.#database = database;
    this.#isRewindable = options.isRewindable;
  }

  /** For the batch of the block itself. */
  blockOps({ block, core, voteSigs, seal }: SealedBlock): WriteOp[] {
    const signatures = concatBytes(seal ?? EMPTY_BYTES, ...voteSigs);
    const operations = [
      put(columns.sidecars, block.hash, encodeSidecar(core)),
      put(columns.seals, block.hash, signatures),
    ];
    const key = unfinalKey(Number(block.header.number), block.hash);
    if (!this.#isRewindable) operations.push(put(columns.unfinal, key, EMPTY_BYTES));
    return operations;
  }

  /** A checkpoint of any branch; known here from now on, on disk with the operation. */
  checkpointOps(checkpoint: Checkpoint): WriteOp[] {
    this.#checkpoints.set(checkpoint.hash, checkpoint);
    return [put(columns.macroblocks, checkpoint.hash, encodePlain(checkpoint))];
  }

  justifiedOps(certificate: JustQC): WriteOp[] {
    return [put(columns.justifications, BigInt(certificate.epoch), encodeJustQC(certificate))];
  }

  /** F* moves to the block of `point`; what lies below is final and needs no place in the tree any more. */
  async finalizedOps(point: ChainPoint, certificate: AckQC): Promise<WriteOp[]> {
    const proof = put(columns.certificates, BigInt(certificate.epoch), encodeAckQC(certificate));
    if (this.#isRewindable) return [proof, ...this.#pointOps(point, certificate.epoch)];
    const operations = [proof, put(columns.meta, POINT_KEY, encodePlain(point))];
    const end = unfinalKey(point.number + 1, undefined);
    for await (const [key] of this.#database.iterate(columns.unfinal, { lt: end }))
      operations.push(del(columns.unfinal, key));
    const last = BigInt(certificate.epoch);
    for await (const [epoch] of this.#database.iterate(columns.justifications, { lte: last }))
      operations.push(del(columns.justifications, epoch));
    return operations;
  }

  /** Number of the newest block of the final chain that has lost its signatures; 0: none has. */
  get droppedTo(): number {
    const raw = this.#database.get(columns.meta, DROPPED_KEY);
    return raw === undefined ? 0 : new FixedReader(raw, DROPPED_KEY, 8).u64();
  }

  droppedToOp(number: number): WriteOp {
    return put(columns.meta, DROPPED_KEY, new FixedWriter(8, DROPPED_KEY).u64(number).bytes);
  }

  /** These blocks lose seal and vote signatures; their sidecars stay. */
  dropOps(hashes: readonly Hash[]): WriteOp[] {
    return hashes.map((hash) => del(columns.seals, hash));
  }

  #pointOps(point: ChainPoint, epoch: number): WriteOp[] {
    this.#points.set(point.hash, point);
    return epoch % EPOCHS_PER_POINT === 0
      ? [put(columns.points, point.hash, encodePlain(point))]
      : [];
  }

  keyOps(keyHash: Hash, publicKey: Bytes): WriteOp[] {
    return [put(columns.validatorKeys, keyHash, publicKey)];
  }

  evidenceOps(evidence: FoundEvidence): WriteOp[] {
    const raw = encodePlain(evidence);
    return [put(columns.evidence, keccakHash(raw), raw)];
  }

  dropEvidenceOps(evidence: FoundEvidence): WriteOp[] {
    return [del(columns.evidence, keccakHash(encodePlain(evidence)))];
  }

  /** Evidence found so far, in no order. */
  async evidence(): Promise<FoundEvidence[]> {
    const found: FoundEvidence[] = [];
    for await (const [, raw] of this.#database.iterate(columns.evidence, { limit: MAX_EVIDENCE }))
      found.push(decodePlain<FoundEvidence>(raw));
    return found;
  }

  /** Where a restart begins: the point of the last finalised block; undefined: the genesis. */
  point(): ChainPoint | undefined {
    const raw = this.#database.get(columns.meta, POINT_KEY);
    return raw && decodePlain<ChainPoint>(raw);
  }

  /** What was remembered when the block of this hash, the last of its epoch, became final; rewindable chains only. */
  pointAt(hash: Hash): ChainPoint | undefined {
    const known = this.#points.get(hash);
    if (known !== undefined) return known;
    const raw = this.#database.get(columns.points, hash);
    return raw && decodePlain<ChainPoint>(raw);
  }

  /** Hashes of stored blocks above F*, by number. */
  async unfinal(): Promise<Hash[]> {
    const hashes: Hash[] = [];
    for await (const [key] of this.#database.iterate(columns.unfinal))
      hashes.push(bytesToHash(key.subarray(8)));
    return hashes;
  }

  /** Certificates of justified epochs above F*, ascending. */
  async justifications(): Promise<JustQC[]> {
    const found: JustQC[] = [];
    for await (const [, raw] of this.#database.iterate(columns.justifications))
      found.push(decodeJustQC(raw));
    return found;
  }

  sidecar(hash: Hash): SidecarCore | undefined {
    const raw = this.#database.get(columns.sidecars, hash);
    return raw && decodeSidecar(raw);
  }

  /** The stored block with sidecar, seal and vote signatures; undefined if it has none (genesis). */
  sealed(block: Block): SealedBlock | undefined {
    const core = this.sidecar(block.hash);
    if (core === undefined) return undefined;
    const raw = this.#database.get(columns.seals, block.hash) ?? EMPTY_BYTES;
    if (raw.length === 0) return { block, core, voteSigs: [], seal: undefined };
    const at = (index: number) =>
      raw.slice(index * CONSENSUS_SIGNATURE_BYTES, (index + 1) * CONSENSUS_SIGNATURE_BYTES);
    return { block, core, seal: at(0), voteSigs: core.votes.map((_, index) => at(index + 1)) };
  }

  checkpoint(macroHash: Hash): Checkpoint | undefined {
    const known = this.#checkpoints.get(macroHash);
    if (known !== undefined) return known;
    const raw = this.#database.get(columns.macroblocks, macroHash);
    if (raw === undefined) return undefined;
    const checkpoint = decodePlain<Checkpoint>(raw);
    this.#checkpoints.set(macroHash, checkpoint);
    return checkpoint;
  }

  /** Certificate of a finalised epoch; epochs that became final with a later one have none. */
  certificate(epoch: number): AckQC | undefined {
    const raw = this.#database.get(columns.certificates, BigInt(epoch));
    return raw && decodeAckQC(raw);
  }

  publicKey(keyHash: Hash): Bytes | undefined {
    return this.#database.get(columns.validatorKeys, keyHash);
  }

  write(operations: readonly WriteOp[]): Promise<void> {
    return this.#database.batch(operations);
  }
}

function unfinalKey(number: number, hash: Hash | undefined): Bytes {
  const head = new FixedWriter(8, "number").u64(number).bytes;
  return hash === undefined ? head : concatBytes(head, hexToBytes(hash));
}
