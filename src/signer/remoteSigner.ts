/**
 * The node's side of a remote signer. What comes back is verified before anybody sees it: a signer that errs or lies can
 * refuse to sign, but not make a node send what its key did not sign.
 */
import { Agent, request as httpsRequest } from "node:https";
import { PQ_ACCOUNT_ALGORITHMS, type PqAccountAlgorithm, pqAddress } from "../crypto/pqAccounts.ts";
import { pqAlgorithm } from "../crypto/pqAlgorithms.ts";
import type { PqVerifier } from "../crypto/pqVerifier.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { type Address, bytesToHex, HexError, hexToBytes } from "../primitives/hex.ts";
import { demandLength, type Signer, SignerError, type SignerErrorReason } from "./signer.ts";
import { PATHS, type TlsSide, tlsOptions } from "./transport.ts";

/** How to reach a signer. */
export interface RemoteSignerOptions extends TlsSide {
  /** https://host:port */
  readonly url: string;
  /** Deadline of one call; default 5 s */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;
const MAX_SOCKETS = 8;
/** The keys of a signer, and a signature, are far smaller. */
const MAX_REPLY_BYTES = 1_048_576;

/** Signers of all keys behind a URL; they share its connections. Rejects with SignerError. */
export async function remoteSigners(
  verifier: PqVerifier,
  options: RemoteSignerOptions,
): Promise<readonly Signer[]> {
  const connection = new Connection(options);
  const keys = await readKeys(connection).catch((error: unknown) => {
    connection.close();
    throw error;
  });
  await Promise.all(keys.map(({ algorithm }) => verifier.prepare(algorithm)));
  return keys.map((key) => ({
    ...key,
    sign: (message, context) => signBy(key, connection, { verifier, message, context }),
    close: async () => connection.close(),
  }));
}

/** The signer of one address behind a URL. Rejects with SignerError. */
export async function remoteSigner(
  verifier: PqVerifier,
  address: Address,
  options: RemoteSignerOptions,
): Promise<Signer> {
  const signers = await remoteSigners(verifier, options);
  const found = signers.find((signer) => signer.address === address);
  if (found !== undefined) return found;
  await signers[0]?.close();
  const detail = `it has no key of ${address}`;
  throw signerError({ code: "SIGNER_REFUSED", url: options.url, detail });
}

type Key = Pick<Signer, "algorithm" | "publicKey" | "address">;

async function signBy(
  { algorithm, publicKey, address }: Key,
  connection: Connection,
  job: { readonly verifier: PqVerifier; readonly message: Bytes; readonly context: Bytes },
): Promise<Bytes> {
  const { verifier, message, context } = job;
  demandLength(message);
  const reply = await connection.call("POST", PATHS.sign + address, {
    message: bytesToHex(message),
    context: Buffer.from(context).toString("utf8"),
  });
  const signature = readHex(reply, "signature");
  if (signature === undefined) return connection.fail("BAD_SIGNER_REPLY", "no signature");
  if (verifier.verify(algorithm, publicKey, message, signature, context)) return signature;
  return connection.fail("BAD_SIGNER_REPLY", `its signature is not one of ${address}`);
}

async function readKeys(connection: Connection): Promise<Key[]> {
  const reply = await connection.call("GET", PATHS.publicKeys);
  if (!Array.isArray(reply)) return connection.fail("BAD_SIGNER_REPLY", "no list of keys");
  return reply.map((item) => readKey(item, connection));
}

function readKey(item: unknown, connection: Connection): Key {
  const publicKey = readHex(item, "publicKey");
  const algorithm = readAlgorithm(item);
  if (algorithm === undefined || publicKey?.length !== pqAlgorithm(algorithm).publicKeyBytes) {
    return connection.fail("BAD_SIGNER_REPLY", "a key of an unknown kind");
  }
  return { algorithm, publicKey, address: pqAddress(algorithm, publicKey) };
}

function readAlgorithm(item: unknown): PqAccountAlgorithm | undefined {
  if (typeof item !== "object" || item === null || !("algorithm" in item)) return undefined;
  return PQ_ACCOUNT_ALGORITHMS.find((name) => name === item.algorithm);
}

function readHex(item: unknown, name: string): Bytes | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  const text: unknown = Object.entries(item).find(([key]) => key === name)?.[1];
  if (typeof text !== "string") return undefined;
  try {
    return hexToBytes(text);
  } catch (error) {
    if (error instanceof HexError) return undefined;
    throw error;
  }
}

function signerError(reason: Extract<SignerErrorReason, { url: string }>, cause?: unknown) {
  const words = {
    SIGNER_UNREACHABLE: "cannot reach the signer",
    SIGNER_REFUSED: "the signer refuses",
    BAD_SIGNER_REPLY: "the signer answers nonsense",
  };
  const message = `${words[reason.code]} at ${reason.url}: ${reason.detail}`;
  return new SignerError(reason, { message, cause });
}

/** Keeps a few sockets open; each call has a deadline. */
class Connection {
  readonly #options: RemoteSignerOptions;
  readonly #agent: Agent;

  constructor(options: RemoteSignerOptions) {
    const { url } = options;
    if (!URL.canParse(url) || new URL(url).protocol !== "https:") {
      const detail = "expected an address as https://127.0.0.1:9000";
      throw signerError({ code: "SIGNER_UNREACHABLE", url, detail });
    }
    this.#options = options;
    this.#agent = new Agent({ ...tlsOptions(options), keepAlive: true, maxSockets: MAX_SOCKETS });
  }

  /** JSON of the answer. Rejects with SignerError. */
  call(method: "GET" | "POST", path: string, body?: object): Promise<unknown> {
    const { url, timeoutMs = TIMEOUT_MS } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const unreachable = (cause: Error) => {
      const detail = signal.aborted ? `no answer in ${timeoutMs} ms` : cause.message;
      reject(signerError({ code: "SIGNER_UNREACHABLE", url, detail }, cause));
    };
    const request = httpsRequest(new URL(path, url), { method, agent: this.#agent, signal });
    request.on("error", unreachable);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_REPLY_BYTES)
          request.destroy(new Error(`more than ${MAX_REPLY_BYTES} bytes`));
        else chunks.push(chunk);
      });
      response.on("error", unreachable);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        try {
          resolve(this.#read(response.statusCode ?? 0, text));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    if (body !== undefined) request.setHeader("content-type", "application/json");
    request.end(body === undefined ? undefined : JSON.stringify(body));
    return promise;
  }

  fail(code: "SIGNER_REFUSED" | "BAD_SIGNER_REPLY", detail: string): never {
    throw signerError({ code, url: this.#options.url, detail });
  }

  close(): void {
    this.#agent.destroy();
  }

  #read(status: number, text: string): unknown {
    const json = parsed(text);
    if (status === 200 && json !== undefined) return json;
    const detail =
      typeof json === "object" && json !== null && "error" in json && typeof json.error === "string"
        ? json.error.slice(0, 200)
        : `status ${status}`;
    return this.fail(status === 200 ? "BAD_SIGNER_REPLY" : "SIGNER_REFUSED", detail);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
