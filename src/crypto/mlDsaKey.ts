/** A validator's ML-DSA-44 key: signs off the main thread, and derives the secrets of the randomness beacon. */
import { createHmac, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import { keccak256, keccakHash } from "./keccak.ts";

const SEED_BYTES = 32;
const RANDAO_LABEL = "QNet/randao/1";

/** ML-DSA-44 in pure mode with an empty context, over OpenSSL. The seed does not leave it. Source: FIPS 204, docs/consensus.md §2, §5. */
export class MlDsaKey {
  /** 1312 bytes */
  readonly publicKey: Bytes;
  /** keccak256 of the public key */
  readonly keyHash: Hash;
  readonly #key: KeyObject;
  readonly #randao: Bytes;

  /** Throws RangeError on a seed that does not have 32 bytes. */
  constructor(seed: Bytes) {
    if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${seed.length} bytes`);
    this.#key = createPrivateKey({
      key: Buffer.from(seed),
      format: "raw-seed",
      asymmetricKeyType: "ml-dsa-44",
    });
    this.publicKey = Uint8Array.from(createPublicKey(this.#key).export({ format: "raw-public" }));
    this.keyHash = keccakHash(this.publicKey);
    this.#randao = createHmac("sha256", seed).update(RANDAO_LABEL).digest();
  }

  /** Hedged signature of 2420 bytes, made by a thread of libuv's pool: up to 2 ms that no timer has to wait for. */
  sign(message: Bytes): Promise<Bytes> {
    return new Promise((resolve, reject) => {
      sign(null, message, this.#key, (error, signature) => {
        if (error) reject(error);
        else resolve(Uint8Array.from(signature));
      });
    });
  }

  /** The secret behind this validator's commitment for `epoch`, bound to the fork that it votes for: keccak256(K ‖ epoch ‖ tgtHash). */
  commitSecret(epoch: number, tgtHash: Hash): Hash {
    const number = new Uint8Array(8);
    new DataView(number.buffer).setBigUint64(0, BigInt(epoch));
    return bytesToHash(keccak256(concatBytes(this.#randao, number, hexToBytes(tgtHash))));
  }
}
