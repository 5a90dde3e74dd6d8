/** What `config.qnet` of the genesis adds to Ethereum's rules, and when: the precompile map and transactions of type 0x51. */
import { PQ_ALGORITHMS, type PqAlgorithmName } from "../crypto/pqAlgorithms.ts";
import type { PqTransactionsConfig, PrecompileEntry } from "./qnetConfig.ts";

/** Entries of the map that are active together. */
export type ActivePrecompiles = readonly PrecompileEntry[];

/** Prices of transactions of type 0x51. */
export interface PqTransactionRules {
  /** Gas per byte of public key and signature */
  readonly witnessGasPerByte: bigint;
  /** Gas of one verification; algorithms that are missing may not sign */
  readonly verifyGas: ReadonlyMap<PqAlgorithmName, bigint>;
}

/** The extensions in force in one block. */
export interface Extensions {
  readonly precompiles: ActivePrecompiles;
  /** undefined: type 0x51 is unknown */
  readonly pqTransactions: PqTransactionRules | undefined;
}

/** The sections of the genesis that say so. */
export interface ExtensionConfig {
  readonly precompiles?: readonly PrecompileEntry[] | undefined;
  readonly pqTransactions?: PqTransactionsConfig | undefined;
}

/** The extensions cut into periods between the points at which one comes or goes. Immutable. */
export class ExtensionSchedule {
  /** Times at which something changes, in seconds, ascending and without repetition. */
  readonly points: readonly bigint[];
  /** Extensions before the first point, then from each point on. */
  readonly #periods: readonly Extensions[];

  constructor({ precompiles = [], pqTransactions }: ExtensionConfig = {}) {
    const times = precompiles.flatMap(({ time, until }) =>
      until === undefined ? [time] : [time, until],
    );
    if (pqTransactions !== undefined) times.push(pqTransactions.time);
    this.points = [...new Set(times)].filter((at) => at > 0n).sort((a, b) => (a < b ? -1 : 1));
    const signed = pqTransactions && rulesOf(pqTransactions);
    this.#periods = [0n, ...this.points].map((at) => ({
      precompiles: precompiles.filter(
        ({ time, until }) => time <= at && (until === undefined || at < until),
      ),
      pqTransactions: pqTransactions && pqTransactions.time <= at ? signed : undefined,
    }));
  }

  /** Index of the period that holds this time, in seconds. */
  periodAt(timestamp: bigint): number {
    const later = this.points.findIndex((at) => timestamp < at);
    return later < 0 ? this.points.length : later;
  }

  /** Extensions of a period. */
  activeIn(period: number): Extensions {
    return this.#periods[period] ?? { precompiles: [], pqTransactions: undefined };
  }
}

function rulesOf({ witnessGasPerByte, verifyGas }: PqTransactionsConfig): PqTransactionRules {
  const prices = new Map<PqAlgorithmName, bigint>();
  for (const name of PQ_ALGORITHMS) {
    const price = verifyGas[name];
    if (price !== undefined) prices.set(name, price);
  }
  return { witnessGasPerByte, verifyGas: prices };
}
