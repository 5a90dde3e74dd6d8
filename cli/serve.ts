/** What `dev` and `node` share: the options of the JSON-RPC server and of the pool, starting, serving, stopping. */
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { namespaceOf } from "../rpc/access.ts";
import { allMethods } from "../rpc/methods/index.ts";
import {
  type MetricsOptions,
  type MetricsServer,
  startMetricsServer,
} from "../rpc/metricsServer.ts";
import {
  type RpcServer,
  type RpcServerOptions,
  type SocketOptions,
  startRpcServer,
} from "../rpc/server.ts";
import type { NodeOptions } from "../src/node/config.ts";
import { QNode } from "../src/node/node.ts";
import type { PoolOptions } from "../src/txpool/poolOptions.ts";
import { createChainFiles } from "./chainFiles.ts";
import { UsageError } from "./exit.ts";
import { type CommandIo, stopRequested } from "./io.ts";
import type { OptionValues } from "./options.ts";

type ServerOptionName =
  | "http.addr"
  | "http.port"
  | "http.api"
  | "http.corsdomain"
  | "http.vhosts"
  | "graphql"
  | "http.verify"
  | "ws"
  | "ws.addr"
  | "ws.port"
  | "ws.api"
  | "ws.origins"
  | "ipcpath"
  | "ipcdisable"
  | "rpc.http-body-limit"
  | "rpc.gascap"
  | "rpc.evmtimeout"
  | "rpc.txfeecap"
  | "rpc.rangelimit"
  | "rpc.batch-request-limit"
  | "rpc.batch-response-max-size"
  | "rpc.allow-unprotected-txs";
type PoolOptionName =
  | "txpool.pricelimit"
  | "txpool.pricebump"
  | "txpool.accountslots"
  | "txpool.globalslots"
  | "txpool.lifetime";

/** Namespaces that a node opens by itself. */
const OPEN_NAMESPACES: readonly string[] = ["eth", "net", "web3", "txpool", "qnet"];
/** Namespace that is opened by name only, also on a dev chain: it rules the node, not the chain. */
const ADMIN = "admin";
const LOOPBACK_4 = "127.0.0.1";
const LOOPBACK_6 = "::1";

/** Options of the server. On a dev chain everything but admin is open, to web pages too. */
export function serverOptions(
  values: OptionValues<ServerOptionName>,
  chain: { readonly isDev: boolean; readonly datadir: string | undefined },
): RpcServerOptions {
  const { isDev } = chain;
  const host = values["http.addr"];
  // browsers resolve "localhost" to either address
  const both = isDev && (host === LOOPBACK_4 || host === "localhost");
  return {
    hosts: both ? [LOOPBACK_4, LOOPBACK_6] : [host],
    port: values["http.port"],
    ipcPath: ipcPathOf(values, chain.datadir),
    ws: socketOptions(values, both ? [LOOPBACK_4, LOOPBACK_6] : [host]),
    graphql: values.graphql,
    verify: values["http.verify"] ?? isDev,
    bodyBytes: values["rpc.http-body-limit"],
    api: namespacesOf(values, "http.api") ?? (isDev ? devNamespaces() : OPEN_NAMESPACES),
    corsDomains: values["http.corsdomain"] ?? (isDev ? ["*"] : []),
    vhosts: values["http.vhosts"] ?? ["localhost"],
    privateNames: isDev,
    gasCap: values["rpc.gascap"],
    evmTimeoutMs: values["rpc.evmtimeout"],
    txFeeCap: values["rpc.txfeecap"],
    logRange: values["rpc.rangelimit"],
    allowUnprotected: isDev || values["rpc.allow-unprotected-txs"],
    dispatch: {
      batchCalls: values["rpc.batch-request-limit"],
      batchReplyBytes: values["rpc.batch-response-max-size"],
    },
  };
}

/** A name without a folder is meant in the data directory, or where there is none in that of temporary files, as for geth. */
function ipcPathOf(
  values: OptionValues<"ipcpath" | "ipcdisable">,
  datadir: string | undefined,
): string | undefined {
  const { ipcpath, ipcdisable } = values;
  if (ipcpath === undefined || ipcdisable) return undefined;
  return basename(ipcpath) === ipcpath ? join(datadir ?? tmpdir(), ipcpath) : ipcpath;
}

/** With --ws a port of its own, unless it is that of HTTP. */
function socketOptions(
  values: OptionValues<ServerOptionName>,
  httpHosts: readonly string[],
): SocketOptions {
  const port = values["ws.port"];
  const host = values["ws.addr"];
  const isShared = port === values["http.port"] && port !== 0;
  return {
    api: namespacesOf(values, "ws.api"),
    origins: values["ws.origins"],
    ...(values.ws && !isShared && { port, hosts: host === undefined ? httpHosts : [host] }),
  };
}

function knownNamespaces(): Set<string> {
  return new Set(allMethods.map(({ name }) => namespaceOf(name)));
}

function devNamespaces(): string[] {
  const names = knownNamespaces();
  names.delete(ADMIN);
  return [...names];
}

/** Namespaces that were asked for. Throws UsageError for one without a method: it would only be found missing by clients. */
function namespacesOf(
  values: OptionValues<"http.api" | "ws.api">,
  name: "http.api" | "ws.api",
): readonly string[] | undefined {
  const known = knownNamespaces();
  const asked = values[name];
  const unknown = asked?.find((namespace) => !known.has(namespace));
  if (unknown === undefined) return asked;
  const all = [...known].sort().join(",");
  throw new UsageError(`--${name}: no namespace is called "${unknown}", there are ${all}`);
}

/** Options of the pool. */
export function poolOptions(
  values: OptionValues<PoolOptionName | "rpc.txfeecap" | "rpc.allow-unprotected-txs">,
): Partial<PoolOptions> {
  return {
    priceLimit: values["txpool.pricelimit"],
    priceBump: BigInt(values["txpool.pricebump"]),
    accountSlots: values["txpool.accountslots"],
    globalSlots: values["txpool.globalslots"],
    lifetimeMs: values["txpool.lifetime"],
    txFeeCap: values["rpc.txfeecap"],
    allowUnprotected: values["rpc.allow-unprotected-txs"],
  };
}

/** A node, and where its figures are served; undefined: nowhere. */
export interface ServeOptions extends NodeOptions {
  readonly metricsPage?: MetricsOptions | undefined;
}

/** Where the options want the figures to be served. */
export function metricsPageOf(
  values: OptionValues<"metrics" | "metrics.addr" | "metrics.port">,
): MetricsOptions | undefined {
  if (!values.metrics) return undefined;
  return { host: values["metrics.addr"], port: values["metrics.port"] };
}

/** Starts a node and its server, tells `ready`, and serves until the process is asked to stop. */
export async function serve(
  options: ServeOptions,
  server: RpcServerOptions,
  io: CommandIo,
  ready: (node: QNode, server: RpcServer) => Promise<void> | void,
): Promise<void> {
  const fatal = Promise.withResolvers<never>();
  fatal.promise.catch(() => undefined); // it may come before anybody waits, and is thrown below
  const { metricsPage, log } = options;
  const processMetrics = metricsPage !== undefined;
  const node = await QNode.start({ ...options, processMetrics, onFatal: fatal.reject });
  let rpc: RpcServer | undefined;
  let page: MetricsServer | undefined;
  try {
    if (metricsPage !== undefined) {
      page = await startMetricsServer(node.metrics, metricsPage, log);
      log.info("Metrics are ready", { http: page.url });
    }
    warnOfOpenAddress(server, options);
    rpc = await startRpcServer(node, {
      ...server,
      metrics: node.metrics,
      chainFiles: createChainFiles(node, io.stop),
    });
    await ready(node, rpc);
    await Promise.race([stopRequested(io), fatal.promise]);
  } finally {
    await Promise.all([rpc?.close(), page?.close()]);
    await node.stop();
  }
}

function warnOfOpenAddress({ hosts }: RpcServerOptions, { log }: NodeOptions): void {
  for (const host of hosts) {
    if (host === "0.0.0.0" || host === "::") {
      log.warn("JSON-RPC listens on every network address of this machine", { host });
    }
  }
}
