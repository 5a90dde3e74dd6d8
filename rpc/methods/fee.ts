/** Fees: what was paid and what is suggested. */
import { type BlockNumberOrTag, blockNumberOrTag } from "../blockId.ts";
import { decimal, list, looseQuantity, type ParamCodec, quantity, refuse } from "../codec.ts";
import { RpcError } from "../errors.ts";
import {
  baseFeeToCome,
  type FeeHistory,
  feeHistory,
  nextBlobFee,
  suggestedTip,
} from "../feeHistory.ts";
import { defineMethod, param } from "../method.ts";
import { field, maybe, view } from "../objects.ts";
import { needHeader } from "../resolve.ts";

/** Percentiles of one eth_feeHistory. */
const MAX_PERCENTILES = 100;

const percentiles: ParamCodec<readonly number[]> = {
  schema: { type: "array", items: { type: "number", minimum: 0, maximum: 100 } },
  decode(json, where) {
    const values = list(decimal, MAX_PERCENTILES).decode(json, where);
    for (const [index, value] of values.entries()) {
      if (value < 0 || value > 100) refuse(where, `invalid reward percentile: ${value}`);
      const before = values[index - 1];
      if (before !== undefined && value <= before) {
        refuse(where, `invalid reward percentile: #${index - 1}:${before} >= #${index}:${value}`);
      }
    }
    return values;
  },
};

const history = view<FeeHistory>("fee history", {
  oldestBlock: field(quantity, (fees: FeeHistory) => fees.oldestBlock),
  reward: maybe(list(list(quantity)), (fees) => fees.reward),
  baseFeePerGas: field(list(quantity), (fees) => fees.baseFeePerGas),
  gasUsedRatio: field(list(decimal), (fees) => fees.gasUsedRatio),
  baseFeePerBlobGas: field(list(quantity), (fees) => fees.baseFeePerBlobGas),
  blobGasUsedRatio: field(list(decimal), (fees) => fees.blobGasUsedRatio),
});

const latest: BlockNumberOrTag = "latest";

/** eth_gasPrice and its kin. */
export const feeMethods = [
  defineMethod({
    name: "eth_gasPrice",
    summary:
      "Suggests a gas price in wei that stays sufficient while the base fee rises for a block.",
    params: [],
    result: quantity,
    handler: ({ node }) => {
      const baseFee = baseFeeToCome(node);
      // wallets take it as the maximum fee: one full block raises the base fee by an eighth
      return suggestedTip(node.chain) + (baseFee * 9n + 7n) / 8n;
    },
  }),
  defineMethod({
    name: "eth_maxPriorityFeePerGas",
    summary: "Suggests a tip in wei per gas; never zero.",
    params: [],
    result: quantity,
    handler: ({ node }) => suggestedTip(node.chain),
  }),
  defineMethod({
    name: "eth_baseFee",
    summary: "Returns the base fee of the next block, in wei per gas.",
    params: [],
    result: quantity,
    handler: ({ node }) => baseFeeToCome(node),
  }),
  defineMethod({
    name: "eth_blobBaseFee",
    summary: "Returns the price of blob gas in the next block, in wei.",
    params: [],
    result: quantity,
    handler: ({ node: { chain } }) => nextBlobFee(chain, chain.head.header),
  }),
  defineMethod({
    name: "eth_feeHistory",
    cost: 3,
    summary: "Returns base fees, use of gas and tips of past blocks.",
    params: [
      param("blockCount", looseQuantity),
      param("newestBlock", blockNumberOrTag, latest),
      param("rewardPercentiles", percentiles, []),
    ],
    result: history,
    handler: ({ node, texts }, blocks, id, wanted) => {
      const { chain } = node;
      const head = chain.head.header.number;
      if (typeof id === "bigint" && id > head) {
        const text = `request beyond head block: requested ${id}, head ${head}`;
        throw new RpcError({ code: "REFUSED", text });
      }
      const { number: newest } = needHeader(chain, id).header;
      // the head's hash stands for all blocks up to it; texts of former heads leave the cache by age
      const key = `fees:${chain.head.hash}:${newest}:${blocks}:${wanted.join()}`;
      return texts.get(key, () => history.encode(feeHistory(node, { blocks, newest }, wanted)));
    },
  }),
];
