/** Addresses of new contracts. */
import { keccak256 } from "../crypto/keccak.ts";
import { type Bytes, bigIntToBytes, concatBytes } from "../primitives/bytes.ts";
import { type Address, bytesToAddress, hexToBytes } from "../primitives/hex.ts";
import { encodeRlp } from "../types/rlp.ts";

const CREATE2_PREFIX = Uint8Array.of(0xff);

/** Address of the contract that `sender` creates with its nonce `nonce`. Source: Yellow Paper, section 7. */
export function contractAddress(sender: Address, nonce: bigint): Address {
  const preimage = encodeRlp([hexToBytes(sender), bigIntToBytes(nonce)]);
  return bytesToAddress(keccak256(preimage).subarray(12));
}

/** Address of the contract that CREATE2 makes of `initCode`; `salt` has 32 bytes. Source: EIP-1014. */
export function saltedContractAddress(sender: Address, salt: Bytes, initCode: Bytes): Address {
  const preimage = concatBytes(CREATE2_PREFIX, hexToBytes(sender), salt, keccak256(initCode));
  return bytesToAddress(keccak256(preimage).subarray(12));
}
