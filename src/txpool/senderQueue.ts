/** The waiting transactions of one sender, in nonce order without doubles. */
import type { Address } from "../primitives/hex.ts";
import type { BlobSidecar } from "../types/blobSidecar.ts";
import type { Transaction } from "../types/transaction.ts";

/** Who brought a transaction: a caller of this node or a peer. */
export type Origin = "local" | "peer";

/** A transaction in the pool. */
export interface PoolEntry {
  readonly transaction: Transaction;
  readonly sender: Address;
  readonly origin: Origin;
  /** Survives a restart. */
  readonly keep: boolean;
  /** Blobs, commitments and proofs of a type 3 transaction. */
  readonly sidecar: BlobSidecar | undefined;
  /** Order of arrival in this pool. */
  readonly arrival: number;
  readonly addedMs: number;
  /** Raw bytes and sidecar. */
  readonly sizeBytes: number;
  /** The most it can cost its sender, wei. */
  readonly cost: bigint;
}

/** What the head state says of an account. */
export interface PoolAccount {
  readonly nonce: bigint;
  /** wei */
  readonly balance: bigint;
}

/** Lowest fees from the first entry up to one: no entry runs before those that stand ahead of it. */
interface Floor {
  readonly tip: bigint;
  readonly fee: bigint;
}

/** One sender's transactions. The first `executable` ones follow the account's nonce without a gap. */
export class SenderQueue {
  readonly sender: Address;
  /** In nonce order. */
  readonly entries: PoolEntry[] = [];
  readonly #floors: Floor[] = [];
  #nonce: bigint;
  #balance: bigint;
  #executable = 0;
  #cost = 0n;
  #bytes = 0;
  /** Head for which nonce and balance hold; the pool compares it with its own. */
  epoch: number;
  /** Spared by eviction. */
  local = false;
  /** Last insertion, for expiry. */
  activeMs = 0;

  constructor(sender: Address, account: PoolAccount, epoch: number) {
    this.sender = sender;
    this.#nonce = account.nonce;
    this.#balance = account.balance;
    this.epoch = epoch;
  }

  /** The account's nonce at head. */
  get nonce(): bigint {
    return this.#nonce;
  }

  /** wei */
  get balance(): bigint {
    return this.#balance;
  }

  /** How many entries can run one after the other now. */
  get executable(): number {
    return this.#executable;
  }

  /** The nonce that the sender's next transaction should have. */
  get nextNonce(): bigint {
    return this.#nonce + BigInt(this.#executable);
  }

  /** The most that all entries together can cost, wei. */
  get cost(): bigint {
    return this.#cost;
  }

  /** Raw bytes and sidecars of all entries. */
  get bytes(): number {
    return this.#bytes;
  }

  get tail(): PoolEntry | undefined {
    return this.entries.at(-1);
  }

  /** Tip that a block's producer gets at most from the tail and all that stand before it; negative: below the base fee. */
  tailTip(baseFee: bigint): bigint {
    const floor = this.#floors.at(-1);
    return floor === undefined ? 0n : effectiveTip(floor.tip, floor.fee, baseFee);
  }

  find(nonce: bigint): PoolEntry | undefined {
    const entry = this.entries[this.#position(nonce)];
    return entry?.transaction.nonce === nonce ? entry : undefined;
  }

  /** The entry with `nonce`, if it can run once those before it have. */
  executableAt(nonce: bigint): PoolEntry | undefined {
    const index = Number(nonce - this.#nonce);
    return index >= 0 && index < this.#executable ? this.entries[index] : undefined;
  }

  /** Puts an entry in its place; the one of the same nonce, if any, is returned and gone. */
  insert(entry: PoolEntry): PoolEntry | undefined {
    const { nonce } = entry.transaction;
    const index = this.#position(nonce);
    const old = this.entries[index];
    const replaced = old?.transaction.nonce === nonce ? old : undefined;
    this.entries.splice(index, replaced === undefined ? 0 : 1, entry);
    if (replaced === undefined) this.#floors.splice(index, 0, { tip: 0n, fee: 0n });
    this.#cost += entry.cost - (replaced?.cost ?? 0n);
    this.#bytes += entry.sizeBytes - (replaced?.sizeBytes ?? 0);
    this.#lowerFloors(index);
    this.#extend();
    return replaced;
  }

  /** Takes one entry out; those behind it are no longer executable. */
  remove(nonce: bigint): PoolEntry | undefined {
    const index = this.#position(nonce);
    const entry = this.entries[index];
    if (entry?.transaction.nonce !== nonce) return undefined;
    this.entries.splice(index, 1);
    this.#floors.splice(index, 1);
    this.#cost -= entry.cost;
    this.#bytes -= entry.sizeBytes;
    this.#executable = Math.min(this.#executable, index);
    this.#lowerFloors(index);
    return entry;
  }

  /** Adopts the account's state at the head `epoch` and returns the entries whose nonce is used up: they are gone. */
  update(account: PoolAccount, epoch: number): readonly PoolEntry[] {
    this.epoch = epoch;
    this.#balance = account.balance;
    if (account.nonce === this.#nonce) return [];
    const rose = account.nonce > this.#nonce;
    this.#nonce = account.nonce;
    if (!rose) {
      this.#executable = 0;
      this.#extend();
      return [];
    }
    const count = this.#position(account.nonce);
    const stale = this.entries.splice(0, count);
    this.#floors.splice(0, count);
    for (const entry of stale) {
      this.#cost -= entry.cost;
      this.#bytes -= entry.sizeBytes;
    }
    this.#executable = Math.max(0, this.#executable - count);
    this.#lowerFloors(0);
    this.#extend();
    return stale;
  }

  /** First position whose nonce is not below `nonce`; a new highest nonce is the common case. */
  #position(nonce: bigint): number {
    const { entries } = this;
    let high = entries.length;
    const last = entries[high - 1];
    if (last === undefined || last.transaction.nonce < nonce) return high;
    let low = 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = entries[middle];
      if (entry !== undefined && entry.transaction.nonce < nonce) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #extend(): void {
    let next = this.nextNonce;
    for (;;) {
      const entry = this.entries[this.#executable];
      if (entry === undefined || entry.transaction.nonce !== next) return;
      this.#executable++;
      next++;
    }
  }

  /** Sets the floors from `index` on, until one comes out as it was. */
  #lowerFloors(index: number): void {
    let before = index === 0 ? undefined : this.#floors[index - 1];
    for (let i = index; i < this.entries.length; i++) {
      const transaction = this.entries[i]?.transaction;
      const old = this.#floors[i];
      if (transaction === undefined || old === undefined) return;
      const tip = lower(transaction.maxPriorityFeePerGas, before?.tip);
      const fee = lower(transaction.maxFeePerGas, before?.fee);
      if (i > index && old.tip === tip && old.fee === fee) return;
      before = { tip, fee };
      this.#floors[i] = before;
    }
  }
}

function lower(value: bigint, other: bigint | undefined): bigint {
  return other !== undefined && other < value ? other : value;
}

/** Tip per gas at `baseFee`, wei; negative when the fee does not reach the base fee. */
export function effectiveTip(maxTip: bigint, maxFee: bigint, baseFee: bigint): bigint {
  const room = maxFee - baseFee;
  return room < maxTip ? room : maxTip;
}
