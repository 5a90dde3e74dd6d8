/** The web3 namespace. */
import { keccak256 } from "../../src/crypto/keccak.ts";
import { data, text } from "../codec.ts";
import { defineMethod, param } from "../method.ts";

/** web3_clientVersion, web3_sha3. */
export const web3Methods = [
  defineMethod({
    name: "web3_clientVersion",
    summary: "Returns the name and version of this node.",
    params: [],
    result: text,
    handler: ({ node }) => node.clientVersion,
  }),
  defineMethod({
    name: "web3_sha3",
    summary: "Returns the Keccak-256 hash of the given bytes.",
    params: [param("data", data)],
    result: data,
    handler: (_context, input) => keccak256(input),
  }),
];
