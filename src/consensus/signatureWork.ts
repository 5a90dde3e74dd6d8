/** The core's wishes about signatures: checking those of others, and making own ones through the signers. */
import type { PqVerifier } from "../crypto/pqVerifier.ts";
import { EMPTY_BYTES } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import { Turns } from "../runtime/turns.ts";
import {
  commitHash,
  consensusMessage,
  MESSAGE_KIND,
  type MessageDomain,
} from "../types/consensusMessage.ts";
import { decodeSeal } from "../types/seal.ts";
import { decodeAck, decodeVote } from "../types/vote.ts";
import type { DueReveal, SignatureCheck, SignedMessage, SignRequest } from "./core/events.ts";
import { SigningError } from "./signing/signingError.ts";
import type { ValidatorMessage } from "./signing/signingRules.ts";
import type { ValidatorSigner } from "./signing/validatorSigner.ts";
import type { ValidatorKeys } from "./validatorKeys.ts";

/**
 * ms of checking before others get the thread: ticks come each 250 ms and blocks are built in 100. A certificate of 100
 * validators, 11 ms on a quiet machine, comes once an epoch; the hop to a worker would cost as much as a check.
 */
const VERIFY_TURN_MS = 4;

/** Who signs with one validator's key. */
export type Signer = Pick<ValidatorSigner, "keyHash" | "sign" | "commitSecret" | "noteSeen">;

export interface SignatureWorkDependencies {
  readonly verifier: PqVerifier;
  readonly keys: Pick<ValidatorKeys, "get">;
  /** By the hash of their key. */
  readonly signers: ReadonlyMap<Hash, Signer>;
  readonly domain: MessageDomain;
  readonly log: Logger;
}

/** Verifies and signs. */
export class SignatureWork {
  readonly #deps: SignatureWorkDependencies;

  constructor(dependencies: SignatureWorkDependencies) {
    this.#deps = dependencies;
  }

  /** One answer for each check; others get the thread in between. A message of an own key that is not its signer's stops that signer. */
  async verify(checks: readonly SignatureCheck[]): Promise<readonly boolean[]> {
    const turns = new Turns(VERIFY_TURN_MS);
    const valid: boolean[] = [];
    for (const check of checks) {
      const isValid = this.#isValid(check);
      valid.push(isValid);
      if (isValid) await this.noteSeen(check);
      await turns.next();
    }
    return valid;
  }

  /** Tells the signer of a message that its key has signed. */
  async noteSeen({ kind, body, keyHash }: Omit<SignatureCheck, "signature">): Promise<void> {
    const signer = this.#deps.signers.get(keyHash);
    const message = messageOf(kind, body);
    if (signer === undefined || message === undefined) return;
    if (await signer.noteSeen(message)) return;
    this.#deps.log.error(
      "Another process signs with this validator's key, or its signing records are old; it signs no more",
      {
        keyHash,
        message: message.type,
      },
    );
  }

  /** The signed message; undefined: the signer refused, or there is none for this key. */
  async sign(request: SignRequest): Promise<SignedMessage | undefined> {
    const { signers, log } = this.#deps;
    const signer = signers.get(request.keyHash);
    if (signer === undefined) return undefined;
    try {
      return await this.#signWith(signer, request);
    } catch (error) {
      if (!(error instanceof SigningError)) throw error;
      log.warn("ValidatorSigner refused", { message: request.type, problem: error.message });
      return undefined;
    }
  }

  /** The secret that opens this commitment; undefined if it is not this node's. */
  secretOf({ epoch, targetHash, commit, keyHash }: DueReveal, validator: number): Hash | undefined {
    const { signers, domain } = this.#deps;
    const secret = signers.get(keyHash)?.commitSecret(epoch, targetHash);
    if (secret === undefined) return undefined;
    return commitHash(domain, validator, epoch, secret) === commit ? secret : undefined;
  }

  async #signWith(signer: Signer, request: SignRequest): Promise<SignedMessage> {
    if (request.type === "seal")
      return { type: "seal", signature: await signer.sign({ type: "seal", seal: request.seal }) };
    if (request.type === "ack")
      return { type: "ack", signature: await signer.sign({ type: "ack", ack: request.ack }) };
    const { validator, tgtEpoch, tgtHash } = request.vote;
    const secret = signer.commitSecret(tgtEpoch + 1, tgtHash);
    const commit = commitHash(this.#deps.domain, validator, tgtEpoch + 1, secret);
    const vote = { ...request.vote, commit };
    return { type: "vote", vote, signature: await signer.sign({ type: "vote", vote }) };
  }

  #isValid({ kind, body, keyHash, signature }: SignatureCheck): boolean {
    const { keys, verifier, domain } = this.#deps;
    const key = keys.get(keyHash);
    if (key === undefined) return false;
    const message = consensusMessage(domain, kind, body);
    return verifier.verify("ML-DSA-44", key, message, signature, EMPTY_BYTES);
  }
}

function messageOf(kind: number, body: Uint8Array): ValidatorMessage | undefined {
  if (kind === MESSAGE_KIND.seal) return { type: "seal", seal: decodeSeal(body) };
  if (kind === MESSAGE_KIND.vote) return { type: "vote", vote: decodeVote(body) };
  return kind === MESSAGE_KIND.ack ? { type: "ack", ack: decodeAck(body) } : undefined;
}
