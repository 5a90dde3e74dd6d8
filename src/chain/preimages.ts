/**
 * Names of accounts and slots: the tries know their hashes only. A development chain notes each name with the block that
 * first wrote it, so that its whole state can be dumped; other chains do not pay for that.
 */
import { keccakHash } from "../crypto/keccak.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { type Hash, hexToBytes } from "../primitives/hex.ts";
import type { StateChanges } from "../state/state.ts";
import { columns, put, type WriteOp } from "../storage/columns.ts";
import type { Database } from "../storage/database.ts";
import type { Genesis } from "../types/genesis.ts";

/** Names remembered as noted; when full all are forgotten, and written once more when met again. */
const MAX_NOTED = 100_000;

/** The names of one chain. */
export class Preimages {
  readonly #database: Database;
  readonly #written: StateChanges["written"];
  readonly #enabled: boolean;
  readonly #noted = new Set<string>();
  #ofGenesis: ReadonlyMap<Hash, Bytes> | undefined;

  /** `written`: what block 0 wrote. */
  constructor(database: Database, genesis: Genesis, written: StateChanges["written"]) {
    this.#database = database;
    this.#enabled = genesis.config.qnet?.consensus?.dev === true;
    this.#written = this.#enabled ? written : new Map();
  }

  /** Writes that note what `changes` wrote to; part of their batch. */
  note(changes: StateChanges): WriteOp[] {
    if (!this.#enabled) return [];
    const operations: WriteOp[] = [];
    for (const [address, slots] of changes.written) {
      this.#noteOne(address, operations);
      for (const slot of slots) this.#noteOne(slot, operations);
    }
    return operations;
  }

  /** Address or slot whose keccak256 is `hash`. */
  find(hash: Hash): Bytes | undefined {
    return this.#database.get(columns.preimages, hash) ?? this.#genesisNames().get(hash);
  }

  #noteOne(name: `0x${string}`, operations: WriteOp[]): void {
    if (this.#noted.has(name)) return;
    if (this.#noted.size >= MAX_NOTED) this.#noted.clear();
    this.#noted.add(name);
    const bytes = hexToBytes(name);
    operations.push(put(columns.preimages, keccakHash(bytes), bytes));
  }

  #genesisNames(): ReadonlyMap<Hash, Bytes> {
    if (this.#ofGenesis !== undefined) return this.#ofGenesis;
    const names = new Map<Hash, Bytes>();
    const add = (name: string) => {
      const bytes = hexToBytes(name);
      names.set(keccakHash(bytes), bytes);
    };
    for (const [address, slots] of this.#written) {
      add(address);
      for (const slot of slots) add(slot);
    }
    this.#ofGenesis = names;
    return names;
  }
}
