import { fileURLToPath } from "node:url";
import toolbox from "@nomicfoundation/hardhat-toolbox-viem";
import { defineConfig } from "hardhat/config";

/** solc's own JavaScript build: no compiler is downloaded. */
const solidity = {
  version: "0.8.37",
  path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
  settings: { evmVersion: "osaka", optimizer: { enabled: true, runs: 200 } },
};

export default defineConfig({
  plugins: [toolbox],
  solidity,
  paths: {
    tests: { nodejs: "test/contracts", solidity: "test/contracts" },
    ignition: "contracts/ignition",
  },
  networks: {
    devnet: {
      type: "http",
      chainType: "l1",
      url: process.env["QNET_TEST_RPC_URL"] ?? "http://127.0.0.1:8545",
    },
  },
});
