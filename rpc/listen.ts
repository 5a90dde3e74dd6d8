/** HTTP listeners: taking addresses, telling them, and letting go of connections. */
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { NodeError } from "../src/primitives/errors.ts";
import type { Logger } from "../src/runtime/log.ts";

/** Time in which the head of a request, and the whole request, must arrive; how long an idle connection stays. */
export interface HttpTimeouts {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  /** How often the two first are looked at: a slow sender stays that much longer. */
  readonly connectionsCheckingInterval: number;
}

export const httpTimeouts: HttpTimeouts = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 2_000,
};

/** Certificate chain and private key, PEM. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/**
 * Groups for the key exchange, best first: ML-KEM-768 beside X25519, so that what is recorded today stays secret from a
 * quantum computer; the others for clients that do not know it. Source: draft-ietf-tls-ecdhe-mlkem.
 */
export const TLS_GROUPS: readonly string[] = ["X25519MLKEM768", "X25519", "P-256"];
/** The hybrid group exists in this version only. */
const TLS_VERSION = "TLSv1.3";

function tlsOptions({ cert, key }: TlsFiles) {
  return { cert, key, ecdhCurve: TLS_GROUPS.join(":"), minVersion: TLS_VERSION } as const;
}

/** Gives a TLS server a new certificate; connections that stand keep the old one. Throws where the two do not fit. */
export function renewCertificate(server: Server | TlsServer, files: TlsFiles): void {
  if ("setSecureContext" in server) server.setSecureContext(tlsOptions(files));
}

/** How to listen. */
export interface ListenOptions {
  readonly hosts: readonly string[];
  /** 0 takes a free port. */
  readonly port: number;
  readonly tls?: TlsFiles | undefined;
  readonly timeouts?: Partial<HttpTimeouts> | undefined;
}
/** Connections of one listener. */
const MAX_CONNECTIONS = 4_096;
/** How long connections may finish their request when the server closes. */
export const CLOSE_GRACE_MS = 500;

export type ServerReason =
  | { readonly code: "PORT_BUSY"; readonly host: string; readonly port: number }
  | {
      readonly code: "CANNOT_LISTEN";
      readonly host: string;
      readonly port: number;
      readonly cause: string;
    }
  | { readonly code: "IPC_BUSY"; readonly path: string }
  | { readonly code: "CANNOT_LISTEN_IPC"; readonly path: string; readonly problem: string };

/** The server cannot take its address. */
export class ServerError extends NodeError<ServerReason> {}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

function listen(
  listener: RequestListener,
  host: string,
  port: number,
  { tls, timeouts, log }: ListenOptions & { readonly log: Logger },
): Promise<Server> {
  const settings = { ...httpTimeouts, ...timeouts };
  const server =
    tls === undefined
      ? createServer(settings, listener)
      : createTlsServer({ ...settings, ...tlsOptions(tls) }, listener);
  server.maxConnections = MAX_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const cause = codeOf(error);
      reject(
        cause === "EADDRINUSE"
          ? new ServerError({ code: "PORT_BUSY", host, port }, { cause: error })
          : new ServerError({ code: "CANNOT_LISTEN", host, port, cause }, { cause: error }),
      );
    });
    // exclusive: two nodes must not share a port unnoticed
    server.listen({ host, port, exclusive: true }, () => {
      // what accept() reports from now on concerns one connection and must not end the process
      server.on("error", (error) => log.warn("A connection could not be taken", { error }));
      resolve(server);
    });
  });
}

/** An address family that this machine does not have. */
function isMissingAddress(error: unknown): boolean {
  return (
    error instanceof ServerError &&
    error.reason.code === "CANNOT_LISTEN" &&
    ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(error.reason.cause)
  );
}

/** Where a server listens. */
export function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("not a TCP server");
  return address;
}

/** Listens on every host; takes back what was opened when one is refused. Throws ServerError. */
export async function listenAll(
  listener: RequestListener,
  options: ListenOptions,
  log: Logger,
): Promise<Server[]> {
  const servers: Server[] = [];
  let { port } = options;
  for (const host of options.hosts) {
    try {
      const server = await listen(listener, host, port, { ...options, log });
      servers.push(server);
      port = addressOf(server).port;
    } catch (error) {
      if (servers.length > 0 && isMissingAddress(error)) {
        log.debug("An address to listen on does not exist here", { host });
        continue;
      }
      for (const server of servers) server.close();
      throw error;
    }
  }
  return servers;
}

/** `http://127.0.0.1:8545` */
export function urlOf(scheme: string, server: Server): string {
  const { address, port, family } = addressOf(server);
  const host = family === "IPv6" ? `[${address}]` : address;
  return `${scheme}://${host}:${port}`;
}

/** Closes each server; connections get a moment to finish what they do. */
export async function closeServers(servers: readonly Server[]): Promise<void> {
  const closed = servers.map(
    (server) =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS).unref();
      }),
  );
  await Promise.all(closed);
}
