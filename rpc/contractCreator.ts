/** Which transaction made a contract: found in history by when its code appeared. */
import type { Chain } from "../src/chain/chain.ts";
import { isDelegation } from "../src/execution/authorizations.ts";
import { type Address, type Hash, parseAddress } from "../src/primitives/hex.ts";
import { EMPTY_CODE_HASH } from "../src/types/account.ts";
import type { RpcContext } from "./context.ts";
import { member, tracesOfBlock } from "./parityTrace.ts";
import type { ReplayLimits } from "./replay.ts";

/** A creation that still stands. */
export interface ContractCreator {
  readonly hash: Hash;
  /** The account or contract that created it. */
  readonly creator: Address;
}

function hasContract(chain: Chain, number: bigint, address: Address): boolean {
  const hash = chain.canonicalHash(number);
  if (hash === undefined) return false;
  const state = chain.stateAt(hash);
  const codeHash = state.account(address)?.codeHash ?? EMPTY_CODE_HASH;
  return codeHash !== EMPTY_CODE_HASH && !isDelegation(state.code(address));
}

/** First block after which the contract is there; it is there at the head. */
function blockOfCreation(chain: Chain, address: Address): bigint {
  let low = 0n;
  let high = chain.head.header.number;
  while (low < high) {
    const middle = (low + high) / 2n;
    if (hasContract(chain, middle, address)) high = middle;
    else low = middle + 1n;
  }
  return low;
}

/** Creator of a contract; undefined for other accounts and for contracts of the genesis. Needs the states of history. */
export async function findContractCreator(
  context: RpcContext,
  address: Address,
  limits: ReplayLimits,
): Promise<ContractCreator | undefined> {
  const { chain } = context.node;
  if (!hasContract(chain, chain.head.header.number, address)) return undefined;
  const block = chain.blockByNumber(blockOfCreation(chain, address));
  if (block === undefined || block.header.number === 0n) return undefined;
  const traces = await tracesOfBlock(context, block, limits);
  // the last one counts: what was made and undone before left nothing
  const made = traces.findLast(
    (trace) => trace["type"] === "create" && member(trace["result"], "address") === address,
  );
  const index = made?.["transactionPosition"];
  const creator = member(made?.["action"], "from");
  const transaction = typeof index === "number" ? block.transactions[index] : undefined;
  if (transaction === undefined || typeof creator !== "string") return undefined;
  return { hash: transaction.hash, creator: parseAddress(creator) };
}
