/** What was verified, bounded: in memory, and in the database where that is on disk, so that it outlives the process. */
import { type Address, bytesToAddress, hexToBytes } from "../../src/primitives/hex.ts";
import { BoundedCache } from "../../src/runtime/cache.ts";
import { columns, del, put, type WriteOp } from "../../src/storage/columns.ts";
import type { Database } from "../../src/storage/database.ts";
import type { CompiledContract, CompileRequest } from "./compiler.ts";
import type { Match } from "./match.ts";

/** A contract whose sources are known; JSON holds all of it. */
export interface Verified {
  readonly match: Match;
  readonly runtimeMatch?: Match | undefined;
  readonly creationMatch?: Match | undefined;
  readonly verifiedAtMs: number;
  readonly request: CompileRequest;
  readonly contract: CompiledContract;
  /** keccak256 of the code it holds for */
  readonly codeHash: string;
}

/** How much is kept; the oldest goes first. */
export interface VerifiedLimits {
  readonly entries: number;
  /** Bytes of JSON on disk, of the compiler's input in memory */
  readonly bytes: number;
}

const defaultLimits: VerifiedLimits = { entries: 1_000, bytes: 256 << 20 };

interface Entry {
  readonly atMs: bigint;
  readonly bytes: number;
}

/** Verified contracts by address. One writer: `set` is not to be called before the last one is done. */
export class VerifiedStore {
  readonly #limits: VerifiedLimits;
  readonly #recent: BoundedCache<Address, Verified>;
  readonly #database: Database | undefined;
  /** What is on disk; read at the first write. */
  #onDisk: Map<Address, Entry> | undefined;

  constructor(database: Database, limits: VerifiedLimits = defaultLimits) {
    this.#database = database.onDisk ? database : undefined;
    this.#limits = limits;
    this.#recent = new BoundedCache({
      ...limits,
      sizeOf: ({ request }) => JSON.stringify(request.input).length * 2,
    });
  }

  /** Throws StorageError. */
  get(address: Address): Verified | undefined {
    const known = this.#recent.get(address);
    if (known !== undefined) return known;
    const stored = this.#database?.get(columns.verified, hexToBytes(address));
    if (stored === undefined) return undefined;
    const found: Verified = JSON.parse(new TextDecoder().decode(stored.bytes));
    this.#recent.set(address, found);
    return found;
  }

  /** Keeps a contract; on disk, where there is one, when the promise resolves. Throws StorageError, and keeps nothing then. */
  async set(address: Address, verified: Verified): Promise<void> {
    if (this.#database !== undefined) await this.#write(this.#database, address, verified);
    this.#recent.set(address, verified);
  }

  async #write(database: Database, address: Address, verified: Verified): Promise<void> {
    this.#onDisk ??= await entriesOf(database);
    const bytes = new TextEncoder().encode(JSON.stringify(verified));
    const atMs = BigInt(verified.verifiedAtMs);
    const kept = new Map(this.#onDisk);
    kept.delete(address);
    kept.set(address, { atMs, bytes: bytes.length });
    const dropped = dropOldest(kept, address, this.#limits);
    const operations: WriteOp[] = dropped.map((old) => del(columns.verified, hexToBytes(old)));
    operations.push(put(columns.verified, hexToBytes(address), { atMs, bytes }));
    await database.batch(operations);
    for (const old of dropped) this.#recent.delete(old);
    this.#onDisk = kept;
  }
}

async function entriesOf(database: Database): Promise<Map<Address, Entry>> {
  const found: [Address, Entry][] = [];
  for await (const [key, { atMs, bytes }] of database.iterate(columns.verified))
    found.push([bytesToAddress(key), { atMs, bytes: bytes.length }]);
  return new Map(found);
}

/** Removes the oldest until the rest is within the limits, never `newest`. Gives the addresses that were removed. */
function dropOldest(kept: Map<Address, Entry>, newest: Address, limits: VerifiedLimits): Address[] {
  let total = 0;
  for (const { bytes } of kept.values()) total += bytes;
  const dropped: Address[] = [];
  const byAge = [...kept].sort(([, a], [, b]) => Number(a.atMs - b.atMs));
  for (const [address, { bytes }] of byAge) {
    if (kept.size <= limits.entries && total <= limits.bytes) break;
    if (address === newest) continue;
    kept.delete(address);
    total -= bytes;
    dropped.push(address);
  }
  return dropped;
}
