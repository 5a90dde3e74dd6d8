/** admin_*: about the node itself, and for who runs it. The namespace is closed unless it is named. */
import type { Hash } from "../../src/primitives/hex.ts";
import {
  boolean,
  hash,
  integer,
  type Json,
  json,
  list,
  looseQuantity,
  nullable,
  type ResultCodec,
  record,
  text,
} from "../codec.ts";
import type { ChainFiles } from "../context.ts";
import { RpcError } from "../errors.ts";
import { configOf } from "../genesisConfig.ts";
import { defineMethod, optional, param } from "../method.ts";
import { field, view } from "../objects.ts";

/** What a node of Ethereum tells of the chain that it speaks of with its peers. */
interface Protocol {
  readonly network: number;
  readonly genesis: Hash;
  readonly config: Json;
  readonly head: Hash;
}

const protocolView: ResultCodec<Protocol> = view("protocol", {
  network: field(integer, (one: Protocol) => one.network),
  genesis: field(hash, (one) => one.genesis),
  config: field(json, (one) => one.config),
  head: field(hash, (one) => one.head),
});

interface NodeInfo {
  readonly name: string;
  readonly protocol: Protocol;
}

const nodeInfoView: ResultCodec<NodeInfo> = view("node info", {
  name: field(text, (info: NodeInfo) => info.name),
  protocols: field(record(protocolView), (info) => new Map([["eth", info.protocol]])),
});

/** Until there are connections to peers, nobody can be added to them. */
function noPeers(method: string): never {
  const problem = "is not supported yet: this node keeps no connections to peers";
  throw new RpcError({ code: "REFUSED", text: `${method} ${problem}` });
}

function needFiles(files: ChainFiles | undefined, method: string): ChainFiles {
  if (files !== undefined) return files;
  throw new RpcError({ code: "REFUSED", text: `${method} is not supported by this server` });
}

const peerMethods = (
  ["admin_addPeer", "admin_removePeer", "admin_addTrustedPeer", "admin_removeTrustedPeer"] as const
).map((name) =>
  defineMethod({
    name,
    trustedOnly: true,
    summary: "Refused as not supported yet: this node keeps no connections to peers.",
    params: [param("url", text)],
    result: boolean,
    handler: () => noPeers(name),
  }),
);

/** admin_nodeInfo, admin_datadir, admin_clearTxpool and what is said of peers. */
export const adminMethods = [
  defineMethod({
    name: "admin_nodeInfo",
    trustedOnly: true,
    summary:
      "Returns the client's name and its chain; without id, enode and ports, for it keeps no connections to peers yet.",
    params: [],
    result: nodeInfoView,
    handler: ({ node: { chain, clientVersion } }) => {
      const protocol = {
        network: Number(chain.config.chainId),
        genesis: chain.genesisHash,
        config: configOf(chain),
        head: chain.head.hash,
      };
      return { name: clientVersion, protocol };
    },
  }),
  defineMethod({
    name: "admin_peers",
    trustedOnly: true,
    summary: "Returns the peers that are connected: none, for this node keeps no connections yet.",
    params: [],
    result: list(json),
    handler: ({ node }) => ((node.network?.peerCount() ?? 0) === 0 ? [] : noPeers("admin_peers")),
  }),
  ...peerMethods,
  defineMethod({
    name: "admin_datadir",
    trustedOnly: true,
    summary: "Returns the folder of the node's data; null where everything is in memory.",
    params: [],
    result: nullable(text),
    handler: ({ node }) => node.dataDir,
  }),
  defineMethod({
    name: "admin_exportChain",
    trustedOnly: true,
    cost: 100,
    summary:
      "Writes canonical blocks, all or from first to last, into a new RLP file of the node's machine, packed if it ends with .gz or .zst.",
    params: [
      param("file", text),
      optional("first", looseQuantity),
      optional("last", looseQuantity),
    ],
    result: boolean,
    handler: async ({ chainFiles }, file, first, last) => {
      if (first === undefined && last !== undefined) {
        const problem = "last cannot be specified without first";
        throw new RpcError({ code: "REFUSED", text: problem });
      }
      await needFiles(chainFiles, "admin_exportChain").exportChain(file, first ?? 0n, last);
      return true;
    },
  }),
  defineMethod({
    name: "admin_importChain",
    trustedOnly: true,
    cost: 100,
    summary:
      "Imports blocks of an RLP file of the node's machine, also .gz and .zst; refused while consensus runs.",
    params: [param("file", text)],
    result: boolean,
    handler: async ({ chainFiles }, file) => {
      await needFiles(chainFiles, "admin_importChain").importChain(file);
      return true;
    },
  }),
  defineMethod({
    name: "admin_clearTxpool",
    trustedOnly: true,
    summary: "Drops every transaction of the pool and returns how many there were.",
    params: [],
    result: integer,
    handler: ({ node: { pool } }) => {
      const { pending, queued } = pool.stats();
      pool.clear();
      return pending + queued;
    },
  }),
];
