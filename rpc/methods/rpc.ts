/** The rpc namespace: the server describes itself. */
import { namespaceOf } from "../access.ts";
import { json, record, text } from "../codec.ts";
import { defineMethod } from "../method.ts";
import { openRpcDocument } from "../openrpc.ts";

/** rpc_modules, rpc.discover. */
export const rpcMethods = [
  defineMethod({
    name: "rpc_modules",
    summary: "Returns the open namespaces with their versions.",
    params: [],
    result: record(text),
    handler: ({ methods }) => new Map(methods.map(({ name }) => [namespaceOf(name), "1.0"])),
  }),
  defineMethod({
    name: "rpc.discover",
    summary: "Returns the OpenRPC document of the methods that are open.",
    params: [],
    result: json,
    handler: ({ methods, node }) => openRpcDocument(methods, node.clientVersion),
  }),
];
