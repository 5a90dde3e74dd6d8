/** Accounts of a development chain and what they sign. */
import type { Bytes } from "../../src/primitives/bytes.ts";
import { address, data, dataOf, list, type ParamCodec, text } from "../codec.ts";
import { defineMethod, param } from "../method.ts";
import { messageDigest, signAs } from "../signer.ts";
import { typedDataDigest } from "../typedData.ts";

const signature = dataOf(65);
const utf8 = new TextEncoder();

/** Hex bytes, or plain text as some wallets send it. */
const message: ParamCodec<Bytes> = {
  schema: { title: "message: hex encoded bytes or text", type: "string" },
  decode(value, where) {
    if (typeof value === "string" && /^0x([0-9a-fA-F]{2})*$/.test(value)) {
      return data.decode(value, where);
    }
    return utf8.encode(text.decode(value, where));
  },
};

/** Typed data as an object or as its JSON text (ethers and MetaMask send text); the value is the digest. */
const typedData: ParamCodec<Bytes> = {
  schema: { title: "EIP-712 typed data", oneOf: [{ type: "object" }, { type: "string" }] },
  decode(value, where) {
    if (typeof value !== "string") return typedDataDigest(value, where);
    let parsed: unknown;
    try {
      parsed = JSON.parse(value);
    } catch {
      return typedDataDigest(undefined, where);
    }
    return typedDataDigest(parsed, where);
  },
};

const accounts = (["eth_accounts", "eth_requestAccounts"] as const).map((name) =>
  defineMethod({
    name,
    summary: "Returns the unlocked accounts; none outside of a development chain.",
    params: [],
    result: list(address),
    devOnly: name !== "eth_accounts",
    handler: ({ node }) => node.dev?.accounts ?? [],
  }),
);

const typedDataMethods = (
  ["eth_signTypedData", "eth_signTypedData_v3", "eth_signTypedData_v4"] as const
).map((name) =>
  defineMethod({
    name,
    summary: "Signs typed structured data (EIP-712) with an unlocked account.",
    params: [param("address", address), param("typedData", typedData)],
    result: signature,
    devOnly: true,
    handler: (context, account, digest) => signAs(context, account, digest),
  }),
);

/** personal_sign has the message first, eth_sign the account. */
export const signMethods = [
  ...accounts,
  defineMethod({
    name: "eth_sign",
    summary: "Signs a message with an unlocked account (EIP-191).",
    params: [param("address", address), param("message", message)],
    result: signature,
    devOnly: true,
    handler: (context, account, bytes) => signAs(context, account, messageDigest(bytes)),
  }),
  defineMethod({
    name: "personal_sign",
    summary: "Signs a message with an unlocked account (EIP-191).",
    params: [param("message", message), param("address", address), param("password", text, "")],
    result: signature,
    devOnly: true,
    handler: (context, bytes, account) => signAs(context, account, messageDigest(bytes)),
  }),
  ...typedDataMethods,
];
