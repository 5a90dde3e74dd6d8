/** What an operator may set of the pool, and the defaults. */
import type { AdmissionPolicy } from "./admit.ts";
import type { ContentLimits } from "./contents.ts";

export interface PoolOptions extends ContentLimits, AdmissionPolicy {
  /** Transactions of one sender that may wait for a missing nonce. */
  readonly gappedSlots: number;
  /** Percent by which a replacement raises both fees. */
  readonly priceBump: bigint;
  /** How long a transaction of a peer waits for a missing nonce. */
  readonly lifetimeMs: number;
}

const DEFAULT_SLOTS = 50_000;

/** Defaults outside a dev chain. */
export const DEFAULT_POOL_OPTIONS: PoolOptions = {
  globalSlots: DEFAULT_SLOTS,
  accountSlots: 16,
  localSlots: DEFAULT_SLOTS / 2,
  gappedSlots: 64,
  maxBytes: 128 * 1024 * 1024,
  priceBump: 10n,
  priceLimit: 1n,
  lifetimeMs: 3 * 3_600_000,
  allowUnprotected: false,
  txFeeCap: 10n ** 18n,
};

/** `gappedSlots` of a dev chain. */
export const DEV_GAPPED_SLOTS = 1_024;
