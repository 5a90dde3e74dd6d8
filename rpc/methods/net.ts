/** The net namespace. */
import { boolean, count, text } from "../codec.ts";
import { defineMethod } from "../method.ts";

/** net_version, net_listening, net_peerCount. */
export const netMethods = [
  defineMethod({
    name: "net_version",
    summary: "Returns the network id, which is the chain id, in decimal.",
    params: [],
    result: text,
    handler: ({ node }) => node.chain.config.chainId.toString(),
  }),
  defineMethod({
    name: "net_listening",
    summary: "Tells whether the node accepts connections of peers.",
    params: [],
    result: boolean,
    handler: () => true,
  }),
  defineMethod({
    name: "net_peerCount",
    summary: "Returns the number of connected peers.",
    params: [],
    result: count,
    handler: ({ node }) => node.network?.peerCount() ?? 0,
  }),
];
