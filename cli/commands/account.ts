/** `qnet account`: encrypted secp256k1 keys in the folder that geth, cast and ethers read too. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { decryptKeystore } from "../../src/crypto/keystore.ts";
import { isPrivateKey } from "../../src/crypto/secp256k1.ts";
import type { Bytes } from "../../src/primitives/bytes.ts";
import { bytesToHex, hexToBytes } from "../../src/primitives/hex.ts";
import { keystoreFolder } from "../dataFolder.ts";
import { accountDefinition } from "../definitions.ts";
import { CommandError, EXIT, UsageError } from "../exit.ts";
import { type CommandIo, printLine } from "../io.ts";
import { type KeyFile, listKeyFiles, writeKeyFile } from "../keyFiles.ts";
import { parseOptions } from "../parseOptions.ts";

interface Request {
  readonly folder: string;
  readonly passwordFile: string | undefined;
  readonly json: boolean;
  readonly operand: string | undefined;
  readonly io: CommandIo;
}

const actions: Readonly<Record<string, (request: Request) => Promise<void>>> = {
  new: createAccount,
  list: listAccounts,
  import: importAccount,
  export: exportAccount,
};

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(accountDefinition, args, io);
  const [verb = "", operand, ...extra] = operands;
  const action = Object.hasOwn(actions, verb) ? actions[verb] : undefined;
  if (action === undefined || extra.length > 0) {
    throw new UsageError(`usage: qnet account ${accountDefinition.operands}`);
  }
  const needsOperand = verb === "import" || verb === "export";
  if (needsOperand !== (operand !== undefined)) {
    throw new UsageError(`usage: qnet account ${accountDefinition.operands}`);
  }
  const folder = values.keystore ?? keystoreFolder(values.datadir);
  await action({ folder, passwordFile: values.password, json: values.json, operand, io });
  return EXIT.ok;
}

async function createAccount(request: Request): Promise<void> {
  const password = await newPassword(request);
  let privateKey: Bytes = randomBytes(32);
  while (!isPrivateKey(privateKey)) privateKey = randomBytes(32);
  tell(request, await writeKeyFile(request.folder, privateKey, password));
}

async function importAccount(request: Request): Promise<void> {
  const text = (await readFile(request.operand ?? "", "utf8")).trim();
  if (text.startsWith("{")) return importKeystore(request, Buffer.from(text, "utf8"));
  const digits = text.startsWith("0x") ? text.slice(2) : text;
  const privateKey = /^[0-9a-fA-F]{64}$/.test(digits) ? hexToBytes(`0x${digits}`) : undefined;
  if (privateKey === undefined || !isPrivateKey(privateKey)) {
    const problem = `${request.operand} holds neither 64 hex digits of a private key nor a keystore`;
    throw new CommandError({ code: "FAILED", problem });
  }
  tell(request, await writeKeyFile(request.folder, privateKey, await newPassword(request)));
}

async function importKeystore(request: Request, file: Bytes): Promise<void> {
  const password = await existingPassword(request);
  const privateKey = await decryptKeystore(file, password);
  tell(request, await writeKeyFile(request.folder, privateKey, password));
}

async function exportAccount(request: Request): Promise<void> {
  const wanted = (request.operand ?? "").toLowerCase().replace(/^(0x)?/, "0x");
  const keys = await listKeyFiles(request.folder);
  const key = keys.find(({ address }) => address === wanted);
  if (key === undefined) {
    const problem = `no key of ${request.operand} in ${request.folder}`;
    throw new CommandError({ code: "FAILED", problem });
  }
  const password = await existingPassword(request);
  const privateKey = bytesToHex(await decryptKeystore(await readFile(key.file), password));
  const output = request.json ? JSON.stringify({ address: key.address, privateKey }) : privateKey;
  printLine(request.io, output);
}

async function listAccounts(request: Request): Promise<void> {
  const keys = await listKeyFiles(request.folder);
  if (request.json) printLine(request.io, JSON.stringify(keys));
  else for (const { address, file } of keys) printLine(request.io, `${address}  ${file}`);
}

function tell({ json, io }: Request, key: KeyFile): void {
  printLine(io, json ? JSON.stringify(key) : `${key.address}  ${key.file}`);
}

async function existingPassword({ passwordFile, io }: Request): Promise<string> {
  if (passwordFile !== undefined) return firstLine(passwordFile);
  if (io.askSecret === undefined) throw new UsageError("--password FILE is needed: no terminal");
  return io.askSecret("Password: ");
}

async function newPassword(request: Request): Promise<string> {
  const password = await existingPassword(request);
  const { passwordFile, io } = request;
  if (passwordFile !== undefined || io.askSecret === undefined) return password;
  if ((await io.askSecret("Repeat password: ")) === password) return password;
  throw new CommandError({ code: "FAILED", problem: "the passwords differ" });
}

async function firstLine(file: string): Promise<string> {
  return (await readFile(file, "utf8")).split(/\r?\n/, 1)[0] ?? "";
}
