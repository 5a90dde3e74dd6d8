/** How transactions are signed: which items carry the signature, what is signed beside the fields, who the sender is. */

import type { PqVerifier } from "../crypto/pqVerifier.ts";
import { type EcdsaSignature, recoverAddress } from "../crypto/secp256k1.ts";
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import type { Address } from "../primitives/hex.ts";
import type { Rules } from "./forks.ts";
import { fail, type RlpInput, type RlpItem, readUint, uintItem } from "./rlp.ts";
import type { Signature, Transaction, TransactionFields } from "./transaction.ts";
import type { TransactionDraft } from "./transactionFields.ts";

export interface SignatureScheme {
  /** Items at the end of the payload, by their names in JSON-RPC. */
  readonly itemNames: readonly string[];
  /** Reads those items; sets fields that only the signature tells. Throws DecodeError. */
  readonly read: (
    items: readonly (RlpItem | undefined)[],
    draft: TransactionDraft,
    where: string,
    raw: Bytes,
  ) => Signature;
  readonly write: (signature: Signature, fields: TransactionFields) => RlpInput[];
  /** Items that stand behind the fields in what is signed. */
  readonly signedItems: (fields: TransactionFields) => RlpInput[];
  /** The signature as this scheme spells it. Throws DecodeError on one of another kind. */
  readonly complete: (fields: TransactionFields, signature: EcdsaSignature | Bytes) => Signature;
  /** The account that signed, or undefined if the signature is none. */
  readonly recoverSender: (
    digest: Bytes,
    transaction: Transaction,
    verifier: PqVerifier,
  ) => Address | undefined;
  /** Gas that key and signature cost beyond what the base cost of a transaction covers. */
  readonly witnessGas: (fields: TransactionFields, rules: Rules) => bigint;
}

const WORD_BITS = 256;
/** `v` of a signature without a chain id is 27 + yParity. */
const UNPROTECTED_V = 27n;
/** `v` of a signature with one is 35 + 2 · chainId + yParity. Source: EIP-155 */
const PROTECTED_V = 35n;

/** r, s as integers from 1. Larger ones than the curve's order make no sender. */
function readScalar(item: RlpItem | undefined, where: string): bigint {
  const value = readUint(item, where, WORD_BITS);
  if (value === 0n) fail("BAD_SIGNATURE", { where, expected: "a signature", got: "zero" });
  return value;
}

const ecdsa = {
  write: ({ v, r, s }: Signature) => [uintItem(v), uintItem(r), uintItem(s)],
  recoverSender: (digest: Bytes, { signature }: Transaction) =>
    recoverAddress(digest, signature.r, signature.s, signature.yParity),
  witnessGas: () => 0n,
};

/** v, r, s of a legacy transaction: `v` tells the chain id, or that there is none. Source: EIP-155 */
export const legacySignature: SignatureScheme = {
  ...ecdsa,
  itemNames: ["v", "r", "s"],
  read: ([vItem, rItem, sItem], draft, where) => {
    const v = readUint(vItem, `${where}.v`, WORD_BITS);
    const { chainId, yParity } = readLegacyV(v, `${where}.v`);
    draft.chainId = chainId;
    const [r, s] = [readScalar(rItem, `${where}.r`), readScalar(sItem, `${where}.s`)];
    return { v, r, s, yParity };
  },
  signedItems: ({ chainId }) =>
    chainId === undefined ? [] : [uintItem(chainId), EMPTY_BYTES, EMPTY_BYTES],
  complete: ({ chainId }, signature) => {
    const { r, s, yParity } = ecdsaOf(signature);
    const base = chainId === undefined ? UNPROTECTED_V : PROTECTED_V + 2n * chainId;
    return { v: base + BigInt(yParity), r, s, yParity };
  },
};

/** yParity, r, s of the typed transactions. Sources: EIP-2930, EIP-1559, EIP-4844, EIP-7702 */
export const yParitySignature: SignatureScheme = {
  ...ecdsa,
  itemNames: ["yParity", "r", "s"],
  read: ([parityItem, rItem, sItem], _draft, where) => {
    const v = readUint(parityItem, `${where}.yParity`, WORD_BITS);
    if (v > 1n)
      fail("BAD_SIGNATURE", { where: `${where}.yParity`, expected: "0 or 1", got: String(v) });
    const [r, s] = [readScalar(rItem, `${where}.r`), readScalar(sItem, `${where}.s`)];
    return { v, r, s, yParity: v === 0n ? 0 : 1 };
  },
  signedItems: () => [],
  complete: (_fields, signature) => {
    const { r, s, yParity } = ecdsaOf(signature);
    return { v: BigInt(yParity), r, s, yParity };
  },
};

function ecdsaOf(signature: EcdsaSignature | Bytes): EcdsaSignature {
  if (!(signature instanceof Uint8Array)) return signature;
  return fail("BAD_SIGNATURE", {
    where: "transaction.signature",
    expected: "a secp256k1 signature",
    got: `${signature.length} bytes`,
  });
}

/** What `v` of a legacy signature says; without a chain id it is unprotected. Throws DecodeError BAD_SIGNATURE. */
export function readLegacyV(
  v: bigint,
  where: string,
): { readonly chainId: bigint | undefined; readonly yParity: 0 | 1 } {
  if (v === UNPROTECTED_V) return { chainId: undefined, yParity: 0 };
  if (v === UNPROTECTED_V + 1n) return { chainId: undefined, yParity: 1 };
  if (v < PROTECTED_V)
    fail("BAD_SIGNATURE", { where, expected: "27, 28 or at least 35", got: String(v) });
  const rest = v - PROTECTED_V;
  return { chainId: rest / 2n, yParity: rest % 2n === 0n ? 0 : 1 };
}
