/** How viem reads and writes the JSON of transactions of type 0x51. Everything else passes as on Ethereum. */
import {
  type Chain,
  type ChainFormatters,
  defineBlock,
  defineTransaction,
  defineTransactionReceipt,
  defineTransactionRequest,
  formatTransaction,
  type RpcTransaction,
  type RpcTransactionRequest,
} from "viem";
import { isQuantumAccount } from "./account.ts";

/** viem's name of transaction type 0x51. */
export const QUANTUM_TYPE_NAME = "quantum";
const TYPE_HEX = "0x51";

/** Formatters of a chain that has transactions of type 0x51. */
export const quantumFormatters = {
  block: defineBlock({
    // biome-ignore lint/suspicious/noExplicitAny: viem's own chains widen here; its types know no other transaction type
    format(block: any): any {
      return {
        transactions: block.transactions?.map((transaction: unknown) =>
          typeof transaction === "string" ? transaction : formatAny(transaction as RpcTransaction),
        ),
      };
    },
  }),
  transaction: defineTransaction({
    // biome-ignore lint/suspicious/noExplicitAny: as above
    format(transaction: any): any {
      return quantumFields(transaction);
    },
  }),
  transactionReceipt: defineTransactionReceipt({
    // biome-ignore lint/suspicious/noExplicitAny: as above
    format(receipt: any): any {
      return receipt.type === TYPE_HEX ? { type: QUANTUM_TYPE_NAME } : {};
    },
  }),
  transactionRequest: defineTransactionRequest({
    // biome-ignore lint/suspicious/noExplicitAny: as above
    format(request: any): any {
      const { account, type, pqAlgorithm } = request;
      if (type !== QUANTUM_TYPE_NAME && !isQuantumAccount(account)) return {};
      return {
        type: TYPE_HEX,
        pqAlgorithm: pqAlgorithm ?? (isQuantumAccount(account) ? account.algorithm : undefined),
      } as unknown as RpcTransactionRequest;
    },
  }),
} as const satisfies ChainFormatters;

/** Runs before viem fills a transaction in: one of an ML-DSA account is of type 0x51. */
export const prepareQuantumRequest: NonNullable<Chain["prepareTransactionRequest"]> = [
  (request) => {
    const { account } = request;
    if (!isQuantumAccount(account)) return Promise.resolve(request);
    return Promise.resolve({
      ...request,
      // viem's union of type names is closed
      type: QUANTUM_TYPE_NAME as never,
      pqAlgorithm: account.algorithm,
    });
  },
  { runAt: ["beforeFillTransaction"] },
];

function formatAny(transaction: RpcTransaction) {
  return { ...formatTransaction(transaction), ...quantumFields(transaction) };
}

function quantumFields(transaction: object): object {
  if (!("type" in transaction) || transaction.type !== TYPE_HEX) return {};
  const { pqAlgorithm, pqPublicKey, pqSignature } = transaction as Record<string, unknown>;
  return {
    type: QUANTUM_TYPE_NAME,
    typeHex: TYPE_HEX,
    ...(pqAlgorithm !== undefined && { pqAlgorithm, pqPublicKey, pqSignature }),
  };
}
