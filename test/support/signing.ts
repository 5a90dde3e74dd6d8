/** Messages to sign, a key that remembers what it signed, and a store that dies while it writes. */

import type { SigningStore } from "../../src/consensus/signing/protectionLog.ts";
import type { SigningIdentity } from "../../src/consensus/signing/signingError.ts";
import { bodyOf, type ValidatorMessage } from "../../src/consensus/signing/signingRules.ts";
import type { SigningKey } from "../../src/consensus/signing/validatorSigner.ts";
import type { Bytes } from "../../src/primitives/bytes.ts";
import { bigIntToHash, bytesToHash, type Hash } from "../../src/primitives/hex.ts";
import type { WriteOp } from "../../src/storage/columns.ts";
import type { Database } from "../../src/storage/database.ts";
import { consensusMessage } from "../../src/types/consensusMessage.ts";
import { contradiction, isDoubleSeal } from "../../src/types/evidence.ts";

/** `fork` tells messages of one place apart. */
export function seal(slot: number, seq: number, fork = 1): ValidatorMessage {
  const blockHash = bigIntToHash(BigInt(fork));
  return { type: "seal", seal: { number: slot + 1, slot, seq, tick: seq, proposer: 3, blockHash } };
}

export function vote(srcEpoch: number, tgtEpoch: number, fork = 1): ValidatorMessage {
  const hash = bigIntToHash(BigInt(fork));
  const ends = { srcEpoch, srcHash: hash, tgtEpoch, tgtHash: hash };
  return { type: "vote", vote: { validator: 3, ...ends, commit: hash } };
}

export function ack(epoch: number, fork = 1): ValidatorMessage {
  return { type: "ack", ack: { validator: 3, epoch, macroHash: bigIntToHash(BigInt(fork)) } };
}

export function identityOf(key: SigningKey): SigningIdentity {
  return { keyHash: key.keyHash, chainId: 31_337n, salt: bigIntToHash(0x11n) };
}

/** Whether the staking contract would slash for these two. */
export function isSlashablePair(a: ValidatorMessage, b: ValidatorMessage): boolean {
  if (a.type === "seal") return b.type === "seal" && isDoubleSeal(a.seal, b.seal);
  if (b.type === "seal") return false;
  return contradiction(a, b) !== undefined;
}

/** A key that is quick and remembers every message it signed, released or not. */
export class RecordingKey implements SigningKey {
  readonly publicKey: Bytes;
  readonly keyHash: Hash;
  readonly #key: SigningKey;
  readonly #roots = new Set<Hash>();

  constructor(key: SigningKey) {
    this.#key = key;
    this.publicKey = key.publicKey;
    this.keyHash = key.keyHash;
  }

  sign(message: Bytes): Promise<Bytes> {
    this.#roots.add(bytesToHash(message));
    return Promise.resolve(new Uint8Array(2420));
  }

  commitSecret(epoch: number, tgtHash: Hash): Hash {
    return this.#key.commitSecret(epoch, tgtHash);
  }

  /** Which of these messages it signed, each once. */
  signed(
    messages: readonly ValidatorMessage[],
    identity: SigningIdentity,
  ): readonly ValidatorMessage[] {
    const found = new Map<Hash, ValidatorMessage>();
    for (const message of messages) {
      const { kind, body } = bodyOf(message);
      const root = bytesToHash(consensusMessage(identity, kind, body));
      if (this.#roots.has(root)) found.set(root, message);
    }
    return [...found.values()];
  }
}

/** A write that fails: after so many others, with its effect or without. */
export interface PlannedCrash {
  readonly after: number;
  readonly applied: boolean;
}

/** A database that dies as planned. What was written without sync is lost with a crash, unless a synced write came after it. */
export class CrashingStore implements SigningStore {
  readonly #database: Database;
  readonly #plan: PlannedCrash[];
  #writes = 0;
  #unsynced: WriteOp[] = [];
  #silent = false;

  constructor(database: Database, plan: readonly PlannedCrash[]) {
    this.#database = database;
    this.#plan = [...plan];
  }

  get: SigningStore["get"] = (column, key) => this.#database.get(column, key);

  iterate: SigningStore["iterate"] = (column, range) => this.#database.iterate(column, range);

  async batch(ops: readonly WriteOp[], options?: { readonly sync?: boolean }): Promise<void> {
    if (this.#silent) return;
    const next = this.#plan[0];
    const crashes = next !== undefined && this.#writes >= next.after;
    this.#writes++;
    if (!crashes || next.applied) await this.#apply(ops, options?.sync ?? true);
    if (!crashes) return;
    this.#plan.shift();
    this.#writes = 0;
    throw new Error("crash");
  }

  /** From now on nothing that is written stays, and nobody is told. */
  loseSilently(): void {
    this.#silent = true;
  }

  /** The process ended. */
  crash(): void {
    this.#unsynced = [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #apply(ops: readonly WriteOp[], sync: boolean): Promise<void> {
    this.#unsynced.push(...ops);
    if (!sync) return;
    await this.#database.batch(this.#unsynced);
    this.#unsynced = [];
  }
}
