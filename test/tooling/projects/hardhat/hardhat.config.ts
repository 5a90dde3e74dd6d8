import { fileURLToPath } from "node:url";
import toolbox from "@nomicfoundation/hardhat-toolbox-viem";
import { configVariable, defineConfig } from "hardhat/config";

export default defineConfig({
  plugins: [toolbox],
  solidity: {
    version: "0.8.37",
    path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
  },
  // the node verifies contracts itself
  verify: { sourcify: { apiUrl: process.env["RPC_URL"] ?? "" } },
  networks: {
    devnet: {
      type: "http",
      chainType: "l1",
      url: configVariable("RPC_URL"),
    },
    // the same node, with a key of our own instead of its unlocked accounts
    signed: {
      type: "http",
      chainType: "l1",
      url: configVariable("RPC_URL"),
      accounts: ["0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"],
    },
  },
});
