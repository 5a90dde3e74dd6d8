/**
 * Seeds sealed by a PKCS #11 token: an AES-256 key that never leaves the token encrypts the seed of a key file. A stolen file is
 * then worth nothing without the token. To sign, the seed is unsealed into this process: no token at hand computes ML-DSA.
 * Source: PKCS #11 v2.40, mechanism CKM_AES_GCM.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type * as Pkcs11 from "pkcs11js";
import { PQ_SEED_BYTES } from "../crypto/pqAccounts.ts";
import {
  encodeSeedKeystore,
  type SealedSeed,
  type SeedHeader,
  type SeedKeystore,
  seedAad,
} from "../crypto/seedKeystore.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { SignerError } from "./signer.ts";

/** Which token, and how to open it. */
export interface TokenOptions {
  /** Path of the PKCS #11 library, /usr/lib/softhsm/libsofthsm2.so */
  readonly module: string;
  /** The token's label */
  readonly token: string;
  readonly pin: string;
}

const KEY_LABEL = "qnet-seal";
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

type Library = typeof Pkcs11;
type Bound = Pkcs11.PKCS11;

/** A session with a token, logged in. */
export class Token implements Disposable {
  readonly #library: Library;
  readonly #functions: Bound;
  readonly #session: Pkcs11.Handle;
  readonly #label: string;

  private constructor(library: Library, functions: Bound, session: Pkcs11.Handle, label: string) {
    this.#library = library;
    this.#functions = functions;
    this.#session = session;
    this.#label = label;
  }

  /** Loads the library and logs in. Rejects with SignerError TOKEN_FAILED. */
  static async open({ module, token, pin }: TokenOptions): Promise<Token> {
    const library = await loadLibrary(token);
    const functions = new library.PKCS11();
    try {
      const session = guarded(token, () => {
        functions.load(module);
        initialize(library, functions);
        return login(library, functions, { module, token, pin });
      });
      return new Token(library, functions, session, token);
    } catch (error) {
      letGo(functions);
      throw error;
    }
  }

  /** A key file whose seed only this token can open. Throws SignerError TOKEN_FAILED. */
  seal(header: SeedHeader & { readonly seed: Bytes }): Bytes {
    const iv = randomBytes(IV_BYTES);
    const sealed = guarded(this.#label, () => {
      const key = this.#findKey() ?? this.#makeKey();
      this.#functions.C_EncryptInit(this.#session, this.#gcm(iv, seedAad(header)), key);
      const room = Buffer.alloc(PQ_SEED_BYTES + TAG_BYTES);
      return this.#functions.C_Encrypt(this.#session, Buffer.from(header.seed), room);
    });
    const content: SealedSeed = { iv, sealed: Uint8Array.from(sealed) };
    const lock = { kind: "pkcs11", token: this.#label, key: KEY_LABEL } as const;
    return encodeSeedKeystore(header, content, lock, randomUUID());
  }

  /** The seed of a file that this token sealed. Throws SignerError TOKEN_FAILED. */
  unseal(file: SeedKeystore): Bytes {
    return guarded(this.#label, () => {
      const key = this.#findKey();
      if (key === undefined) throw new Error(`it has no key "${KEY_LABEL}"`);
      this.#functions.C_DecryptInit(this.#session, this.#gcm(file.iv, seedAad(file)), key);
      const room = Buffer.alloc(PQ_SEED_BYTES + TAG_BYTES);
      const seed = this.#functions.C_Decrypt(this.#session, Buffer.from(file.sealed), room);
      if (seed.length !== PQ_SEED_BYTES) throw new Error("it opened something else than a seed");
      return Uint8Array.from(seed);
    });
  }

  [Symbol.dispose](): void {
    quietly(() => this.#functions.C_CloseSession(this.#session));
    letGo(this.#functions);
  }

  #findKey(): Pkcs11.Handle | undefined {
    this.#functions.C_FindObjectsInit(this.#session, this.#keyName());
    try {
      return this.#functions.C_FindObjects(this.#session) ?? undefined;
    } finally {
      this.#functions.C_FindObjectsFinal(this.#session);
    }
  }

  #makeKey(): Pkcs11.Handle {
    const library = this.#library;
    const on = [library.CKA_TOKEN, library.CKA_SENSITIVE, library.CKA_ENCRYPT, library.CKA_DECRYPT];
    return this.#functions.C_GenerateKey(this.#session, { mechanism: library.CKM_AES_KEY_GEN }, [
      ...this.#keyName(),
      { type: library.CKA_VALUE_LEN, value: KEY_BYTES },
      { type: library.CKA_EXTRACTABLE, value: false },
      ...on.map((type) => ({ type, value: true })),
    ]);
  }

  #keyName(): Pkcs11.Template {
    const library = this.#library;
    return [
      { type: library.CKA_CLASS, value: library.CKO_SECRET_KEY },
      { type: library.CKA_LABEL, value: KEY_LABEL },
    ];
  }

  #gcm(iv: Bytes, aad: Bytes): Pkcs11.Mechanism {
    const library = this.#library;
    const parameter = {
      type: library.CK_PARAMS_AES_GCM,
      iv: Buffer.from(iv),
      ivBits: 8 * IV_BYTES,
      aad: Buffer.from(aad),
      tagBits: 8 * TAG_BYTES,
    };
    return { mechanism: library.CKM_AES_GCM, parameter };
  }
}

/** The package is optional: its native part has to be built. */
async function loadLibrary(token: string): Promise<Library> {
  try {
    return (await import("pkcs11js")).default;
  } catch (cause) {
    throw failed(token, "the package pkcs11js is not installed", cause);
  }
}

/** One process has one Cryptoki, which another session may have initialised. */
function initialize(library: Library, functions: Bound): void {
  try {
    functions.C_Initialize();
  } catch (error) {
    const known = library.CKR_CRYPTOKI_ALREADY_INITIALIZED;
    if (!(error instanceof library.Pkcs11Error) || error.code !== known) throw error;
  }
}

function login(library: Library, functions: Bound, options: TokenOptions): Pkcs11.Handle {
  const { module, token, pin } = options;
  const slot = functions
    .C_GetSlotList(true)
    .find((one) => functions.C_GetTokenInfo(one).label.trim() === token);
  if (slot === undefined) throw new Error(`${module} has no token of this label`);
  const flags = library.CKF_RW_SESSION | library.CKF_SERIAL_SESSION;
  const session = functions.C_OpenSession(slot, flags);
  functions.C_Login(session, library.CKU_USER, pin);
  return session;
}

function letGo(functions: Bound): void {
  quietly(() => functions.C_Finalize());
  quietly(() => functions.close());
}

function guarded<T>(token: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw failed(token, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function failed(token: string, detail: string, cause: unknown): SignerError {
  const message = `token "${token}": ${detail}`;
  return new SignerError({ code: "TOKEN_FAILED", token, detail }, { message, cause });
}

/** What is left of a session is the library's to clean up; there is nobody to tell. */
function quietly(action: () => void): void {
  try {
    action();
  } catch {
    // as above
  }
}
