/** Fees of past blocks and what they suggest for the next one. Sources: eth_feeHistory of the execution APIs, EIP-1559, EIP-4844. */

import type { Chain } from "../src/chain/chain.ts";
import type { ChainHead } from "../src/chain/chainEvents.ts";
import {
  baseFeeOfChild,
  blobBaseFee,
  excessBlobGasOfChild,
  maxBlobGas,
} from "../src/execution/gas.ts";
import type { Block } from "../src/types/block.ts";
import type { Rules } from "../src/types/forks.ts";
import type { Header } from "../src/types/header.ts";
import { effectiveTip } from "../src/types/transaction.ts";
import type { RpcNode } from "./context.ts";
import { receiptsOfBlock } from "./receipts.ts";

type FeeSources = Pick<RpcNode, "chain" | "consensus">;

/** Blocks of one eth_feeHistory. */
export const MAX_FEE_HISTORY = 1_024n;
/** Tip suggested where no block says otherwise, wei per gas. */
export const DEFAULT_TIP = 1_000_000_000n;
/** Blocks, and transactions of each, that the suggested tip is taken from. */
const TIP_BLOCKS = 20n;
const TIPS_PER_BLOCK = 3;
/** Highest tip that is suggested, wei per gas. */
const MAX_TIP = 500_000_000_000n;

/** Rules of the canonical block after `header`, if it came a second later. */
function childRules(chain: Chain, header: Header): Rules {
  const { forks, terminalTotalDifficulty } = chain.config;
  const hash = chain.canonicalHash(header.number);
  const total = hash === undefined ? undefined : chain.totalDifficulty(hash);
  const merged = terminalTotalDifficulty !== undefined && (total ?? 0n) >= terminalTotalDifficulty;
  return forks.rules({
    number: header.number + 1n,
    timestamp: header.timestamp + 1n,
    difficulty: merged ? 0n : 1n,
  });
}

/** Base fee of the block after this one, wei per gas, in the next slot where there are slots; undefined before London. */
function nextBaseFee({ chain, consensus }: FeeSources, block: ChainHead): bigint | undefined {
  if (!childRules(chain, block.header).has("london")) return undefined;
  return consensus === undefined ? baseFeeOfChild(block.header) : consensus.baseFeeAfter(block);
}

/** Base fee of the next block, wei per gas: what was set by hand, else the protocol's; 0 before London. */
export function baseFeeToCome(node: RpcNode): bigint {
  const { chain, nextBlock } = node;
  return nextBlock?.().overrides?.baseFeePerGas ?? nextBaseFee(node, chain.head) ?? 0n;
}

/** Price of blob gas in `header`'s own block, in wei; 0 before Cancun. */
export function blobFeeOfHeader(chain: Chain, header: Header): bigint {
  const { excessBlobGas } = header;
  if (excessBlobGas === undefined) return 0n;
  return blobBaseFee(excessBlobGas, chain.config.forks.rules(header)) ?? 0n;
}

/** Price of blob gas in the block after `header`, in wei; 0 before Cancun. */
export function nextBlobFee(chain: Chain, header: Header): bigint {
  const rules = childRules(chain, header);
  return rules.blobs === undefined
    ? 0n
    : (blobBaseFee(excessBlobGasOfChild(header, rules), rules) ?? 0n);
}

/** Tips of a block at the percentiles of gas used, wei per gas, in the order of `percentiles`. */
export function rewardsOf(chain: Chain, block: Block, percentiles: readonly number[]): bigint[] {
  if (block.transactions.length === 0) return percentiles.map(() => 0n);
  const paid = receiptsOfBlock(chain, block)
    .map(({ transaction, gasUsed }) => ({
      tip: effectiveTip(transaction, block.header.baseFeePerGas),
      gasUsed,
    }))
    .sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0));
  const total = Number(block.header.gasUsed);
  let at = 0;
  let sum = Number(paid[0]?.gasUsed ?? 0n);
  return percentiles.map((percentile) => {
    const threshold = (total * percentile) / 100;
    while (sum < threshold && at < paid.length - 1) {
      at++;
      sum += Number(paid[at]?.gasUsed ?? 0n);
    }
    return paid[at]?.tip ?? 0n;
  });
}

/** Fees of a range of blocks; lists with one entry more than blocks end with the block to come. */
export interface FeeHistory {
  readonly oldestBlock: bigint;
  readonly reward: readonly (readonly bigint[])[] | undefined;
  readonly baseFeePerGas: readonly bigint[];
  readonly gasUsedRatio: readonly number[];
  readonly baseFeePerBlobGas: readonly bigint[];
  readonly blobGasUsedRatio: readonly number[];
}

function ratio(part: bigint | undefined, whole: bigint): number {
  return whole === 0n ? 0 : Number(part ?? 0n) / Number(whole);
}

/** Fees of `blocks` canonical blocks up to `newest`, fewer where the chain is shorter. */
export function feeHistory(
  node: FeeSources,
  range: { readonly blocks: bigint; readonly newest: bigint },
  percentiles: readonly number[],
): FeeHistory {
  const { chain } = node;
  const wanted = range.blocks < MAX_FEE_HISTORY ? range.blocks : MAX_FEE_HISTORY;
  const first = range.newest + 1n < wanted ? 0n : range.newest + 1n - wanted;
  const blocks: Block[] = [];
  for (let number = first; number <= range.newest && wanted > 0n; number++) {
    const block = chain.blockByNumber(number);
    if (block !== undefined) blocks.push(block);
  }
  const headers = blocks.map(({ header }) => header);
  const last = blocks.at(-1);
  const after = last === undefined ? [] : [last];
  return {
    oldestBlock: blocks.length === 0 ? 0n : first,
    reward:
      percentiles.length === 0
        ? undefined
        : blocks.map((block) => rewardsOf(chain, block, percentiles)),
    baseFeePerGas: [
      ...headers.map((header) => header.baseFeePerGas ?? 0n),
      ...after.map((block) => nextBaseFee(node, block) ?? 0n),
    ],
    gasUsedRatio: headers.map((header) => ratio(header.gasUsed, header.gasLimit)),
    baseFeePerBlobGas: [
      ...headers.map((header) => blobFeeOfHeader(chain, header)),
      ...after.map(({ header }) => nextBlobFee(chain, header)),
    ],
    blobGasUsedRatio: headers.map((header) =>
      ratio(header.blobGasUsed, maxBlobGas(chain.config.forks.rules(header))),
    ),
  };
}

/** Tip that gets a transaction into the next blocks, wei per gas: the median of the lowest tips of recent blocks, never zero. */
export function suggestedTip(chain: Chain): bigint {
  const tips: bigint[] = [];
  const head = chain.head.header.number;
  for (let back = 0n; back < TIP_BLOCKS && back <= head; back++) {
    const block = chain.blockByNumber(head - back);
    if (block === undefined) break;
    const ofBlock = block.transactions
      .map((transaction) => effectiveTip(transaction, block.header.baseFeePerGas))
      .filter((tip) => tip > 0n)
      .sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    tips.push(...ofBlock.slice(0, TIPS_PER_BLOCK));
  }
  tips.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const median = tips[Math.floor(tips.length / 2)] ?? DEFAULT_TIP;
  return median > MAX_TIP ? MAX_TIP : median;
}
