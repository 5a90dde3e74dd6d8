/** Chain definitions for viem. */
import { type Chain, defineChain } from "viem";
import { prepareQuantumRequest, quantumFormatters } from "./formatters.ts";

const coin = { name: "QNet Coin", symbol: "QNC", decimals: 18 };

/**
 * Adds transactions of type 0x51 to a chain definition: for a network of one's own. To TypeScript the chain stays what it was: viem's unions
 * of request types are closed, and a chain whose formatters accept more makes the parameters of sendTransaction `never`.
 */
export function withQuantumTransactions<const C extends Chain>(chain: C): C {
  return {
    ...chain,
    formatters: quantumFormatters,
    prepareTransactionRequest: prepareQuantumRequest,
  };
}

/** A node started by `qnet dev`. */
export const qnetDevnet = withQuantumTransactions(
  defineChain({
    id: 31_337,
    name: "QNet Devnet",
    nativeCurrency: coin,
    rpcUrls: { default: { http: ["http://127.0.0.1:8545"], webSocket: ["ws://127.0.0.1:8545"] } },
    testnet: true,
  }),
);

/** Not launched: point it at a node of yours. */
export const qnetTestnet = withQuantumTransactions(
  defineChain({
    id: 20_815,
    name: "QNet Testnet",
    nativeCurrency: coin,
    rpcUrls: { default: { http: ["http://127.0.0.1:8545"] } },
    testnet: true,
  }),
);

/** Not launched: point it at a node of yours. */
export const qnetMainnet = withQuantumTransactions(
  defineChain({
    id: 20_814,
    name: "QNet",
    nativeCurrency: coin,
    rpcUrls: { default: { http: ["http://127.0.0.1:8545"] } },
  }),
);
