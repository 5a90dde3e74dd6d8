import { fileURLToPath } from "node:url";
import toolbox from "@nomicfoundation/hardhat-toolbox-viem";
import { defineConfig } from "hardhat/config";
import { quantumAccounts } from "./sdk/hardhat.ts";

/** solc's own JavaScript build: no compiler is downloaded. */
const solidity = {
  version: "0.8.37",
  path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
  settings: { evmVersion: "osaka", optimizer: { enabled: true, runs: 200 } },
};

/** A node started by `qnet dev`. */
const devnet = {
  type: "http",
  chainType: "l1",
  url: process.env["QNET_TEST_RPC_URL"] ?? "http://127.0.0.1:8545",
} as const;

export default defineConfig({
  plugins: [toolbox, quantumAccounts],
  solidity,
  paths: {
    tests: { nodejs: "test/contracts", solidity: "test/contracts" },
    ignition: "contracts/ignition",
  },
  // the same node; `quantum` sends from the ML-DSA accounts of the standard mnemonic
  networks: { devnet, quantum: devnet },
  quantumAccounts: {
    networks: ["quantum"],
    mnemonic: "test test test test test test test test test test test junk",
  },
});
