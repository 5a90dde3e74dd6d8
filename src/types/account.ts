/** An account as the state trie stores it. Source: Ethereum Yellow Paper, section 4.1. */
import { type Hash, parseHash } from "../primitives/hex.ts";

export interface Account {
  readonly nonce: bigint;
  /** wei */
  readonly balance: bigint;
  readonly storageRoot: Hash;
  readonly codeHash: Hash;
}

/** Root of a trie without entries: keccak256(rlp("")). */
export const EMPTY_TRIE_ROOT = parseHash(
  "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
);
/** keccak256 of the empty string: code hash of an account without code. */
export const EMPTY_CODE_HASH = parseHash(
  "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
);

export const EMPTY_ACCOUNT: Account = {
  nonce: 0n,
  balance: 0n,
  storageRoot: EMPTY_TRIE_ROOT,
  codeHash: EMPTY_CODE_HASH,
};

/** Empty in the sense of EIP-161: nonce 0, balance 0, no code (storage does not count). */
export function isEmptyAccount(account: Account): boolean {
  return account.nonce === 0n && account.balance === 0n && account.codeHash === EMPTY_CODE_HASH;
}
