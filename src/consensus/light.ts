/**
 * Following a chain by its macro headers and their certificates alone, without blocks or state. Pure: whoever drives it
 * fetches headers and tells the time.
 * One step goes from a trusted header to a later one: an adjacent step (at most two epochs) finds the later header's
 * validators named in the trusted one; a longer step trusts signers who hold more than a third of the stake known before.
 * Source: docs/consensus.md §11; why the trust period binds both kinds of step: decisions/0031.
 */
import { keccakHash } from "../crypto/keccak.ts";
import type { PqVerifier } from "../crypto/pqVerifier.ts";
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import type { Hash } from "../primitives/hex.ts";
import { type AckQC, acksOf, signersOf } from "../types/certificate.ts";
import { consensusMessage, MESSAGE_KIND, type MessageDomain } from "../types/consensusMessage.ts";
import { hashMacroHeader, type MacroHeader } from "../types/macroHeader.ts";
import { DecodeError } from "../types/rlp.ts";
import { hashValidators, hasQuorum, type Members } from "../types/validatorSet.ts";
import { encodeAck } from "../types/vote.ts";

/** cfg(epoch) with the public keys behind its key hashes. */
export interface ValidatorList {
  readonly members: Members;
  /** Public keys (1312 bytes) by their keccak256. */
  readonly keys: ReadonlyMap<Hash, Bytes>;
}

/** A macro header whose finality is known, with its epoch's validators. */
export interface TrustedHeader {
  readonly header: MacroHeader;
  readonly members: Members;
}

/** A macro header that claims to be final. */
export interface LightBlock {
  readonly header: MacroHeader;
  readonly certificate: AckQC;
  readonly validators: ValidatorList;
}

/** What is fixed for one network. */
export interface LightNetwork extends MessageDomain {
  /** ms; 0: headers are trusted however old they are */
  readonly trustPeriodMs: number;
  readonly verifier: Pick<PqVerifier, "verify">;
}

export type LightErrorReason =
  /** The certificate is for another header. */
  | { readonly code: "OTHER_HEADER"; readonly expected: Hash; readonly got: Hash }
  /** The validators are not those whose hash the header, or the trusted one, names. */
  | { readonly code: "OTHER_VALIDATORS"; readonly expected: Hash; readonly got: Hash }
  | { readonly code: "BAD_CERTIFICATE"; readonly epoch: number; readonly problem: string }
  /** Signers hold no two thirds of a set that must agree. */
  | { readonly code: "NO_QUORUM"; readonly epoch: number; readonly signers: number }
  | { readonly code: "BAD_SIGNATURE"; readonly epoch: number; readonly validator: number }
  /** The trusted header is too old: take a newer one from a source that you trust. */
  | { readonly code: "TRUST_EXPIRED"; readonly epoch: number; readonly ageMs: number }
  /** Too few of the validators known before have signed: go there in smaller steps. */
  | { readonly code: "TOO_FAR"; readonly trusted: number; readonly epoch: number }
  /** The header does not continue the trusted one. */
  | { readonly code: "NOT_A_SUCCESSOR"; readonly trusted: number; readonly epoch: number }
  /** The block is none of the macroblock's. */
  | { readonly code: "NOT_INCLUDED"; readonly epoch: number; readonly block: Hash }
  /** A Merkle proof does not hold under the block's header. */
  | { readonly code: "BAD_PROOF"; readonly block: number; readonly what: string };

/** Why a header is not believed. */
export class LightError extends NodeError<LightErrorReason> {}

/** Epochs ahead of a header whose validators it names. */
const ADJACENT_EPOCHS = 2;
/** Headers asked for on the way to one target: the logarithm of any distance, and more while sets change. */
const MAX_STEPS = 100_000;

/**
 * Throws LightError unless a quorum of these validators, in every set, has signed the header as final, and the validators
 * are those that the header names.
 */
export function verifyCertificate(network: LightNetwork, block: LightBlock): void {
  const { header, certificate, validators } = block;
  const { epoch } = header;
  const hash = hashMacroHeader(header);
  if (certificate.macroHash !== hash || certificate.epoch !== epoch)
    throw new LightError({ code: "OTHER_HEADER", expected: hash, got: certificate.macroHash });
  requireValidators(header.validatorsHash, validators.members);
  const signers = signersIn(block);
  if (!hasQuorum(validators.members, new Set(signers)))
    throw new LightError({ code: "NO_QUORUM", epoch, signers: signers.length });
  const keyHashes = new Map(validators.members.map(({ id, keyHash }) => [id, keyHash]));
  for (const { ack, signature } of acksOf(certificate, validators.members)) {
    const message = consensusMessage(network, MESSAGE_KIND.ack, encodeAck(ack));
    const key = publicKeyOf(validators, keyHashes.get(ack.validator));
    if (
      key === undefined ||
      !network.verifier.verify("ML-DSA-44", key, message, signature, EMPTY_BYTES)
    )
      throw new LightError({ code: "BAD_SIGNATURE", epoch, validator: ack.validator });
  }
}

/** The block as trusted, if it follows from `trusted`. `nowMs`: since 1970. Throws LightError. */
export function verifyStep(
  network: LightNetwork,
  trusted: TrustedHeader,
  block: LightBlock,
  nowMs: number,
): TrustedHeader {
  const { header, validators } = block;
  requireFresh(network, trusted.header, nowMs);
  const from = trusted.header.epoch;
  const { epoch } = header;
  const isParent = header.parentMacroHash === hashMacroHeader(trusted.header);
  if (epoch <= from || (epoch === from + 1 && !isParent) || header.timeMs < trusted.header.timeMs)
    throw new LightError({ code: "NOT_A_SUCCESSOR", trusted: from, epoch });
  if (epoch <= from + ADJACENT_EPOCHS) {
    const { nextValidatorsHash, afterNextValidatorsHash } = trusted.header;
    const named = epoch === from + 1 ? nextValidatorsHash : afterNextValidatorsHash;
    requireValidators(named, validators.members);
  } else if (!hasKnownSigners(trusted.members, block))
    throw new LightError({ code: "TOO_FAR", trusted: from, epoch });
  verifyCertificate(network, block);
  return { header, members: validators.members };
}

/**
 * Goes from a trusted header to that of `target`, in one step if it can, else through headers between that `fetch` brings.
 * `fetch` may bring a later epoch than asked for where the asked one has no certificate, but none above `target`.
 * Throws LightError, and whatever `fetch` throws.
 */
export async function advanceTo(
  network: LightNetwork,
  trusted: TrustedHeader,
  target: number,
  driver: {
    readonly fetch: (epoch: number) => Promise<LightBlock>;
    readonly nowMs: () => number;
  },
): Promise<TrustedHeader> {
  let at = trusted;
  let goal = target;
  for (let steps = 0; at.header.epoch < target; steps++) {
    const from = at.header.epoch;
    if (steps >= MAX_STEPS) throw new LightError({ code: "TOO_FAR", trusted: from, epoch: target });
    const block = await driver.fetch(goal);
    try {
      at = verifyStep(network, at, block, driver.nowMs());
      goal = target;
    } catch (error) {
      const isFar = error instanceof LightError && error.reason.code === "TOO_FAR";
      const half = from + Math.floor((Math.min(goal, block.header.epoch) - from) / 2);
      if (!isFar || half <= from) throw error;
      goal = half;
    }
  }
  return at;
}

/** Throws LightError TRUST_EXPIRED if the validators of the header may have taken their stake away since. */
function requireFresh({ trustPeriodMs }: LightNetwork, header: MacroHeader, nowMs: number): void {
  const ageMs = nowMs - header.timeMs;
  if (trustPeriodMs > 0 && ageMs > trustPeriodMs)
    throw new LightError({ code: "TRUST_EXPIRED", epoch: header.epoch, ageMs });
}

function requireValidators(expected: Hash, members: Members): void {
  const got = hashOf(members);
  if (got !== expected) throw new LightError({ code: "OTHER_VALIDATORS", expected, got });
}

function hashOf(members: Members): Hash {
  try {
    return hashValidators(members);
  } catch (error) {
    throw refusal(0, error);
  }
}

/**
 * Whether signers hold more than a third of each trusted set. Who has another key than it is known by does not count: the
 * list of validators comes from whoever wants to be believed.
 */
function hasKnownSigners(trusted: Members, block: LightBlock): boolean {
  const signers = new Set(signersIn(block));
  const keys = new Map(block.validators.members.map(({ id, keyHash }) => [id, keyHash]));
  let [old, oldTotal, young, youngTotal] = [0n, 0n, 0n, 0n];
  for (const { id, keyHash, stakeOld, stakeNew } of trusted) {
    oldTotal += stakeOld;
    youngTotal += stakeNew;
    if (!signers.has(id) || keys.get(id) !== keyHash) continue;
    old += stakeOld;
    young += stakeNew;
  }
  return 3n * old > oldTotal && 3n * young > youngTotal;
}

function signersIn({ header, certificate, validators }: LightBlock): readonly number[] {
  const { epoch } = header;
  try {
    const signers = signersOf(certificate.bitmap, validators.members, "ackQC");
    if (signers.length === certificate.signatures.length) return signers;
  } catch (error) {
    throw refusal(epoch, error);
  }
  throw new LightError({ code: "BAD_CERTIFICATE", epoch, problem: "signers without signatures" });
}

function refusal(epoch: number, error: unknown): unknown {
  if (!(error instanceof DecodeError)) return error;
  const problem = error.message;
  return new LightError({ code: "BAD_CERTIFICATE", epoch, problem }, { cause: error });
}

function publicKeyOf({ keys }: ValidatorList, keyHash: Hash | undefined): Bytes | undefined {
  const key = keyHash === undefined ? undefined : keys.get(keyHash);
  return key !== undefined && keccakHash(key) === keyHash ? key : undefined;
}
