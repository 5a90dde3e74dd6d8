/** Passwords of key files: from a file, or asked on the terminal. */
import { readFile } from "node:fs/promises";
import { CommandError, UsageError } from "./exit.ts";
import type { CommandIo } from "./io.ts";

/** Where a password comes from. */
export interface PasswordSource {
  /** A file whose first line it is */
  readonly file: string | undefined;
  /** The option that names the file, for the refusal where there is no terminal */
  readonly option: string;
  readonly io: CommandIo;
}

/** The password of an existing key. Throws UsageError without file and terminal. */
export async function existingPassword(source: PasswordSource): Promise<string> {
  const { file, option, io } = source;
  if (file !== undefined) return firstLine(file);
  if (io.askSecret === undefined) throw new UsageError(`${option} FILE is needed: no terminal`);
  return io.askSecret("Password: ");
}

/** The password of a new key, asked twice. Throws UsageError, and CommandError when the two differ. */
export async function newPassword(source: PasswordSource): Promise<string> {
  const { file, option, io } = source;
  if (file !== undefined) return firstLine(file);
  if (io.askSecret === undefined) throw new UsageError(`${option} FILE is needed: no terminal`);
  const password = await io.askSecret("New password: ");
  if ((await io.askSecret("Repeat password: ")) === password) return password;
  throw new CommandError({ code: "FAILED", problem: "the passwords differ" });
}

async function firstLine(file: string): Promise<string> {
  return (await readFile(file, "utf8")).split(/\r?\n/, 1)[0] ?? "";
}
