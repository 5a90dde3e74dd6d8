/** `qnet account`: encrypted keys in a folder; those of secp256k1 are read by geth, cast and ethers too. */
import { readFile } from "node:fs/promises";
import { generateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { openPqKey } from "../../src/crypto/pqAccounts.ts";
import {
  addressOfKey,
  decryptKey,
  KEY_TYPE_NAMES,
  type KeyTypeName,
  type StoredKey,
} from "../../src/crypto/storedKey.ts";
import { bytesToHex } from "../../src/primitives/hex.ts";
import { keystoreFolder } from "../dataFolder.ts";
import { accountDefinition } from "../definitions.ts";
import { EXIT, UsageError } from "../exit.ts";
import { type CommandIo, printLine } from "../io.ts";
import {
  findKeyFile,
  type KeyFile,
  listKeyFiles,
  rewriteKeyFile,
  writeKeyFile,
} from "../keyFiles.ts";
import { importedKey, randomKey } from "../keySources.ts";
import type { OptionValues } from "../options.ts";
import { parseOptions } from "../parseOptions.ts";
import { existingPassword, newPassword, type PasswordSource } from "../passwords.ts";

interface Request {
  readonly folder: string;
  readonly values: OptionValues<(typeof accountDefinition.options)[number]>;
  readonly operand: string;
  readonly io: CommandIo;
}

interface Action {
  readonly needsOperand: boolean;
  readonly run: (request: Request) => Promise<void>;
}

const actions: Readonly<Record<string, Action>> = {
  new: { needsOperand: false, run: createAccount },
  mnemonic: { needsOperand: false, run: createMnemonic },
  list: { needsOperand: false, run: listAccounts },
  import: { needsOperand: true, run: importAccount },
  export: { needsOperand: true, run: exportAccount },
  update: { needsOperand: true, run: updateAccount },
};

/** 24 words: half as many leave 64 bits against a quantum computer's search. */
const MNEMONIC_BITS = 256;

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(accountDefinition, args, io);
  const [verb = "", operand, ...extra] = operands;
  const action = Object.hasOwn(actions, verb) ? actions[verb] : undefined;
  if (action === undefined || extra.length > 0 || action.needsOperand !== (operand !== undefined)) {
    throw new UsageError(`usage: qnet account ${accountDefinition.operands}`);
  }
  const folder = values.keystore ?? keystoreFolder(values.datadir);
  await action.run({ folder, values, operand: operand ?? "", io });
  return EXIT.ok;
}

async function createAccount(request: Request): Promise<void> {
  await store(request, randomKey(typeOf(request)), await newPassword(password(request)));
}

async function createMnemonic({ io }: Request): Promise<void> {
  printLine(io, generateMnemonic(wordlist, MNEMONIC_BITS));
}

async function importAccount(request: Request): Promise<void> {
  const { index, "derivation-path": derivationPath } = request.values;
  let known: string | undefined;
  const key = await importedKey(await readFile(request.operand, "utf8"), {
    type: typeOf(request),
    index,
    derivationPath,
    password: async () => {
      known = await existingPassword(password(request));
      return known;
    },
  });
  await store(request, key, known ?? (await newPassword(password(request))));
}

async function exportAccount(request: Request): Promise<void> {
  const { key } = await unlock(request);
  const secret = bytesToHex(key.secret);
  if (!request.values.json) return printLine(request.io, secret);
  const address = await addressOfKey(key);
  const shown =
    key.type === "secp256k1"
      ? { address, type: key.type, privateKey: secret }
      : {
          address,
          type: typeName(key.type),
          publicKey: bytesToHex((await openPqKey(key.type, key.secret)).publicKey),
          seed: secret,
        };
  printLine(request.io, JSON.stringify(shown));
}

async function updateAccount(request: Request): Promise<void> {
  const { found, key } = await unlock(request);
  const { io, values } = request;
  const source = { file: values["new-password"], option: "--new-password", io };
  await rewriteKeyFile(found.file, key, await newPassword(source));
  tell(request, found);
}

async function listAccounts(request: Request): Promise<void> {
  const keys = await listKeyFiles(request.folder);
  if (request.values.json) printLine(request.io, JSON.stringify(keys.map(shown)));
  else for (const key of keys) tell(request, key);
}

async function unlock(request: Request): Promise<{ found: KeyFile; key: StoredKey }> {
  const found = await findKeyFile(request.folder, request.operand);
  const content = await readFile(found.file);
  return { found, key: await decryptKey(content, await existingPassword(password(request))) };
}

async function store(request: Request, key: StoredKey, secret: string): Promise<void> {
  tell(request, await writeKeyFile(request.folder, key, secret));
}

function tell({ values, io }: Request, key: KeyFile): void {
  const { address, type, file } = shown(key);
  printLine(io, values.json ? JSON.stringify(shown(key)) : `${address}  ${type}  ${file}`);
}

function shown({ address, type, file }: KeyFile) {
  return { address, type: typeName(type), file };
}

function password({ values, io }: Request): PasswordSource {
  return { file: values.password, option: "--password", io };
}

function typeOf({ values }: Request): KeyTypeName {
  const wanted = values["key-type"];
  return KEY_TYPE_NAMES.find((name) => typeName(name) === wanted) ?? "secp256k1";
}

function typeName(type: KeyTypeName): string {
  return type.toLowerCase();
}
