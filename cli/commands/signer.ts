/** `qnet signer`: keeps post-quantum keys on a machine of their own and signs for nodes that it knows by their certificates. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { selfSignedCertificate } from "../../src/crypto/certificate.ts";
import { PQ_SEED_BYTES } from "../../src/crypto/pqAccounts.ts";
import { localSigner, type Signer } from "../../src/signer/signer.ts";
import { startSignerServer } from "../../src/signer/signerServer.ts";
import { keystoreFolder } from "../dataFolder.ts";
import { signerDefinition } from "../definitions.ts";
import { CommandError, EXIT, UsageError } from "../exit.ts";
import { type CommandIo, printLine, stopRequested } from "../io.ts";
import { unlockKey } from "../keyAccess.ts";
import { findKeyFile, type KeyFile, listKeyFiles, writeSecretFile } from "../keyFiles.ts";
import { createCommandLog } from "../log.ts";
import type { OptionValues } from "../options.ts";
import { parseOptions } from "../parseOptions.ts";
import { existingPassword } from "../passwords.ts";
import { tlsSide } from "../signerFiles.ts";

type Values = OptionValues<(typeof signerDefinition.options)[number]>;

const DAY_SECONDS = 86_400;
/** Clocks of two machines may differ. */
const CLOCK_SKEW_SECONDS = 300;

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(signerDefinition, args, io);
  const [verb, ...rest] = operands;
  const [name, ...extra] = rest;
  if (verb === "cert" && name !== undefined && extra.length === 0)
    await makeCertificate(values, name, io);
  else if (verb === "serve") await serve(values, rest, io);
  else throw new UsageError(`usage: qnet signer ${signerDefinition.operands}`);
  return EXIT.ok;
}

/** Writes NAME.key, which only its owner can read, and NAME.crt, which the other side has to trust. */
async function makeCertificate(values: Values, name: string, io: CommandIo): Promise<void> {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name) || name.startsWith(".")) {
    throw new UsageError(`expected a name of letters, digits, dots and dashes, got "${name}"`);
  }
  const now = Math.floor(Date.now() / 1000);
  const identity = certificateOf({
    commonName: name,
    hosts: values.hosts,
    notBefore: now - CLOCK_SKEW_SECONDS,
    notAfter: now + values.days * DAY_SECONDS,
    serial: randomBytes(16),
  });
  const { out = "." } = values;
  await mkdir(out, { recursive: true });
  const [certificate, key] = [join(out, `${name}.crt`), join(out, `${name}.key`)];
  await writeFile(certificate, identity.certificate, { flag: "wx" });
  await writeSecretFile(key, Buffer.from(identity.privateKey, "utf8"));
  printLine(io, `${certificate}\n${key}`);
}

function certificateOf(content: Parameters<typeof selfSignedCertificate>[2]) {
  try {
    return selfSignedCertificate("ML-DSA-44", randomBytes(PQ_SEED_BYTES), content);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`--hosts: ${error.message}`, { cause: error });
  }
}

async function serve(values: Values, addresses: readonly string[], io: CommandIo): Promise<void> {
  const side = await tlsSide(values);
  const signers = await openSigners(values, addresses, io);
  const { "signer.addr": host, "signer.port": port } = values;
  const log = createCommandLog(values, io);
  const server = await startSignerServer({ signers, log }, { ...side, host, port });
  const shownHost = host.includes(":") ? `[${host}]` : host;
  printLine(io, `https://${shownHost}:${server.port}`);
  for (const { address, algorithm } of signers) log.info("Signing for", { address, algorithm });
  await stopRequested(io);
  await server.close();
}

async function openSigners(
  values: Values,
  addresses: readonly string[],
  io: CommandIo,
): Promise<readonly Signer[]> {
  const folder = values.keystore ?? keystoreFolder(values.datadir);
  const named = await Promise.all(addresses.map((address) => findKeyFile(folder, address)));
  const files = addresses.length > 0 ? named : (await listKeyFiles(folder)).filter(isPostQuantum);
  if (files.length === 0) fail(`there is no post-quantum key in ${folder}`);
  const password = await existingPassword({ file: values.password, option: "--password", io });
  const signers: Signer[] = [];
  for (const { address, file } of files) {
    const unlock = { module: values["pkcs11.module"], password: async () => password };
    const key = await unlockKey(await readFile(file), unlock);
    if (key.type === "secp256k1") fail(`${address} is a secp256k1 key, which is not served`);
    signers.push(await localSigner(key.type, key.secret));
  }
  return signers;
}

function isPostQuantum({ type }: KeyFile): boolean {
  return type !== "secp256k1";
}

function fail(problem: string): never {
  throw new CommandError({ code: "FAILED", problem });
}
