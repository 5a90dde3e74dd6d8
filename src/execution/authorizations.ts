/** EIP-7702: accounts that lend themselves a contract's code. */
import { keccak256 } from "../crypto/keccak.ts";
import { recoverAddress, SECP256K1_HALF_ORDER } from "../crypto/secp256k1.ts";
import { type Bytes, bigIntToBytes, concatBytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { type Address, bytesToAddress, hexToBytes, ZERO_ADDRESS } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import { EMPTY_ACCOUNT, EMPTY_CODE_HASH } from "../types/account.ts";
import { encodeRlp } from "../types/rlp.ts";
import type { Authorization } from "../types/transaction.ts";

const DELEGATION_PREFIX = Uint8Array.of(0xef, 0x01, 0x00);
const DELEGATION_BYTES = 23;
const AUTHORIZATION_MAGIC = Uint8Array.of(0x05);
const NONCE_LIMIT = 2n ** 64n - 1n;
/** Given back for an authority that existed: 25,000 of a new account less 12,500 of any authorization. */
const EXISTING_AUTHORITY_REFUND = 12_500n;

/** Whether `code` is a delegation designator, the only code an externally owned account can have. */
export function isDelegation(code: Bytes): boolean {
  return (
    code.length === DELEGATION_BYTES && code[0] === 0xef && code[1] === 0x01 && code[2] === 0x00
  );
}

/** The account whose code `code` lends, if it is a delegation designator. */
export function delegateOf(code: Bytes): Address | undefined {
  return isDelegation(code) ? bytesToAddress(code.subarray(DELEGATION_PREFIX.length)) : undefined;
}

/** The account that signed `authorization`; undefined when the signature is none. */
export function authorityOf(authorization: Authorization): Address | undefined {
  const { chainId, address, nonce, yParity, r, s } = authorization;
  if (yParity > 1n || s > SECP256K1_HALF_ORDER) return undefined;
  const payload = encodeRlp([bigIntToBytes(chainId), hexToBytes(address), bigIntToBytes(nonce)]);
  const digest = keccak256(concatBytes(AUTHORIZATION_MAGIC, payload));
  return recoverAddress(digest, r, s, yParity === 0n ? 0 : 1);
}

/**
 * Applies the authorizations in order, skipping invalid ones, adds each authority that could be recovered to `authorities`,
 * and returns the gas to refund.
 */
export function applyAuthorizations(
  authorizations: readonly Authorization[],
  state: State,
  chainId: bigint,
  authorities: Address[],
): bigint {
  let refund = 0n;
  for (const authorization of authorizations) {
    if (authorization.chainId !== 0n && authorization.chainId !== chainId) continue;
    if (authorization.nonce >= NONCE_LIMIT) continue;
    const authority = authorityOf(authorization);
    if (authority === undefined) continue;
    authorities.push(authority);
    refund += delegate(state, authority, authorization);
  }
  return refund;
}

/** Points the authority's code at the delegate unless it is a contract or the nonce is another; returns the refund. */
function delegate(state: State, authority: Address, { address, nonce }: Authorization): bigint {
  const held = state.account(authority);
  const account = held ?? EMPTY_ACCOUNT;
  const isContract = account.codeHash !== EMPTY_CODE_HASH && !isDelegation(state.code(authority));
  if (isContract || account.nonce !== nonce) return 0n;
  state.setAccount(authority, { ...account, nonce: nonce + 1n });
  const revokes = address === ZERO_ADDRESS;
  state.setCode(
    authority,
    revokes ? EMPTY_BYTES : concatBytes(DELEGATION_PREFIX, hexToBytes(address)),
  );
  return held === undefined ? 0n : EXISTING_AUTHORITY_REFUND;
}
