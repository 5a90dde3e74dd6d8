/** What a header commits to of its body, computed from the body. */
import { keccakHash } from "../crypto/keccak.ts";
import type { Hash } from "../primitives/hex.ts";
import { orderedTrieRoot } from "../state/orderedTrie.ts";
import { type BlockBody, withdrawalToItems } from "../types/block.ts";
import type { Rules } from "../types/forks.ts";
import { headerToItems } from "../types/header.ts";
import { encodeRlp } from "../types/rlp.ts";
import { GAS_PER_BLOB } from "./gas.ts";

/** Commitments that a header makes to its body. */
export interface BodyRoots {
  readonly transactionsRoot: Hash;
  readonly sha3Uncles: Hash;
  /** undefined before Shanghai */
  readonly withdrawalsRoot: Hash | undefined;
  /** undefined before Cancun */
  readonly blobGasUsed: bigint | undefined;
}

/** The commitments to `body`. */
export function bodyRoots(body: BlockBody, rules: Rules | undefined): BodyRoots {
  return {
    transactionsRoot: transactionsRootOf(body.transactions),
    sha3Uncles: keccakHash(encodeRlp(body.ommers.map(headerToItems))),
    withdrawalsRoot: body.withdrawals && orderedTrieRoot(encodeWithdrawals(body.withdrawals)),
    blobGasUsed: rules?.has("cancun") ? blobGasOfBody(body) : undefined,
  };
}

/** Roots of bodies that still exist: who builds a block hashes its transactions, and importing it asks again. */
const transactionsRoots = new WeakMap<BlockBody["transactions"], Hash>();

function transactionsRootOf(transactions: BlockBody["transactions"]): Hash {
  const known = transactionsRoots.get(transactions);
  if (known !== undefined) return known;
  const root = orderedTrieRoot(transactions.map(({ raw }) => raw));
  transactionsRoots.set(transactions, root);
  return root;
}

function encodeWithdrawals(withdrawals: NonNullable<BlockBody["withdrawals"]>) {
  return withdrawals.map((withdrawal) => encodeRlp(withdrawalToItems(withdrawal)));
}

function blobGasOfBody(body: BlockBody): bigint {
  let blobs = 0;
  for (const { blobVersionedHashes } of body.transactions) blobs += blobVersionedHashes.length;
  return BigInt(blobs) * GAS_PER_BLOB;
}
