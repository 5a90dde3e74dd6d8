/**
 * Metrics for Prometheus. Each folder declares its list once in its own `metrics.ts` with `satisfies MetricSpecs` and
 * registers it with the node's `Metrics`; names are `qnet_<folder>_<name>`.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** One metric. Labels take small fixed sets of values only. */
export interface MetricSpec {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels?: readonly string[];
  /** Upper bounds of a histogram, in the unit that its name ends with. */
  readonly buckets?: readonly number[];
}

export type MetricSpecs = Readonly<Record<string, MetricSpec>>;

export type Labels = Readonly<Record<string, string>>;

export interface CounterHandle {
  add(amount?: number, labels?: Labels): void;
}
export interface GaugeHandle {
  set(value: number, labels?: Labels): void;
  /** Reads the value when the page is fetched; for what is cheap to ask and changes often. */
  read(from: () => number): void;
}
export interface HistogramHandle {
  observe(value: number, labels?: Labels): void;
}

interface HandleOf {
  readonly counter: CounterHandle;
  readonly gauge: GaugeHandle;
  readonly histogram: HistogramHandle;
}

export type MetricHandles<Specs extends MetricSpecs> = {
  readonly [Name in keyof Specs]: HandleOf[Specs[Name]["kind"]];
};

/** Metrics of one node, in a registry of its own. */
export class Metrics {
  readonly #registry = new Registry();

  /** `process: true` adds the figures of the process: memory, CPU, garbage collection, event loop. */
  constructor(options: { readonly process: boolean } = { process: false }) {
    if (options.process) collectDefaultMetrics({ register: this.#registry });
  }

  /** Registers a folder's list, once per node; a second time throws. */
  register<Specs extends MetricSpecs>(folder: string, specs: Specs): MetricHandles<Specs> {
    const handles: Record<string, CounterHandle | GaugeHandle | HistogramHandle> = {};
    for (const [name, spec] of Object.entries(specs))
      handles[name] = this.#create(`qnet_${folder}_${name}`, spec);
    return handles as MetricHandles<Specs>;
  }

  /** The page that Prometheus reads. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #create(name: string, spec: MetricSpec): CounterHandle | GaugeHandle | HistogramHandle {
    const common = {
      name,
      help: spec.help,
      labelNames: [...(spec.labels ?? [])],
      registers: [this.#registry],
    };
    switch (spec.kind) {
      case "counter": {
        const counter = new Counter(common);
        return { add: (amount = 1, labels = {}) => counter.inc(labels, amount) };
      }
      case "gauge": {
        let source: (() => number) | undefined;
        const gauge: Gauge = new Gauge({
          ...common,
          collect() {
            if (source !== undefined) gauge.set(source());
          },
        });
        return {
          set: (value, labels = {}) => gauge.set(labels, value),
          read: (from) => {
            source = from;
          },
        };
      }
      case "histogram": {
        const buckets = spec.buckets === undefined ? {} : { buckets: [...spec.buckets] };
        const histogram = new Histogram({ ...common, ...buckets });
        return { observe: (value, labels = {}) => histogram.observe(labels, value) };
      }
    }
  }
}
