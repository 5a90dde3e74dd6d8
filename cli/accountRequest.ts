/** What the verbs of `qnet account` share: the parsed command line, and opening the key of an address. */
import { readFile } from "node:fs/promises";
import type { KeyTypeName, StoredKey } from "../src/crypto/storedKey.ts";
import type { accountDefinition } from "./definitions.ts";
import { type CommandIo, printLine } from "./io.ts";
import { unlockKey } from "./keyAccess.ts";
import { findKeyFile, type KeyFile } from "./keyFiles.ts";
import type { OptionValues } from "./options.ts";
import { existingPassword, type PasswordSource } from "./passwords.ts";

/** One call of the command. */
export interface AccountRequest {
  readonly folder: string;
  readonly values: OptionValues<(typeof accountDefinition.options)[number]>;
  readonly operands: readonly string[];
  readonly io: CommandIo;
}

/** The operand at a place; whether there are enough was checked before. */
export function operandAt({ operands }: AccountRequest, at: number): string {
  const operand = operands[at];
  if (operand === undefined) throw new RangeError(`no operand ${at}`);
  return operand;
}

/** Where the password of existing and of new keys comes from. */
export function passwordOf({ values, io }: AccountRequest): PasswordSource {
  return { file: values.password, option: "--password", io };
}

/** The opened key of the address that is the first operand. Throws CommandError, KeystoreError, SignerError. */
export async function unlockFirst(
  request: AccountRequest,
): Promise<{ readonly found: KeyFile; readonly key: StoredKey }> {
  const found = await findKeyFile(request.folder, operandAt(request, 0));
  const content = await readFile(found.file);
  const key = await unlockKey(content, {
    module: request.values["pkcs11.module"],
    password: () => existingPassword(passwordOf(request)),
  });
  return { found, key };
}

/** One line about a key. */
export function tellKey({ values, io }: AccountRequest, key: KeyFile): void {
  const { address, type, file } = shownKey(key);
  printLine(io, values.json ? JSON.stringify(shownKey(key)) : `${address}  ${type}  ${file}`);
}

/** A key file as --json prints it. */
export function shownKey({ address, type, file }: KeyFile) {
  return { address, type: typeName(type), file };
}

/** A key's type as options spell it. */
export function typeName(type: KeyTypeName): string {
  return type.toLowerCase();
}
