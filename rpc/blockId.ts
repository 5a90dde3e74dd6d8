/** How a caller names a block: tag, number, hash, or an object of EIP-1898. */
import type { Hash } from "../src/primitives/hex.ts";
import {
  boolean,
  type Codec,
  hash,
  type ParamCodec,
  quantity64,
  refuse,
  refuseValue,
} from "./codec.ts";
import { objectOf, ownField } from "./objects.ts";

const tags = ["earliest", "finalized", "safe", "latest", "pending"] as const;
export type BlockTag = (typeof tags)[number];

/** A block by tag, by number on the canonical chain, or by hash. */
export type BlockId =
  | BlockTag
  | bigint
  | { readonly hash: Hash; readonly requireCanonical: boolean };
/** A block by tag or number: what getters "by number" and ranges take. */
export type BlockNumberOrTag = BlockTag | bigint;

const tagSchema = { title: "block tag", type: "string", enum: tags };

function tagOf(json: unknown): BlockTag | undefined {
  return tags.find((tag) => tag === json);
}

/** Block number or tag. */
export const blockNumberOrTag: Codec<BlockNumberOrTag> = {
  schema: { title: "block number or tag", oneOf: [quantity64.schema, tagSchema] },
  decode(json, where) {
    const tag = tagOf(json);
    if (tag !== undefined) return tag;
    if (typeof json !== "string") return refuseValue(where, "a block number or tag", json);
    return quantity64.decode(json, where);
  },
  encode: (value) => (typeof value === "bigint" ? quantity64.encode(value) : value),
};

function decodeObject(json: unknown, where: string): BlockId {
  const source = objectOf(json, where);
  const number = ownField(source, "blockNumber");
  const blockHash = ownField(source, "blockHash");
  if (number !== undefined && blockHash !== undefined) {
    refuse(where, "cannot specify both BlockHash and BlockNumber, choose one or the other");
  }
  if (number !== undefined) return blockNumberOrTag.decode(number, `${where}.blockNumber`);
  if (blockHash === undefined) return refuseValue(where, "blockNumber or blockHash", json);
  const canonical = ownField(source, "requireCanonical");
  return {
    hash: hash.decode(blockHash, `${where}.blockHash`),
    requireCanonical:
      canonical !== undefined && boolean.decode(canonical, `${where}.requireCanonical`),
  };
}

const HASH_CHARACTERS = 66;

/** Block number, tag, hash, or EIP-1898 object. */
export const blockId: ParamCodec<BlockId> = {
  schema: {
    title: "block number, tag or block hash",
    oneOf: [
      quantity64.schema,
      tagSchema,
      hash.schema,
      {
        title: "EIP-1898 block",
        type: "object",
        properties: {
          blockNumber: blockNumberOrTag.schema,
          blockHash: hash.schema,
          requireCanonical: boolean.schema,
        },
      },
    ],
  },
  decode(json, where) {
    if (typeof json === "object" && json !== null) return decodeObject(json, where);
    if (typeof json === "string" && json.length === HASH_CHARACTERS) {
      return { hash: hash.decode(json, where), requireCanonical: false };
    }
    return blockNumberOrTag.decode(json, where);
  },
};
