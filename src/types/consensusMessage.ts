/** What validators sign: a tagged hash that separates kinds, chains and networks. Source: docs, consensus, "Hashing, signing". */
import { keccak256 } from "../crypto/keccak.ts";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { type Address, bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import { FixedWriter } from "./fixedBytes.ts";

/** Kinds of signed messages; their bodies have fixed lengths. */
export const MESSAGE_KIND = { seal: 0x01, vote: 0x02, ack: 0x03, keyProof: 0x04 } as const;

/** The network a message is for. */
export interface MessageDomain {
  readonly chainId: bigint;
  /** 32 bytes, from the genesis */
  readonly salt: Hash;
}

const TAG = new TextEncoder().encode("QNET1");
/** Kinds of hashes that nobody signs. */
const HASH_KIND = { commit: 0x10, mix: 0x11, prevRandao: 0x12, seed: 0x13, leader: 0x14 } as const;

/** The 32 bytes to be signed: keccak256("QNET1" ‖ kind ‖ chainId as 8 bytes ‖ salt ‖ body). */
export function consensusMessage(domain: MessageDomain, kind: number, body: Bytes): Bytes {
  const head = new Uint8Array(9);
  const view = new DataView(head.buffer);
  view.setUint8(0, kind);
  view.setBigUint64(1, domain.chainId);
  return keccak256(concatBytes(TAG, head, hexToBytes(domain.salt), body));
}

/** Body of a KeyProof: the registrant `owner` holds the secret key of `publicKey`, for this staking contract. */
export function keyProofBody(contract: Address, owner: Address, publicKey: Bytes): Bytes {
  return concatBytes(hexToBytes(contract), hexToBytes(owner), keccak256(publicKey));
}

/** Randomness commitment for `epoch`: msg(0x10, validator:u32 ‖ epoch:u64 ‖ secret). */
export function commitHash(
  domain: MessageDomain,
  validator: number,
  epoch: number,
  secret: Hash,
): Hash {
  const body = new FixedWriter(44, "commit").u32(validator).u64(epoch).hash(secret).bytes;
  return bytesToHash(consensusMessage(domain, HASH_KIND.commit, body));
}

/** keccak256("QNET1" ‖ kind ‖ parts): beacon, seeds and leader draws, the same on every chain. */
export function taggedHash(
  kind: Exclude<keyof typeof HASH_KIND, "commit">,
  ...parts: readonly Bytes[]
): Bytes {
  return keccak256(concatBytes(TAG, Uint8Array.of(HASH_KIND[kind]), ...parts));
}
