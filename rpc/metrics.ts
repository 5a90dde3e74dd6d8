/** Metrics of JSON-RPC: what is asked, what fails, how long it takes. */
import type { Labels, MetricHandles, MetricSpecs, Metrics } from "../src/runtime/metrics.ts";
import { namespaceOf } from "./access.ts";
import type { Method } from "./method.ts";

const rpcMetrics = {
  requests_total: {
    kind: "counter",
    help: "Calls that are over, each call of a batch by itself, by namespace of the method.",
    labels: ["namespace"],
  },
  errors_total: {
    kind: "counter",
    help: "Calls answered with an error, by its JSON-RPC code.",
    labels: ["code"],
  },
  request_seconds: {
    kind: "histogram",
    help: "Time from a call's turn to its reply, by namespace of the method.",
    labels: ["namespace"],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1, 5, 30],
  },
} as const satisfies MetricSpecs;

/** Callers choose the names of methods, so one label stands for all that do not exist. */
const UNKNOWN: Labels = { namespace: "unknown" };

/** Counts the calls of one server. */
export class RpcMeter {
  readonly #metrics: MetricHandles<typeof rpcMetrics>;
  readonly #namespaces = new Map<Method, Labels>();
  readonly #codes = new Map<number, Labels>();

  /** Registers the metrics; a second server of the same node needs a registry of its own. */
  constructor(metrics: Metrics) {
    this.#metrics = metrics.register("rpc", rpcMetrics);
  }

  /** A call is over. `method` is undefined where there is none of its name. */
  done(method: Method | undefined, elapsedMs: number): void {
    const labels = method === undefined ? UNKNOWN : this.#labelsOf(method);
    this.#metrics.requests_total.add(1, labels);
    this.#metrics.request_seconds.observe(elapsedMs / 1_000, labels);
  }

  /** A call is answered with this error code; the table of errors has few. */
  failed(code: number): void {
    let labels = this.#codes.get(code);
    if (labels === undefined) {
      labels = { code: String(code) };
      this.#codes.set(code, labels);
    }
    this.#metrics.errors_total.add(1, labels);
  }

  #labelsOf(method: Method): Labels {
    let labels = this.#namespaces.get(method);
    if (labels === undefined) {
      labels = { namespace: namespaceOf(method.name) };
      this.#namespaces.set(method, labels);
    }
    return labels;
  }
}
