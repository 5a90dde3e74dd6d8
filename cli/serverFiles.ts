/** Files that the JSON-RPC server needs: certificate, API keys, secret of tokens. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { z } from "zod";
import type { ApiKey } from "../rpc/callers.ts";
import type { TlsFiles } from "../rpc/listen.ts";
import { RATE_WINDOW_SECONDS } from "../rpc/rateLimit.ts";
import type { RpcServer, RpcServerOptions } from "../rpc/server.ts";
import type { Logger } from "../src/runtime/log.ts";
import { CommandError, UsageError } from "./exit.ts";
import type { CommandIo } from "./io.ts";
import { loadJwtSecret } from "./jwtSecret.ts";
import type { OptionValues } from "./options.ts";

export type ServerFileOption =
  | "http.tls.cert"
  | "http.tls.key"
  | "rpc.keys"
  | "rpc.jwtsecret"
  | "rpc.ratelimit";

/** The dearest calls cost this many units; a rate must let one of them through. */
const MAX_COST = 100;
const LEAST_RATE = MAX_COST / RATE_WINDOW_SECONDS;
const MIN_KEY_CHARACTERS = 16;
const MAX_KEYS = 10_000;

const keyFile = z
  .array(
    z
      .strictObject({
        name: z.string().min(1).max(64),
        key: z.string().min(MIN_KEY_CHARACTERS).max(256).optional(),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .optional(),
        ratelimit: z.int().min(0).max(1_000_000).optional(),
        api: z.array(z.string()).optional(),
      })
      .refine((entry) => (entry.key === undefined) !== (entry.sha256 === undefined), {
        error: "expected either key or sha256",
      })
      .refine(({ ratelimit = 0 }) => ratelimit === 0 || ratelimit >= LEAST_RATE, {
        error: `expected a ratelimit of at least ${LEAST_RATE}, or 0`,
      }),
  )
  .max(MAX_KEYS);

function failed(problem: string, cause?: unknown): CommandError {
  return new CommandError({ code: "FAILED", problem }, { cause });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw failed(`cannot read ${file}`, error);
  }
}

/** Certificate and key, checked to belong together; undefined: plain HTTP. Throws UsageError, CommandError. */
async function readTls(
  values: OptionValues<"http.tls.cert" | "http.tls.key">,
): Promise<TlsFiles | undefined> {
  const { "http.tls.cert": certFile, "http.tls.key": keyFile } = values;
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new UsageError("--http.tls.cert and --http.tls.key go together");
  }
  const files = { cert: await readText(certFile), key: await readText(keyFile) };
  try {
    createSecureContext(files);
  } catch (error) {
    throw failed(`${certFile} and ${keyFile} are no certificate and its key in PEM`, error);
  }
  return files;
}

/** `[{"name", "key" | "sha256", "ratelimit"?, "api"?}]`. Throws CommandError. */
async function readApiKeys(file: string): Promise<ApiKey[]> {
  const text = await readText(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw failed(`${file} is not JSON`, error);
  }
  const parsed = keyFile.safeParse(json);
  if (!parsed.success) throw failed(`${file}: ${z.prettifyError(parsed.error)}`);
  const keys = parsed.data.map(({ name, key, sha256, ratelimit, api }) => ({
    name,
    sha256:
      sha256 ??
      createHash("sha256")
        .update(key ?? "")
        .digest("hex"),
    ...(ratelimit !== undefined && { unitsPerSecond: ratelimit }),
    ...(api !== undefined && { namespaces: api }),
  }));
  for (const field of ["name", "sha256"] as const) {
    if (new Set(keys.map((key) => key[field])).size < keys.length)
      throw failed(`${file}: two entries have the same ${field === "name" ? "name" : "key"}`);
  }
  return keys;
}

/** Options of the server that stand in files. Throws UsageError, CommandError. */
export async function serverFiles(
  values: OptionValues<ServerFileOption>,
): Promise<Pick<RpcServerOptions, "apiKeys" | "tls" | "tokenSecret" | "unitsPerSecond">> {
  const { "rpc.keys": keys, "rpc.jwtsecret": secretFile, "rpc.ratelimit": rate } = values;
  if (rate !== 0 && rate < LEAST_RATE) {
    throw new UsageError(`--rpc.ratelimit ${rate}: want 0 or at least ${LEAST_RATE}`);
  }
  const tls = await readTls(values);
  return {
    unitsPerSecond: rate,
    ...(tls !== undefined && { tls }),
    ...(keys !== undefined && { apiKeys: await readApiKeys(keys) }),
    ...(secretFile !== undefined && { tokenSecret: (await loadJwtSecret(secretFile)).secret }),
  };
}

/** Reads the certificate again when the process is told to (SIGHUP): it was renewed. */
export function followCertificate(
  values: OptionValues<"http.tls.cert" | "http.tls.key">,
  server: RpcServer,
  { io, log }: { readonly io: CommandIo; readonly log: Logger },
): void {
  if (values["http.tls.cert"] === undefined) return;
  const renew = async (): Promise<void> => {
    try {
      const files = await readTls(values);
      if (files !== undefined) server.renewCertificate(files);
      log.info("Took the certificate anew", { file: values["http.tls.cert"] });
    } catch (error) {
      log.error("Kept the old certificate", { error });
    }
  };
  io.onReload?.(() => void renew());
}
