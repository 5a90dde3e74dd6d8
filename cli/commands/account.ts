/** `qnet account`: encrypted keys in a folder; those of secp256k1 are read by geth, cast and ethers too. */
import { readFile } from "node:fs/promises";
import { generateMnemonic } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { openPqKey } from "../../src/crypto/pqAccounts.ts";
import {
  addressOfKey,
  KEY_TYPE_NAMES,
  type KeyTypeName,
  type StoredKey,
} from "../../src/crypto/storedKey.ts";
import { bytesToHex } from "../../src/primitives/hex.ts";
import {
  type AccountRequest,
  operandAt,
  passwordOf,
  shownKey,
  tellKey,
  typeName,
  unlockFirst,
} from "../accountRequest.ts";
import { decryptFile, encryptFile, printCard } from "../accountSeal.ts";
import { signFile } from "../accountSign.ts";
import { keystoreFolder } from "../dataFolder.ts";
import { accountDefinition } from "../definitions.ts";
import { EXIT, UsageError } from "../exit.ts";
import { type CommandIo, printLine } from "../io.ts";
import { refuseSealed, sealKey } from "../keyAccess.ts";
import {
  type KeyLock,
  listKeyFiles,
  rewriteKeyFile,
  writeKeyFile,
  writeSecretFile,
} from "../keyFiles.ts";
import { importedKey, randomKey } from "../keySources.ts";
import { parseOptions } from "../parseOptions.ts";
import { existingPassword, newPassword } from "../passwords.ts";

interface Action {
  readonly operands: number;
  readonly run: (request: AccountRequest) => Promise<void>;
}

const actions: Readonly<Record<string, Action>> = {
  new: { operands: 0, run: createAccount },
  mnemonic: { operands: 0, run: createMnemonic },
  list: { operands: 0, run: listAccounts },
  import: { operands: 1, run: importAccount },
  export: { operands: 1, run: exportAccount },
  update: { operands: 1, run: updateAccount },
  sign: { operands: 2, run: signFile },
  card: { operands: 1, run: printCard },
  encrypt: { operands: 3, run: encryptFile },
  decrypt: { operands: 2, run: decryptFile },
};

/** 24 words: half as many leave 64 bits against a quantum computer's search. */
const MNEMONIC_BITS = 256;

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(accountDefinition, args, io);
  const [verb = "", ...rest] = operands;
  const action = Object.hasOwn(actions, verb) ? actions[verb] : undefined;
  if (action === undefined || action.operands !== rest.length) {
    throw new UsageError(`usage: qnet account ${accountDefinition.operands}`);
  }
  const folder = values.keystore ?? keystoreFolder(values.datadir);
  await action.run({ folder, values, operands: rest, io });
  return EXIT.ok;
}

async function createAccount(request: AccountRequest): Promise<void> {
  await store(request, randomKey(typeOf(request)), await newPassword(passwordOf(request)));
}

async function createMnemonic({ io }: AccountRequest): Promise<void> {
  printLine(io, generateMnemonic(wordlist, MNEMONIC_BITS));
}

async function importAccount(request: AccountRequest): Promise<void> {
  const { index, "derivation-path": derivationPath } = request.values;
  let known: string | undefined;
  const key = await importedKey(await readFile(operandAt(request, 0), "utf8"), {
    type: typeOf(request),
    index,
    derivationPath,
    password: async () => {
      known = await existingPassword(passwordOf(request));
      return known;
    },
  });
  await store(request, key, known ?? (await newPassword(passwordOf(request))));
}

async function exportAccount(request: AccountRequest): Promise<void> {
  const { key } = await unlockFirst(request);
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

async function updateAccount(request: AccountRequest): Promise<void> {
  const { found, key } = await unlockFirst(request);
  const { io, values } = request;
  const password = await newPassword({
    file: values["new-password"],
    option: "--new-password",
    io,
  });
  const token = values["pkcs11.token"];
  if (token === undefined) await rewriteKeyFile(found.file, key, lockOf(request, password));
  else {
    if (key.type === "secp256k1") refuseSealed();
    const { publicKey } = await openPqKey(key.type, key.secret);
    const header = { algorithm: key.type, publicKey, seed: key.secret };
    const target = { module: values["pkcs11.module"], token, pin: password };
    await writeSecretFile(found.file, await sealKey(header, target));
  }
  tellKey(request, found);
}

async function listAccounts(request: AccountRequest): Promise<void> {
  const keys = await listKeyFiles(request.folder);
  if (request.values.json) printLine(request.io, JSON.stringify(keys.map(shownKey)));
  else for (const key of keys) tellKey(request, key);
}

async function store(request: AccountRequest, key: StoredKey, password: string): Promise<void> {
  tellKey(request, await writeKeyFile(request.folder, key, lockOf(request, password)));
}

function lockOf({ values }: AccountRequest, password: string): KeyLock {
  return { password, strength: values.lightkdf ? "light" : "standard" };
}

function typeOf({ values }: AccountRequest): KeyTypeName {
  const wanted = values["key-type"];
  return KEY_TYPE_NAMES.find((name) => typeName(name) === wanted) ?? "secp256k1";
}
