/** Evidence from outside: two contradicting messages count when keys that the validator has or had signed both. */
import { readStakedKeyAt, readStakedValidator, type StakingSource } from "../chain/stakingState.ts";
import { keccakHash } from "../crypto/keccak.ts";
import type { PqVerifier } from "../crypto/pqVerifier.ts";
import { EMPTY_BYTES } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import type { Address } from "../primitives/hex.ts";
import { consensusMessage, MESSAGE_KIND, type MessageDomain } from "../types/consensusMessage.ts";
import { decodeEvidence, type EvidenceMessage, offenceOf } from "../types/evidence.ts";
import { DecodeError } from "../types/rlp.ts";
import { decodeSeal, SEAL_BODY_BYTES } from "../types/seal.ts";
import { decodeAck, decodeVote, VOTE_BODY_BYTES } from "../types/vote.ts";
import type { EvidenceSide, FoundEvidence } from "./core/events.ts";

export type EvidenceErrorReason =
  | { readonly code: "BAD_EVIDENCE"; readonly problem: string }
  | { readonly code: "UNKNOWN_VALIDATOR"; readonly validator: number };

/** Evidence that proves nothing. */
export class EvidenceError extends NodeError<EvidenceErrorReason> {}

/** Where keys are read and signatures checked. */
export interface EvidenceJudge {
  readonly state: StakingSource;
  readonly staking: Address;
  readonly verifier: PqVerifier;
  readonly domain: MessageDomain;
}

/** The contradiction that these bytes (RLP of Evidence) prove. Throws EvidenceError. */
export function judgeEvidence(judge: EvidenceJudge, raw: Uint8Array): FoundEvidence {
  const evidence = decoded(raw);
  const offence = offenceOf(evidence);
  const a = messageOf(evidence.a.body);
  if (offence === undefined || a === undefined)
    throw new EvidenceError({ code: "BAD_EVIDENCE", problem: "the messages do not contradict" });
  const { validator } = a;
  return {
    offence,
    validator,
    a: judgedSide(judge, validator, evidence.a),
    b: judgedSide(judge, validator, evidence.b),
  };
}

function decoded(raw: Uint8Array) {
  try {
    return decodeEvidence(raw);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new EvidenceError({ code: "BAD_EVIDENCE", problem: error.message }, { cause: error });
  }
}

function judgedSide(
  { state, staking, verifier, domain }: EvidenceJudge,
  validator: number,
  { key, body, signature }: EvidenceMessage,
): EvidenceSide {
  const { kind } = messageOf(body) ?? { kind: 0 };
  const newest = readStakedValidator(state, staking, validator);
  if (newest === undefined) throw new EvidenceError({ code: "UNKNOWN_VALIDATOR", validator });
  const publicKey = readStakedKeyAt(state, staking, { id: validator, index: key });
  const message = consensusMessage(domain, kind, body);
  if (
    publicKey === undefined ||
    !verifier.verify("ML-DSA-44", publicKey, message, signature, EMPTY_BYTES)
  ) {
    const problem = `no signature of key ${key} of validator ${validator}`;
    throw new EvidenceError({ code: "BAD_EVIDENCE", problem });
  }
  return { body, signature, keyHash: keccakHash(publicKey) };
}

function messageOf(body: Uint8Array) {
  if (body.length === SEAL_BODY_BYTES)
    return { kind: MESSAGE_KIND.seal, validator: decodeSeal(body).proposer };
  if (body.length === VOTE_BODY_BYTES)
    return { kind: MESSAGE_KIND.vote, validator: decodeVote(body).validator };
  return { kind: MESSAGE_KIND.ack, validator: decodeAck(body).validator };
}
