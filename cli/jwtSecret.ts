/** The secret that the Engine API shares with its client: a file of 64 hex digits, as other nodes have it. */
import { randomBytes } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { JWT_SECRET_BYTES } from "../rpc/jwt.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import { bytesToHex, hexToBytes } from "../src/primitives/hex.ts";
import { CommandError } from "./exit.ts";
import { writeSecretFile } from "./keyFiles.ts";

const SECRET = /^(?:0x)?([0-9a-fA-F]+)$/;

/** The secret in `file`; a new one, for its owner's eyes only, where there is no file. Throws CommandError. */
export async function loadJwtSecret(
  file: string,
): Promise<{ readonly secret: Bytes; readonly isNew: boolean }> {
  let content: string;
  try {
    content = await readFile(file, "utf8");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    const secret = randomBytes(JWT_SECRET_BYTES);
    await mkdir(dirname(file), { recursive: true });
    await writeSecretFile(file, Buffer.from(`${bytesToHex(secret)}\n`, "utf8"));
    return { secret, isNew: true };
  }
  const digits = SECRET.exec(content.trim())?.[1];
  if (digits?.length === 2 * JWT_SECRET_BYTES) {
    return { secret: hexToBytes(`0x${digits}`), isNew: false };
  }
  const problem = `${file} does not hold a secret of ${2 * JWT_SECRET_BYTES} hex digits`;
  throw new CommandError({ code: "FAILED", problem });
}
