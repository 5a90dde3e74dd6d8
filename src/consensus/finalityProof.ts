/**
 * Proof that a block is final, and with Merkle proofs under its header's roots that an account, a transaction or a receipt
 * is: macro header and certificate, then the block's hash in the macro header's microRoot. Everything in it is checked
 * with hashes and ML-DSA signatures alone. Source: docs/consensus.md §2 (microRoot), §11.
 */

import type { Bytes } from "../primitives/bytes.ts";
import { type Address, bytesToHex, type Hash, hexToBytes } from "../primitives/hex.ts";
import { verifyAccountProof, verifyOrderedProof } from "../state/proof.ts";
import type { Account } from "../types/account.ts";
import { type Header, hashHeader } from "../types/header.ts";
import type { MacroHeader } from "../types/macroHeader.ts";
import { merkleProof, rootFromProof } from "../types/merkle.ts";
import { LightError } from "./light.ts";

/** The place of a block in a macroblock. */
export interface BlockInclusion {
  /** The block's own header. */
  readonly header: Header;
  /** Siblings of its hash up to microRoot: 7 in an epoch of 90 blocks. */
  readonly siblings: readonly Hash[];
}

/** Siblings for the block at `index` (from 0) among an epoch's block hashes. */
export function inclusionOf(blockHashes: readonly Hash[], index: number): readonly Hash[] {
  return merkleProof(blockHashes.map(hexToBytes), index);
}

/** Throws LightError NOT_INCLUDED unless the block is one of the macroblock's. The macro header's finality is the caller's check. */
export function verifyInclusion(macro: MacroHeader, { header, siblings }: BlockInclusion): void {
  const hash = hashHeader(header);
  const index = Number(header.number) - macro.firstNumber;
  const isInside = index >= 0 && Number(header.number) <= macro.lastNumber;
  const depth = Math.ceil(Math.log2(macro.lastNumber - macro.firstNumber + 1));
  const root =
    isInside && siblings.length === depth ? rootFromProof(hash, index, siblings) : undefined;
  if (root !== macro.microRoot)
    throw new LightError({ code: "NOT_INCLUDED", epoch: macro.epoch, block: hash });
}

/** The account in the block's state, undefined if there is none. Throws LightError BAD_PROOF. */
export async function provenAccount(
  { stateRoot, number }: Header,
  address: Address,
  proof: readonly Bytes[],
): Promise<Account | undefined> {
  return held(number, `account ${address}`, () => verifyAccountProof(stateRoot, address, proof));
}

/** Throws LightError BAD_PROOF unless `raw` is the block's transaction at `index`. */
export async function verifyTransaction(
  { transactionsRoot, number }: Header,
  {
    index,
    raw,
    proof,
  }: { readonly index: number; readonly raw: Bytes; readonly proof: readonly Bytes[] },
): Promise<void> {
  const what = `transaction ${index}`;
  const found = await held(number, what, () => verifyOrderedProof(transactionsRoot, index, proof));
  if (found === undefined || bytesToHex(found) !== bytesToHex(raw))
    throw new LightError({ code: "BAD_PROOF", block: Number(number), what });
}

async function held<T>(number: bigint, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new LightError({ code: "BAD_PROOF", block: Number(number), what }, { cause: error });
  }
}
