/** The methods that viem's public actions call are in the table; the compiler compares the lists. */
import assert from "node:assert/strict";
import type { PublicRpcSchema } from "viem";
import { openMethods } from "../../../rpc/access.ts";
import { allMethods, type MethodName } from "../../../rpc/methods/index.ts";

type PublicMethod = PublicRpcSchema[number]["Method"];

/** `true` where every name of A is one of B; otherwise those that are not. */
type Covered<A extends string, B extends string> = [Exclude<A, B>] extends [never]
  ? true
  : Exclude<A, B>;

// were one method's name a plain string to the compiler, every name would be in the table
false satisfies string extends MethodName ? true : false;
"eth_nothing" satisfies Covered<"eth_nothing" | "eth_chainId", MethodName>;
true satisfies Covered<PublicMethod, MethodName>;

/** The same names for the running server; the compiler refuses one too many and one too few. */
const publicMethods = {
  web3_clientVersion: true,
  web3_sha3: true,
  net_listening: true,
  net_peerCount: true,
  net_version: true,
  eth_blobBaseFee: true,
  eth_blockNumber: true,
  eth_call: true,
  eth_createAccessList: true,
  eth_chainId: true,
  eth_coinbase: true,
  eth_estimateGas: true,
  eth_fillTransaction: true,
  eth_feeHistory: true,
  eth_gasPrice: true,
  eth_getBalance: true,
  eth_getBlockByHash: true,
  eth_getBlockByNumber: true,
  eth_getBlockReceipts: true,
  eth_getBlockTransactionCountByHash: true,
  eth_getBlockTransactionCountByNumber: true,
  eth_getCode: true,
  eth_getFilterChanges: true,
  eth_getFilterLogs: true,
  eth_getLogs: true,
  eth_getProof: true,
  eth_getRawTransactionByHash: true,
  eth_getStorageAt: true,
  eth_getStorageValues: true,
  eth_getTransactionByBlockHashAndIndex: true,
  eth_getTransactionByBlockNumberAndIndex: true,
  eth_getTransactionByHash: true,
  eth_getTransactionBySenderAndNonce: true,
  eth_getTransactionCount: true,
  eth_getTransactionReceipt: true,
  eth_getUncleByBlockHashAndIndex: true,
  eth_getUncleByBlockNumberAndIndex: true,
  eth_getUncleCountByBlockHash: true,
  eth_getUncleCountByBlockNumber: true,
  eth_maxPriorityFeePerGas: true,
  eth_newBlockFilter: true,
  eth_newFilter: true,
  eth_newPendingTransactionFilter: true,
  eth_protocolVersion: true,
  eth_sendRawTransaction: true,
  eth_sendRawTransactionSync: true,
  eth_simulateV1: true,
  eth_uninstallFilter: true,
} satisfies Record<PublicMethod, true>;

describe("allMethods", () => {
  it("has the methods of viem's public actions where the usual namespaces are open", () => {
    const open = openMethods(allMethods, { api: ["eth", "net", "web3"], dev: false });
    assert.deepEqual(
      Object.keys(publicMethods).filter((name) => !open.has(name)),
      [],
    );
  });
});
