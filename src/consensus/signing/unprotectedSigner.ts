/**
 * Signs whatever it is asked to, and remembers nothing. For a chain with `dev: true` alone: its validator's key is public,
 * and its user may go back behind what was signed.
 */
import type { Bytes } from "../../primitives/bytes.ts";
import type { Hash } from "../../primitives/hex.ts";
import { consensusMessage, type MessageDomain } from "../../types/consensusMessage.ts";
import type { Signer } from "../signatureWork.ts";
import { bodyOf, type ValidatorMessage } from "./signingRules.ts";
import type { SigningKey } from "./validatorSigner.ts";

/** A key without slashing protection. */
export class UnprotectedSigner implements Signer {
  readonly #key: SigningKey;
  readonly #domain: MessageDomain;

  constructor(key: SigningKey, domain: MessageDomain) {
    this.#key = key;
    this.#domain = domain;
  }

  get keyHash(): Hash {
    return this.#key.keyHash;
  }

  sign(message: ValidatorMessage): Promise<Bytes> {
    const { kind, body } = bodyOf(message);
    return this.#key.sign(consensusMessage(this.#domain, kind, body));
  }

  commitSecret(epoch: number, tgtHash: Hash): Hash {
    return this.#key.commitSecret(epoch, tgtHash);
  }

  /** Others may have the key as well: it is public. */
  noteSeen(): Promise<boolean> {
    return Promise.resolve(true);
  }
}
