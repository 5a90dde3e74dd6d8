/** Opening key files, whatever locks them: a password, or a PKCS #11 token with its PIN in the password's place. */

import { parseSeedKeystore, type SeedHeader } from "../src/crypto/seedKeystore.ts";
import { decryptKey, describeKey, type StoredKey } from "../src/crypto/storedKey.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import { CommandError, UsageError } from "./exit.ts";

/** What opens a file. */
export interface KeyUnlock {
  /** Path of the PKCS #11 library, should the file need one */
  readonly module: string | undefined;
  /** Asked for once */
  readonly password: () => Promise<string>;
}

/** The key in a file. Throws UsageError, KeystoreError and SignerError. */
export async function unlockKey(content: Bytes, unlock: KeyUnlock): Promise<StoredKey> {
  const described = describeKey(content);
  if (described === undefined || described.type === "secp256k1") {
    return decryptKey(content, await unlock.password());
  }
  const parsed = parseSeedKeystore(content);
  if (parsed.lock.kind !== "pkcs11") return decryptKey(content, await unlock.password());
  const { token: label } = parsed.lock;
  if (unlock.module === undefined)
    throw new UsageError(`--pkcs11.module is needed: the key is sealed by the token "${label}"`);
  using token = await openToken(unlock.module, label, await unlock.password());
  return { type: parsed.algorithm, secret: token.unseal(parsed) };
}

/** Where a key is to be sealed. */
export interface SealTarget {
  readonly module: string | undefined;
  readonly token: string;
  readonly pin: string;
}

/** A key file that only a token can open. Throws UsageError, CommandError and SignerError. */
export async function sealKey(
  key: SeedHeader & { readonly seed: Bytes },
  target: SealTarget,
): Promise<Bytes> {
  const { module, token: label, pin } = target;
  if (module === undefined) throw new UsageError("--pkcs11.token needs --pkcs11.module");
  using token = await openToken(module, label, pin);
  return token.seal(key);
}

/** Keys of secp256k1 keep the format that other programs read. */
export function refuseSealed(): never {
  const problem = "a token seals post-quantum keys only; secp256k1 keys stay in the Web3 format";
  throw new CommandError({ code: "FAILED", problem });
}

async function openToken(module: string, token: string, pin: string) {
  const { Token } = await import("../src/signer/token.ts");
  return Token.open({ module, token, pin });
}
