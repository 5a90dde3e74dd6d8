/** Accounts: balance, nonce, code, storage, proofs. */
import { bytesToBigInt } from "../../src/primitives/bytes.ts";
import { type Address, type Hash, ZERO_HASH } from "../../src/primitives/hex.ts";
import { EMPTY_ACCOUNT } from "../../src/types/account.ts";
import { blockId } from "../blockId.ts";
import {
  address,
  data,
  hash,
  list,
  nullable,
  type ParamCodec,
  quantity,
  record,
  refuse,
  text,
  word,
} from "../codec.ts";
import { RpcError } from "../errors.ts";
import type { StateView } from "../headStates.ts";
import { defineMethod, param } from "../method.ts";
import { field, objectOf, view } from "../objects.ts";
import { needHeader, readState } from "../resolve.ts";
import { type StorageKey, storageKey } from "../storageKey.ts";

/** An account that is not in the trie, as geth's StateDB shows it: without hashes of code and storage. */
const ABSENT_ACCOUNT = { ...EMPTY_ACCOUNT, codeHash: ZERO_HASH, storageRoot: ZERO_HASH };

/** Slots of one eth_getStorageValues, keys of one eth_getProof. */
const MAX_SLOTS = 1_024;

const block = param("block", blockId, "latest");

function slotValue(state: StateView, account: Address, key: Hash): bigint {
  return bytesToBigInt(state.slot(account, key));
}

const state = [
  defineMethod({
    name: "eth_getBalance",
    summary: "Returns the balance of an account, in wei.",
    params: [param("address", address), block],
    result: quantity,
    handler: (context, account, id) =>
      readState(context, id, (found) => found.account(account)?.balance ?? 0n),
  }),
  defineMethod({
    name: "eth_getTransactionCount",
    summary: "Returns the nonce of an account; `pending` counts what is in the pool.",
    params: [param("address", address), block],
    result: quantity,
    handler: (context, account, id) =>
      id === "pending"
        ? context.node.pool.nonce(account)
        : readState(context, id, (found) => found.account(account)?.nonce ?? 0n),
  }),
  defineMethod({
    name: "eth_getCode",
    summary: "Returns the code of an account; a delegated account shows its delegation.",
    params: [param("address", address), block],
    result: data,
    handler: (context, account, id) => readState(context, id, (found) => found.code(account)),
  }),
  defineMethod({
    name: "eth_getStorageAt",
    summary: "Returns a storage slot of an account as a 32-byte word.",
    params: [param("address", address), param("key", storageKey), block],
    result: word,
    handler: (context, account, { key }, id) =>
      readState(context, id, (found) => slotValue(found, account, key)),
  }),
];

type SlotRequest = ReadonlyMap<Address, readonly StorageKey[]>;

const slotRequest: ParamCodec<SlotRequest> = {
  schema: {
    title: "storage keys by address",
    type: "object",
    additionalProperties: { type: "array", items: storageKey.schema },
  },
  decode(json, where) {
    const entries = Object.entries(objectOf(json, where));
    if (entries.length === 0) throw new RpcError({ code: "INVALID_PARAMS", text: "empty request" });
    let slots = 0;
    const request = new Map<Address, readonly StorageKey[]>();
    for (const [name, keys] of entries) {
      const account = address.decode(name, where);
      if (!Array.isArray(keys)) return refuse(`${where}.${account}`, "expected an array of keys");
      slots += keys.length;
      if (slots > MAX_SLOTS) {
        throw new RpcError({ code: "CLIENT_LIMIT", text: `too many slots (max ${MAX_SLOTS})` });
      }
      request.set(account, list(storageKey, MAX_SLOTS).decode(keys, `${where}.${account}`));
    }
    if (slots === 0) throw new RpcError({ code: "INVALID_PARAMS", text: "empty request" });
    return request;
  },
};

interface AccountProof {
  readonly address: Address;
  readonly balance: bigint;
  readonly nonce: bigint;
  readonly codeHash: Hash;
  readonly storageHash: Hash;
  readonly accountProof: readonly Uint8Array[];
  readonly storageProof: readonly SlotProof[];
}

interface SlotProof {
  readonly key: string;
  readonly value: bigint;
  readonly proof: readonly Uint8Array[];
}

const proofView = view<AccountProof>("account proof", {
  address: field(address, (proof: AccountProof) => proof.address),
  accountProof: field(list(data), (proof) => proof.accountProof),
  balance: field(quantity, (proof) => proof.balance),
  codeHash: field(hash, (proof) => proof.codeHash),
  nonce: field(quantity, (proof) => proof.nonce),
  storageHash: field(hash, (proof) => proof.storageHash),
  storageProof: field(
    list(
      view<SlotProof>("storage proof", {
        key: field(text, (slot: SlotProof) => slot.key),
        value: field(quantity, (slot) => slot.value),
        proof: field(list(data), (slot) => slot.proof),
      }),
    ),
    (proof) => proof.storageProof,
  ),
});

interface AccountInfo {
  readonly balance: bigint;
  readonly nonce: bigint;
  readonly code: Uint8Array;
}

interface AccountRecord {
  readonly balance: bigint;
  readonly nonce: bigint;
  readonly codeHash: Hash;
  readonly storageRoot: Hash;
}

const records = [
  defineMethod({
    name: "eth_getStorageValues",
    cost: 5,
    summary: "Returns storage slots of several accounts as 32-byte words.",
    params: [param("request", slotRequest), block],
    result: record(list(word)),
    handler: (context, request, id) =>
      readState(
        context,
        id,
        (found) =>
          new Map(
            [...request].map(([account, keys]) => [
              account,
              keys.map(({ key }) => slotValue(found, account, key)),
            ]),
          ),
      ),
  }),
  defineMethod({
    name: "eth_getProof",
    cost: 5,
    summary: "Returns an account and storage slots with their Merkle proofs.",
    params: [param("address", address), param("keys", list(storageKey, MAX_SLOTS)), block],
    result: proofView,
    handler: ({ node }, account, keys, id) => {
      const { hash: blockHash } = needHeader(node.chain, id);
      const proof = node.chain.proofAt(
        blockHash,
        account,
        keys.map(({ key }) => key),
      );
      const { balance, nonce, codeHash, storageRoot } = proof.account ?? ABSENT_ACCOUNT;
      return {
        address: account,
        balance,
        nonce,
        codeHash,
        storageHash: storageRoot,
        accountProof: proof.accountProof,
        storageProof: proof.storageProof.map((slot, index) => ({
          key: keys[index]?.echo ?? slot.key,
          value: bytesToBigInt(slot.value),
          proof: slot.proof,
        })),
      };
    },
  }),
  defineMethod({
    name: "eth_getAccountInfo",
    summary: "Returns balance, nonce and code of an account in one call.",
    params: [param("address", address), block],
    result: view<AccountInfo>("account with code", {
      balance: field(quantity, (info: AccountInfo) => info.balance),
      nonce: field(quantity, (info) => info.nonce),
      code: field(data, (info) => info.code),
    }),
    handler: (context, account, id) =>
      readState(context, id, (found) => {
        const { balance, nonce } = found.account(account) ?? EMPTY_ACCOUNT;
        return { balance, nonce, code: found.code(account) };
      }),
  }),
  defineMethod({
    name: "eth_getAccount",
    summary: "Returns an account as the state trie holds it; null if there is none.",
    params: [param("address", address), block],
    result: nullable(
      view<AccountRecord>("account", {
        balance: field(quantity, (account: AccountRecord) => account.balance),
        nonce: field(quantity, (account) => account.nonce),
        codeHash: field(hash, (account) => account.codeHash),
        storageRoot: field(hash, (account) => account.storageRoot),
      }),
    ),
    handler: (context, account, id) => readState(context, id, (found) => found.account(account)),
  }),
];

/** Getters of accounts. */
export const accountMethods = [...state, ...records];
