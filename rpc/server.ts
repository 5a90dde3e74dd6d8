/**
 * The JSON-RPC server: HTTP and WebSocket on one port, a second WebSocket port and a Unix socket when asked for.
 * methods/index.ts lists what can be called, access.ts decides what is open, callers.ts who calls, dispatch.ts runs it.
 */

import type { RequestListener, Server } from "node:http";
import type { Metrics } from "../src/runtime/metrics.ts";
import { namespaceOf, openMethods } from "./access.ts";
import { type ApiKey, createIdentify } from "./callers.ts";
import type { ChainFiles, RpcLimits, RpcNode } from "./context.ts";
import { createContext, type SharedContext } from "./createContext.ts";
import { createDispatcher, type Dispatcher, type DispatchLimits } from "./dispatch.ts";
import { type EngineOptions, type EngineServer, startEngineServer } from "./engineServer.ts";
import { withFastPath } from "./fastHttp.ts";
import { addGraphQl } from "./graphql/route.ts";
import { Health } from "./health.ts";
import { createHttpApp, type HttpDeps } from "./http.ts";
import { type IpcServer, startIpcServer } from "./ipc.ts";
import {
  addressOf,
  CLOSE_GRACE_MS,
  closeServers,
  type HttpTimeouts,
  httpTimeouts,
  listenAll,
  renewCertificate,
  TLS_GROUPS,
  type TlsFiles,
  urlOf,
} from "./listen.ts";
import { allMethods } from "./methods/index.ts";
import { RpcMeter } from "./metrics.ts";
import { PlainDoor } from "./plainDoor.ts";
import { createPlainAnswerer } from "./plainRequest.ts";
import { type Charge, createCharge } from "./rateLimit.ts";
import { addVerification } from "./verify/route.ts";
import { Verifier } from "./verify/verifier.ts";
import { createSocketServer } from "./websocket.ts";

export interface RpcServerOptions extends Partial<RpcLimits> {
  /** Addresses to listen on, all with the same port. The first must work; the others may be missing on this machine. */
  readonly hosts: readonly string[];
  /** 0 takes a free port. */
  readonly port: number;
  /** Open namespaces. */
  readonly api: readonly string[];
  readonly corsDomains?: readonly string[];
  readonly vhosts?: readonly string[];
  /** Trust names of private zones and container names too. */
  readonly privateNames?: boolean;
  /** What differs for WebSocket; upgrades are served on `port` anyway. */
  readonly ws?: SocketOptions;
  readonly dispatch?: Partial<DispatchLimits>;
  /** Bytes of one request body, after decompression; of one message over WebSocket. */
  readonly bodyBytes?: number;
  /** Units of work per second of each address; 0: no limit */
  readonly unitsPerSecond?: number;
  /** With keys, only those who show one are answered. */
  readonly apiKeys?: readonly ApiKey[];
  /** Secret of tokens whose bearers are trusted. */
  readonly tokenSecret?: Uint8Array;
  /** Serve GraphQL at /graphql. */
  readonly graphql?: boolean;
  /** Verify contracts at /v2, as Sourcify does. */
  readonly verify?: boolean;
  /** Serve over TLS alone. */
  readonly tls?: TlsFiles;
  readonly timeouts?: Partial<HttpTimeouts>;
  /** Registry that counts the calls of this server. */
  readonly metrics?: Metrics;
  /** Serve every namespace at this Unix socket too, to who may open it. */
  readonly ipcPath?: string | undefined;
  /** What reads and writes files of blocks for trusted callers. */
  readonly chainFiles?: ChainFiles;
  /** Serve the Engine API too, on a port of its own. */
  readonly engine?: EngineOptions;
}

/** WebSocket where it differs from HTTP. */
export interface SocketOptions {
  /** Addresses and port for WebSocket alone. */
  readonly hosts?: readonly string[];
  readonly port?: number;
  readonly api?: readonly string[] | undefined;
  /** Origins whose pages may connect. */
  readonly origins?: readonly string[] | undefined;
}

/** A running server. */
export interface RpcServer {
  /** `http://127.0.0.1:8545`, with TLS `https://…` */
  readonly httpUrl: string;
  /** `ws://127.0.0.1:8545`; the WebSocket port's own when there is one */
  readonly wsUrl: string;
  readonly port: number;
  /** Path of the Unix socket; undefined where there is none */
  readonly ipcPath: string | undefined;
  /** `http://127.0.0.1:8551`; undefined where the Engine API is not served */
  readonly engineUrl: string | undefined;
  /** Takes a new certificate for connections to come. Throws where certificate and key do not fit. */
  renewCertificate(files: TlsFiles): void;
  /** Stops listening, ends subscriptions and connections. */
  close(): Promise<void>;
}

const dispatchDefaults: DispatchLimits = {
  batchCalls: 1_000,
  batchReplyBytes: 25_000_000,
  requestTimeoutMs: 30_000,
};

const onlySockets: RequestListener = (_request, response) => {
  response.writeHead(426, { "content-type": "text/plain", upgrade: "websocket" });
  response.end("this port serves WebSocket only\n");
};

/** One dispatcher each for HTTP, WebSocket and IPC; they share filters, subscriptions and the callers' limits. */
function createDispatchers(node: RpcNode, options: RpcServerOptions) {
  const { log } = node;
  const dev = node.dev !== undefined;
  const open = openMethods(allMethods, { api: options.api, dev });
  const context = createContext(node, {
    limits: options,
    methods: [...open.values()],
    chainFiles: options.chainFiles,
    tlsGroups: options.tls === undefined ? [] : TLS_GROUPS,
  });
  const limits = { ...dispatchDefaults, ...options.dispatch };
  const charge = createCharge(options.unitsPerSecond ?? 0);
  const meter = options.metrics && new RpcMeter(options.metrics);
  const http = createDispatcher({ all: allMethods, open, context, log, charge, meter }, limits);
  const dispatcherOf = (api: readonly string[]): Dispatcher => {
    const own = openMethods(allMethods, { api, dev });
    const ownContext = { ...context, methods: [...own.values()] };
    const deps = { all: allMethods, open: own, context: ownContext, log, charge, meter };
    return createDispatcher(deps, limits);
  };
  const socketApi = options.ws?.api;
  const sockets = socketApi === undefined ? http : dispatcherOf(socketApi);
  return { context, charge, meter, http, sockets, ipc: () => dispatcherOf(everyNamespace()) };
}

/** What geth opens over IPC: everything. */
function everyNamespace(): string[] {
  return [...new Set(allMethods.map(({ name }) => namespaceOf(name)))];
}

/** What answers on the ports. */
function createApps(node: RpcNode, options: RpcServerOptions, by: Dispatchers) {
  const { log } = node;
  const rules = {
    corsDomains: options.corsDomains ?? [],
    vhosts: options.vhosts ?? ["localhost"],
    privateNames: options.privateNames ?? false,
    vhostsOption: "http.vhosts",
  };
  const identify = createIdentify({
    ...(options.tokenSecret !== undefined && { secret: options.tokenSecret }),
    ...(options.apiKeys !== undefined && { keys: options.apiKeys }),
  });
  const health = new Health(node);
  const verifier = new Verifier(node);
  const bodyBytes = options.bodyBytes === undefined ? {} : { bodyBytes: options.bodyBytes };
  const { origins } = options.ws ?? {};
  const deps = { dispatcher: by.http, rules, log, identify, ...bodyBytes };
  const extend: HttpDeps["extend"] = (app, callerOf) => {
    if (options.graphql === true) addGraphQl(app, callerOf, { ...by, log });
    if (options.verify === true)
      addVerification(app, callerOf, { node, verifier, charge: by.charge });
  };
  const plain = createPlainAnswerer(deps);
  return {
    health,
    verifier,
    plain,
    http: withFastPath(createHttpApp({ ...deps, health, extend }), plain),
    sockets: createSocketServer({
      dispatcher: by.sockets,
      rules: { ...rules, corsDomains: origins ?? rules.corsDomains },
      originsOption: origins === undefined ? "http.corsdomain" : "ws.origins",
      identify,
      log,
      ...bodyBytes,
    }),
  };
}

interface Dispatchers {
  readonly context: SharedContext;
  readonly charge: Charge;
  readonly http: Dispatcher;
  readonly sockets: Dispatcher;
}

/** Starts serving `node`. Throws ServerError when an address cannot be had; nothing stays open then. */
export async function startRpcServer(node: RpcNode, options: RpcServerOptions): Promise<RpcServer> {
  const { log } = node;
  const { hosts, port, tls, timeouts, ws } = options;
  const dispatchers = createDispatchers(node, options);
  const apps = createApps(node, options, dispatchers);
  const door = new PlainDoor(apps.plain, { ...httpTimeouts, ...timeouts });
  const servers: Server[] = [];
  let engine: EngineServer | undefined;
  let ipc: IpcServer | undefined;
  const close = async (): Promise<void> => {
    dispatchers.context.close();
    apps.health.close();
    apps.sockets.close();
    door.close(CLOSE_GRACE_MS);
    await Promise.all([
      closeServers(servers),
      engine?.close(),
      ipc?.close(),
      apps.verifier.close(),
    ]);
  };
  const scheme = (name: string) => (tls === undefined ? name : `${name}s`);
  try {
    servers.push(...(await listenAll(apps.http, { hosts, port, tls, timeouts }, log)));
    const [first] = servers;
    if (first === undefined) throw new RangeError("no address to listen on");
    // what comes over TLS is decrypted by node:https, which keeps it
    if (tls === undefined) for (const server of servers) door.attach(server);
    let wsUrl = urlOf(scheme("ws"), first);
    if (ws?.port !== undefined) {
      const place = { hosts: ws.hosts ?? hosts, port: ws.port, tls, timeouts };
      const extra = await listenAll(onlySockets, place, log);
      servers.push(...extra);
      if (extra[0] !== undefined) wsUrl = urlOf(scheme("ws"), extra[0]);
    }
    for (const server of servers) apps.sockets.attach(server);
    if (options.engine !== undefined)
      engine = await startEngineServer(node, options.engine, dispatchers.meter);
    if (options.ipcPath !== undefined) {
      const { bodyBytes } = options;
      const deps = {
        dispatcher: dispatchers.ipc(),
        log,
        ...(bodyBytes !== undefined && { bodyBytes }),
      };
      ipc = await startIpcServer(options.ipcPath, deps);
    }
    return {
      httpUrl: urlOf(scheme("http"), first),
      wsUrl,
      port: addressOf(first).port,
      ipcPath: ipc?.path,
      engineUrl: engine?.url,
      renewCertificate: (files) => {
        for (const server of servers) renewCertificate(server, files);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
