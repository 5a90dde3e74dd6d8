/**
 * What travels with a blob transaction and never enters a block: blobs, commitments, proofs. Two network forms, both
 * `0x03 ‖ rlp`: `[payload, blobs, commitments, proofs]` (EIP-4844) and `[payload, 1, blobs, commitments, cellProofs]`
 * (EIP-7594, from Osaka).
 */
import { sha256 } from "../crypto/keccak.ts";
import {
  BLOB_BYTES,
  CELLS_PER_BLOB,
  type Kzg,
  type ProvenBlobs,
  verifyBlobCellProofs,
  verifyBlobProofs,
} from "../crypto/kzg.ts";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { bytesToHash, type Hash } from "../primitives/hex.ts";
import {
  decodeRlp,
  encodeRlp,
  fail,
  type RlpInput,
  type RlpItem,
  readBytes,
  readList,
  readUint,
  uintItem,
} from "./rlp.ts";
import type { Transaction } from "./transaction.ts";
import { decodeTransaction, readTransaction, typeRow } from "./transactionCodec.ts";
import { BLOB_TYPE } from "./transactionTypes.ts";

export interface BlobSidecar extends ProvenBlobs {
  /** 0: one proof per blob (EIP-4844); 1: one per cell (EIP-7594) */
  readonly version: 0 | 1;
}

/** A transaction as it is sent to nodes. */
export interface NetworkTransaction {
  readonly transaction: Transaction;
  /** Only with type 3 */
  readonly sidecar: BlobSidecar | undefined;
}

const POINT_BYTES = 48;
const VERSIONED_HASH_VERSION = 1;
const WRAPPER_ITEMS = 4;

/** Transaction from what wallets and peers send: with sidecar if type 3, else the canonical encoding. Throws DecodeError. */
export function decodeNetworkTransaction(raw: Bytes): NetworkTransaction {
  if (raw[0] !== BLOB_TYPE) return { transaction: decodeTransaction(raw), sidecar: undefined };
  const items = readList(decodeRlp(raw.subarray(1), "transaction"), "transaction");
  const [payload, ...sidecar] = items;
  // without the wrapper the first item is the chain id
  if (payload === undefined || payload instanceof Uint8Array)
    return { transaction: decodeTransaction(raw), sidecar: undefined };
  const canonical = concatBytes(Uint8Array.of(BLOB_TYPE), encodeRlp(payload));
  const transaction = readTransaction(typeRow(BLOB_TYPE), payload, canonical);
  return { transaction, sidecar: sidecarFromItems(sidecar, transaction) };
}

/** The form in which a transaction is sent to nodes. */
export function encodeNetworkTransaction({ transaction, sidecar }: NetworkTransaction): Bytes {
  if (sidecar === undefined) return transaction.raw;
  const items: RlpInput[] = [{ encoded: transaction.raw.subarray(1) }];
  if (sidecar.version !== 0) items.push(uintItem(BigInt(sidecar.version)));
  items.push(sidecar.blobs, sidecar.commitments, sidecar.proofs);
  return concatBytes(Uint8Array.of(BLOB_TYPE), encodeRlp(items));
}

/** The hash by which a transaction names a blob: version 0x01 and the SHA-256 of the commitment. Source: EIP-4844 */
export function versionedHashOf(commitment: Bytes): Hash {
  const hash = sha256(commitment);
  hash[0] = VERSIONED_HASH_VERSION;
  return bytesToHash(hash);
}

/**
 * Checks the proofs, about 0.3 s per blob: for a worker thread. Throws DecodeError with code BAD_TRANSACTION. Numbers,
 * lengths and versioned hashes were checked by decoding.
 */
export function verifyBlobSidecar(sidecar: BlobSidecar, kzg: Kzg): void {
  const verify = sidecar.version === 0 ? verifyBlobProofs : verifyBlobCellProofs;
  if (!verify(kzg, sidecar))
    fail("BAD_TRANSACTION", {
      where: "sidecar.proofs",
      expected: "proofs that the blobs match the commitments",
      got: "a proof that fails",
    });
}

function sidecarFromItems(items: readonly RlpItem[], transaction: Transaction): BlobSidecar {
  const versioned = items.length === WRAPPER_ITEMS;
  const [blobItems, commitmentItems, proofItems] = versioned ? items.slice(1) : items;
  if (items.length !== WRAPPER_ITEMS && items.length !== WRAPPER_ITEMS - 1)
    fail("BAD_FIELD", {
      where: "transaction",
      expected: "payload, perhaps a version, blobs, commitments, proofs",
      got: `${items.length + 1} items`,
    });
  if (versioned && readUint(items[0], "sidecar.version", 8) !== 1n)
    fail("BAD_FIELD", { where: "sidecar.version", expected: "1", got: "another" });
  const hashes = transaction.blobVersionedHashes;
  const proofCount = versioned ? CELLS_PER_BLOB * hashes.length : hashes.length;
  const sidecar: BlobSidecar = {
    version: versioned ? 1 : 0,
    blobs: readStrings(blobItems, "sidecar.blobs", { count: hashes.length, bytes: BLOB_BYTES }),
    commitments: readStrings(commitmentItems, "sidecar.commitments", {
      count: hashes.length,
      bytes: POINT_BYTES,
    }),
    proofs: readStrings(proofItems, "sidecar.proofs", { count: proofCount, bytes: POINT_BYTES }),
  };
  sidecar.commitments.forEach((commitment, i) => {
    const [got, expected] = [versionedHashOf(commitment), hashes[i]];
    if (got !== expected)
      fail("BAD_TRANSACTION", {
        where: "sidecar.commitments",
        expected: `commitment of ${expected}`,
        got,
      });
  });
  return sidecar;
}

function readStrings(
  item: RlpItem | undefined,
  where: string,
  shape: { readonly count: number; readonly bytes: number },
): Bytes[] {
  return readList(item, where, shape.count).map((entry) => readBytes(entry, where, shape.bytes));
}
