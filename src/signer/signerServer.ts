/**
 * The remote signer: keeps keys on a machine of their own and signs for nodes whose certificates it trusts, in the contexts
 * that it was told. JSON over HTTPS: GET /upcheck, GET /api/v1/qnet/publicKeys, POST /api/v1/qnet/sign/ADDRESS.
 */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { PQ_CONTEXTS } from "../crypto/pqAccounts.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { bytesToHex, HexError, hexToBytes } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import { MAX_MESSAGE_BYTES, type Signer, SignerError } from "./signer.ts";
import { PATHS, type TlsSide, tlsOptions } from "./transport.ts";

/** Where and for whom the server signs. */
export interface SignerServerOptions extends TlsSide {
  readonly host: string;
  /** 0 takes a free one */
  readonly port: number;
  /** Contexts that it signs in; default: those of users' transactions and messages */
  readonly contexts?: readonly string[];
}

/** A running signer. */
export interface SignerServer {
  readonly port: number;
  close(): Promise<void>;
}

const TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 64;
const MAX_SIGNING = 64;
/** A message in hex, and the JSON around it. */
const MAX_BODY_BYTES = 2 * MAX_MESSAGE_BYTES + 1_024;

/** An answer other than 200. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Starts to listen; rejects as node:net does when it cannot. */
export async function startSignerServer(
  { signers, log }: { readonly signers: readonly Signer[]; readonly log: Logger },
  options: SignerServerOptions,
): Promise<SignerServer> {
  const contexts = new Set(options.contexts ?? Object.values(PQ_CONTEXTS));
  const byAddress = new Map(signers.map((signer) => [String(signer.address), signer]));
  let signing = 0;

  const sign = async (request: IncomingMessage, address: string): Promise<object> => {
    const signer = byAddress.get(address);
    if (signer === undefined) throw new Refusal(404, `no key of ${address}`);
    if (signing >= MAX_SIGNING) throw new Refusal(503, "too many signatures at once");
    signing++;
    try {
      const { message, context } = readRequest(await readBody(request));
      if (!contexts.has(context)) throw new Refusal(403, `context "${context}" is not signed in`);
      const signature = await signer.sign(message, new TextEncoder().encode(context));
      log.info("Signed", { address, context, bytes: message.length });
      return { signature: bytesToHex(signature) };
    } finally {
      signing--;
    }
  };
  const answer = async (request: IncomingMessage): Promise<object | string> => {
    const { method, url = "" } = request;
    if (method === "GET" && url === PATHS.upcheck) return "OK";
    if (method === "GET" && url === PATHS.publicKeys) return signers.map(describe);
    if (method === "POST" && url.startsWith(PATHS.sign))
      return sign(request, url.slice(PATHS.sign.length).toLowerCase());
    throw new Refusal(404, "no such path");
  };

  const server = createServer(
    {
      ...tlsOptions(options),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: TIMEOUT_MS,
      headersTimeout: TIMEOUT_MS,
      requestTimeout: TIMEOUT_MS,
    },
    (request, response) => void respond(response, answer(request), log),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on("tlsClientError", (error) => log.debug("Refused a client", { reason: error.message }));
  server.listen(options.port, options.host);
  await once(server, "listening");
  server.on("error", (error) => log.warn("A connection could not be taken", { error }));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function describe({ address, algorithm, publicKey }: Signer): object {
  return { address, algorithm, publicKey: bytesToHex(publicKey) };
}

async function respond(
  response: ServerResponse,
  answer: Promise<object | string>,
  log: Logger,
): Promise<void> {
  try {
    send(response, 200, await answer);
  } catch (error) {
    if (error instanceof Refusal) send(response, error.status, { error: error.message });
    else if (error instanceof SignerError) send(response, 400, { error: error.message });
    else {
      log.error("Cannot sign", { error: String(error) });
      send(response, 500, { error: "internal error" });
    }
  }
}

function send(response: ServerResponse, status: number, body: object | string): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  // what is left of a refused body is not worth reading
  if (status !== 200) response.setHeader("connection", "close");
  response.writeHead(status, {
    "content-type": typeof body === "string" ? "text/plain" : "application/json",
  });
  response.end(text);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, `more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function readRequest(body: string): { readonly message: Bytes; readonly context: string } {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === "object" && json !== null && "message" in json && "context" in json) {
      const { message, context } = json;
      if (typeof message === "string" && typeof context === "string")
        return { message: hexToBytes(message), context };
    }
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof HexError)) throw error;
  }
  throw new Refusal(400, 'expected {"message": "0x…", "context": "QNet/tx/1"}');
}
