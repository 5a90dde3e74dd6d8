/** Is an account's secp256k1 public key in the open, and what could be taken with a quantum computer? */
import { isDelegation } from "../src/execution/authorizations.ts";
import type { Address, Hash } from "../src/primitives/hex.ts";
import { EMPTY_ACCOUNT, EMPTY_CODE_HASH } from "../src/types/account.ts";
import type { PqSender, Transaction } from "../src/types/transaction.ts";
import { address, boolean, hash, quantity, type ResultCodec, text } from "./codec.ts";
import type { RpcContext } from "./context.ts";
import { firstUse, pooledUse } from "./firstUse.ts";
import { field, maybe, orNull, view } from "./objects.ts";

/** What controls an account, as far as this node knows. */
type Control = "secp256k1" | "post-quantum" | "contract" | "unknown";

/** The answer of qnet_getExposure. */
export interface Exposure {
  readonly address: Address;
  readonly control: Control;
  readonly key: PqSender | undefined;
  /** undefined: this node cannot tell */
  readonly revealed: boolean | undefined;
  /** What revealed the key, or first showed a post-quantum one. */
  readonly by: "transaction" | "authorization" | "pending transaction" | undefined;
  readonly blockNumber: bigint | undefined;
  readonly transactionHash: Hash | undefined;
  /** wei */
  readonly balance: bigint;
  /** What was looked at, and what was not. */
  readonly covers: string;
}

const SEARCHED =
  "Signatures in the chain and the pool of this node: transactions, and the EIP-7702 authorization that first raised the nonce. " +
  "Not covered: messages, permits and other signatures given outside transactions, authorizations that took no effect, other chains where the same key signs.";
const UNAVAILABLE =
  "The account has signed, or is a contract that has created others; this node does not keep the old states in which to find out when.";
const UNSIGNED =
  "The nonce of the account was raised by the genesis, by hand or by its own code; no signature of it was found at that block. Later ones were not searched.";
const CONTRACT =
  "Contracts have no key. Whether the keys that their code obeys are in the open, this does not tell.";

/** Everything this node can tell of an account's key. */
export function exposureOf({ node, keys }: RpcContext, account: Address): Exposure {
  const state = node.chain.stateAt(node.chain.head.hash);
  const { balance, codeHash } = state.account(account) ?? EMPTY_ACCOUNT;
  const base = { address: account, balance, key: undefined, covers: SEARCHED } as const;
  if (codeHash !== EMPTY_CODE_HASH && !isDelegation(state.code(account)))
    return { ...base, ...unknownUse, control: "contract", revealed: false, covers: CONTRACT };
  const first = firstUse(node, account);
  const pooled = first.kind === "never" ? pooledUse(node, account) : undefined;
  if (pooled !== undefined)
    return { ...base, ...shownBy(pooled, "pending transaction", undefined) };
  switch (first.kind) {
    case "transaction":
    case "authorization":
      return { ...base, ...shownBy(first.transaction, first.kind, first.blockNumber) };
    case "never": {
      const key = keys.find(account);
      const control = key === undefined ? "unknown" : "post-quantum";
      return { ...base, ...unknownUse, key, control, revealed: false };
    }
    case "unavailable":
      return {
        ...base,
        ...unknownUse,
        control: "unknown",
        revealed: undefined,
        covers: UNAVAILABLE,
      };
    case "unsigned": {
      const { blockNumber } = first;
      const rest = { control: "unknown", revealed: undefined, covers: UNSIGNED } as const;
      return { ...base, ...unknownUse, ...rest, blockNumber };
    }
  }
}

const unknownUse = { by: undefined, blockNumber: undefined, transactionHash: undefined } as const;

function shownBy(
  transaction: Transaction,
  by: Exclude<Exposure["by"], undefined>,
  blockNumber: bigint | undefined,
) {
  // an authorization is a secp256k1 signature, whatever signs the transaction around it
  const key = by === "authorization" ? undefined : transaction.pqSender;
  const isQuantumSafe = key !== undefined;
  const control: Control = isQuantumSafe ? "post-quantum" : "secp256k1";
  return {
    control,
    key,
    revealed: !isQuantumSafe,
    by,
    blockNumber,
    transactionHash: transaction.hash,
  };
}

/** wei that whoever computes the private key from the public one can take */
function atRisk({ revealed, balance }: Exposure): bigint | undefined {
  if (revealed === undefined) return undefined;
  return revealed ? balance : 0n;
}

export const exposureView: ResultCodec<Exposure> = view("exposure", {
  address: field(address, (one: Exposure) => one.address),
  control: field(text, (one) => one.control),
  algorithm: maybe(text, (one) => one.key?.algorithm.name),
  secp256k1KeyRevealed: orNull(boolean, (one) => one.revealed),
  by: orNull(text, (one) => one.by),
  blockNumber: orNull(quantity, (one) => one.blockNumber),
  transactionHash: orNull(hash, (one) => one.transactionHash),
  balance: field(quantity, (one) => one.balance),
  atRisk: orNull(quantity, atRisk),
  covers: field(text, (one) => one.covers),
});
