/** Certificates and keys of the connection to a remote signer, as files. */
import { readFile } from "node:fs/promises";
import type { RemoteSignerOptions } from "../src/signer/remoteSigner.ts";
import type { TlsSide } from "../src/signer/transport.ts";
import { UsageError } from "./exit.ts";
import type { OptionValues } from "./options.ts";

type TlsValues = OptionValues<"signer.cert" | "signer.key" | "signer.trust">;

/** One side of the connection, from the files that the options name. Throws UsageError. */
export async function tlsSide(values: TlsValues): Promise<TlsSide> {
  const read = (name: keyof TlsValues) => {
    const file = values[name];
    if (file === undefined) throw new UsageError(`--${name} is needed`);
    return readFile(file, "utf8");
  };
  const [certificate, privateKey, trusted] = await Promise.all([
    read("signer.cert"),
    read("signer.key"),
    read("signer.trust"),
  ]);
  return { identity: { certificate, privateKey }, trusted };
}

/** How to reach the signer at `url`. Throws UsageError. */
export async function remoteOptions(values: TlsValues, url: string): Promise<RemoteSignerOptions> {
  return { url, ...(await tlsSide(values)) };
}
