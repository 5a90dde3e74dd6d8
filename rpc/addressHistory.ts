/** Pages of an address's transactions as Otterscan turns them: newest first, blocks never torn apart. */
import type { AddressTransaction, Position } from "../src/chain/addressIndex.ts";
import type { Chain } from "../src/chain/chain.ts";
import type { Address } from "../src/primitives/hex.ts";

/** A page. */
export interface HistoryPage {
  /** Newest first. */
  readonly found: readonly AddressTransaction[];
  /** Nothing newer is left. */
  readonly isFirst: boolean;
  /** Nothing older is left. */
  readonly isLast: boolean;
}

/** Where a page lies: strictly before or after a block; 0 is the head or the genesis. */
export interface HistoryQuery {
  readonly direction: "before" | "after";
  readonly block: bigint;
  /** Transactions of the page, and as many more as their last block has. */
  readonly size: number;
}

const MAX_INDEX = 2 ** 32 - 1;

/** A page of the transactions in which the address is sender, recipient or the contract made. */
export async function addressHistory(
  chain: Chain,
  address: Address,
  { direction, block, size }: HistoryQuery,
): Promise<HistoryPage> {
  const isBefore = direction === "before";
  const order = isBefore ? "newestFirst" : "oldestFirst";
  const found: AddressTransaction[] = [];
  let after: Position | undefined;
  if (block > 0n) after = { blockNumber: block, index: isBefore ? 0 : MAX_INDEX };
  let isDone = false;
  let isFull = false;
  while (!isDone && !isFull) {
    const query = { order, limit: size + 1 } as const;
    const more = await chain.addressTransactions(address, after ? { ...query, after } : query);
    for (const one of more) {
      isFull = found.length >= size && one.blockNumber !== found.at(-1)?.blockNumber;
      if (isFull) break;
      found.push(one);
    }
    isDone = more.length <= size;
    after = found.at(-1);
  }
  const isEnd = !isFull;
  return isBefore
    ? { found, isFirst: block === 0n, isLast: isEnd }
    : { found: found.reverse(), isFirst: isEnd, isLast: block === 0n };
}
