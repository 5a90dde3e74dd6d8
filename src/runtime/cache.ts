/** A cache with a limit, least recently used out first. */
import { LRUCache } from "lru-cache";

/**
 * At most `entries` values; with `bytes` and `sizeOf` also at most that many bytes of values. A value that is larger by
 * itself is kept alone: whatever is so large was costly to make.
 */
export interface CacheLimits<V> {
  readonly entries: number;
  readonly bytes?: number;
  readonly sizeOf?: (value: V) => number;
}

/** Remembers what was used last within its limits. */
export class BoundedCache<K extends {}, V extends {}> {
  readonly #entries: LRUCache<K, V>;

  constructor(limits: CacheLimits<V>) {
    const { entries, bytes, sizeOf } = limits;
    this.#entries =
      bytes === undefined || sizeOf === undefined
        ? new LRUCache({ max: entries })
        : new LRUCache({
            max: entries,
            maxSize: bytes,
            sizeCalculation: (value) => Math.min(bytes, Math.max(1, sizeOf(value))),
          });
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key);
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  set(key: K, value: V): void {
    this.#entries.set(key, value);
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
