/**
 * The Engine API on a port of its own, for a consensus client or a test suite to steer this node. Only for chains without
 * a consensus section: where this node decides by its own rules, nobody may decide over its head.
 */
import type { Bytes } from "../src/primitives/bytes.ts";
import { openMethods } from "./access.ts";
import { createIdentify } from "./callers.ts";
import type { RpcNode } from "./context.ts";
import { createContext } from "./createContext.ts";
import { createDispatcher, type DispatchLimits } from "./dispatch.ts";
import { createHttpApp } from "./http.ts";
import { closeServers, listenAll, urlOf } from "./listen.ts";
import { engineMethods } from "./methods/engine.ts";
import { allMethods } from "./methods/index.ts";
import type { RpcMeter } from "./metrics.ts";

/** Where and to whom the Engine API is served. */
export interface EngineOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Shared secret, 32 bytes. */
  readonly secret: Bytes;
  readonly vhosts?: readonly string[];
}

/** A running Engine API. */
export interface EngineServer {
  /** `http://127.0.0.1:8551` */
  readonly url: string;
  close(): Promise<void>;
}

/** What the specification wants on this port. */
const NAMESPACES = ["engine", "eth", "net", "web3"];
/** A payload with its transactions in hex. */
const BODY_BYTES = 128 << 20;
const limits: DispatchLimits = {
  batchCalls: 2_000,
  batchReplyBytes: 250_000_000,
  requestTimeoutMs: 60_000,
};

/** Starts serving; undefined where the chain decides for itself. Throws ServerError. */
export async function startEngineServer(
  node: RpcNode,
  { host, port, secret, vhosts = ["localhost"] }: EngineOptions,
  meter?: RpcMeter,
): Promise<EngineServer | undefined> {
  const { log, chain } = node;
  if (chain.config.qnet?.consensus !== undefined) {
    log.warn("Engine API stays closed: this chain has its own consensus", { port });
    return undefined;
  }
  const all = [...allMethods, ...engineMethods];
  const open = openMethods(all, { api: NAMESPACES, dev: false });
  const context = createContext(node, { limits: {}, methods: [...open.values()] });
  const app = createHttpApp({
    dispatcher: createDispatcher({ all, open, context, log, meter }, limits),
    rules: { corsDomains: [], vhosts, privateNames: false, vhostsOption: "authrpc.vhosts" },
    log,
    bodyBytes: BODY_BYTES,
    identify: createIdentify({ secret, tokenOnly: true }),
  });
  const servers = await listenAll(app, { hosts: [host], port }, log);
  const [first] = servers;
  if (first === undefined) throw new RangeError("no address to listen on");
  return {
    url: urlOf("http", first),
    async close() {
      context.close();
      await closeServers(servers);
    },
  };
}
