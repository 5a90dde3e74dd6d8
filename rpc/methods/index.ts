/** The one list of methods. */
import type { Method } from "../method.ts";
import { accessListMethods } from "./accessList.ts";
import { accountMethods } from "./account.ts";
import { adminMethods } from "./admin.ts";
import { blockMethods } from "./block.ts";
import { chainMethods } from "./chain.ts";
import { consensusMethods } from "./consensus.ts";
import { cryptoMethods } from "./crypto.ts";
import { debugStateMethods } from "./debugState.ts";
import { debugTraceMethods } from "./debugTrace.ts";
import { devChainMethods } from "./devChain.ts";
import { devMiningMethods } from "./devMining.ts";
import { devStateMethods } from "./devState.ts";
import { estimateMethods } from "./estimate.ts";
import { executeMethods } from "./execute.ts";
import { feeMethods } from "./fee.ts";
import { filterMethods } from "./filter.ts";
import { netMethods } from "./net.ts";
import { otsMethods } from "./ots.ts";
import { pqAccountMethods } from "./pqAccount.ts";
import { qnetMethods } from "./qnet.ts";
import { rpcMethods } from "./rpc.ts";
import { signMethods } from "./sign.ts";
import { simulateMethods } from "./simulate.ts";
import { submitMethods } from "./submit.ts";
import { testingMethods } from "./testing.ts";
import { traceMethods } from "./trace.ts";
import { transactionMethods } from "./transaction.ts";
import { txpoolMethods } from "./txpool.ts";
import { web3Methods } from "./web3.ts";

/** Every method this node has; a server opens those of its namespaces. */
export const allMethods = [
  ...accessListMethods,
  ...accountMethods,
  ...adminMethods,
  ...blockMethods,
  ...chainMethods,
  ...consensusMethods,
  ...cryptoMethods,
  ...debugStateMethods,
  ...debugTraceMethods,
  ...devChainMethods,
  ...devMiningMethods,
  ...devStateMethods,
  ...estimateMethods,
  ...executeMethods,
  ...feeMethods,
  ...filterMethods,
  ...netMethods,
  ...otsMethods,
  ...pqAccountMethods,
  ...qnetMethods,
  ...rpcMethods,
  ...signMethods,
  ...simulateMethods,
  ...submitMethods,
  ...testingMethods,
  ...traceMethods,
  ...transactionMethods,
  ...txpoolMethods,
  ...web3Methods,
] as const satisfies readonly Method[];

/** Names of all methods. */
export type MethodName = (typeof allMethods)[number]["name"];
