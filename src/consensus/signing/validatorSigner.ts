/**
 * The one place where a validator's key signs. Owns the key and its records; promises that no two signatures which ever
 * left it contradict each other, whatever crashes, restarts or is restored in between.
 * Path of a request: turn in the queue → repeated? the stored signature → rules → intent on disk → sign (thread of
 * libuv's pool) → signature stored → released.
 * Two processes with one copy of the records are kept apart by the database's lock; two copies of the records by
 * `noteSeen`: a message of the own key that is not recorded stops the signer for good, until the operator says otherwise.
 */

import type { Bytes } from "../../primitives/bytes.ts";
import { bytesToHash, type Hash } from "../../primitives/hex.ts";
import { SerialQueue } from "../../runtime/queue.ts";
import { consensusMessage, type MessageDomain } from "../../types/consensusMessage.ts";
import type { ProtectionLog } from "./protectionLog.ts";
import { SigningError } from "./signingError.ts";
import {
  bodyOf,
  describePlace,
  placeOf,
  refusalOf,
  refusalOfRepeat,
  type SigningBounds,
  type ValidatorMessage,
} from "./signingRules.ts";

/** A secret key; MlDsaKey, or hardware. */
export interface SigningKey {
  readonly publicKey: Bytes;
  /** keccak256 of the public key */
  readonly keyHash: Hash;
  sign(message: Bytes): Promise<Bytes>;
  commitSecret(epoch: number, tgtHash: Hash): Hash;
}

/** Requests that may wait. A leader makes at most 8 seals, a vote and an ack at a time. */
const MAX_WAITING = 64;

/** Signs for one validator key on one network. */
export class ValidatorSigner {
  readonly #key: SigningKey;
  readonly #log: ProtectionLog;
  readonly #domain: MessageDomain;
  readonly #queue = new SerialQueue({ name: "signer", limit: MAX_WAITING });

  /** The log must be the key's. Throws SigningError WRONG_RECORDS. */
  constructor(dependencies: { readonly key: SigningKey; readonly log: ProtectionLog }) {
    const { key, log } = dependencies;
    if (log.identity.keyHash !== key.keyHash)
      throw new SigningError({
        code: "WRONG_RECORDS",
        expected: key.keyHash,
        got: log.identity.keyHash,
      });
    this.#key = key;
    this.#log = log;
    this.#domain = { chainId: log.identity.chainId, salt: log.identity.salt };
  }

  get publicKey(): Bytes {
    return this.#key.publicKey;
  }

  /** keccak256 of the public key */
  get keyHash(): Hash {
    return this.#key.keyHash;
  }

  /** Highest positions that this key may have signed. */
  get bounds(): SigningBounds {
    return this.#log.bounds;
  }

  /** No message was ever recorded here. */
  get isNew(): boolean {
    return this.#log.isNew;
  }

  /** Signature over the message, 2420 bytes; the stored one if it was asked for before. Throws SigningError, QueueError, StorageError. */
  sign(message: ValidatorMessage): Promise<Bytes> {
    return this.#queue.run(() => this.#sign(message));
  }

  /** The secret whose commitment goes into the vote for `tgtHash`, revealed in `epoch`. */
  commitSecret(epoch: number, tgtHash: Hash): Hash {
    return this.#key.commitSecret(epoch, tgtHash);
  }

  /**
   * Tells of a message with this key's valid signature, from the chain or the network. False: it is not from these records,
   * and nothing will be signed from now on.
   */
  noteSeen(message: ValidatorMessage): Promise<boolean> {
    return this.#queue.run(async () => {
      const place = placeOf(message);
      if (this.#log.judgeSeen(place, bytesToHash(this.#rootOf(message))) !== "foreign") return true;
      await this.#log.recordForeign(place, describePlace(place));
      return false;
    });
  }

  /** Goes on after a foreign message, on the operator's word that no other process signs; nothing at or below `floor` is signed. */
  adopt(floor: SigningBounds): Promise<void> {
    return this.#queue.run(() => this.#log.adopt(floor));
  }

  /** Ends what runs and closes the records. */
  async close(): Promise<void> {
    await this.#queue.close();
    await this.#log.close();
  }

  #rootOf(message: ValidatorMessage): Bytes {
    const { kind, body } = bodyOf(message);
    return consensusMessage(this.#domain, kind, body);
  }

  async #sign(message: ValidatorMessage): Promise<Bytes> {
    const { foreign } = this.#log;
    if (foreign !== undefined) throw new SigningError({ code: "FOREIGN_MESSAGE", seen: foreign });
    const place = placeOf(message);
    const bytes = this.#rootOf(message);
    const root = bytesToHash(bytes);
    const before = this.#log.recordAt(place);
    const isRepeated = before?.root === root;
    if (isRepeated && before.signature !== undefined) return before.signature;
    // an intent that no signature followed may have been overtaken since, by an import or on the operator's word
    const refuses = isRepeated ? refusalOfRepeat : refusalOf;
    const refusal = refuses(place, this.#log.bounds, this.#log.votes);
    if (refusal !== undefined) throw new SigningError(refusal);
    if (!isRepeated) await this.#log.recordIntent(place, root);
    const signature = await this.#key.sign(bytes);
    await this.#log.recordSignature({ ...place, root, signature });
    return signature;
  }
}
