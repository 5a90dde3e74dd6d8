/** The one list of methods. */
import type { Method } from "../method.ts";
import { accountMethods } from "./account.ts";
import { blockMethods } from "./block.ts";
import { chainMethods } from "./chain.ts";
import { feeMethods } from "./fee.ts";
import { filterMethods } from "./filter.ts";
import { netMethods } from "./net.ts";
import { qnetMethods } from "./qnet.ts";
import { rpcMethods } from "./rpc.ts";
import { transactionMethods } from "./transaction.ts";
import { txpoolMethods } from "./txpool.ts";
import { web3Methods } from "./web3.ts";

/** Every method this node has; a server opens those of its namespaces. */
export const allMethods: readonly Method[] = [
  ...accountMethods,
  ...blockMethods,
  ...chainMethods,
  ...feeMethods,
  ...filterMethods,
  ...netMethods,
  ...qnetMethods,
  ...rpcMethods,
  ...transactionMethods,
  ...txpoolMethods,
  ...web3Methods,
];
