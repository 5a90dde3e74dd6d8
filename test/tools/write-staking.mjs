// Writes genesis/staking.json from contracts/Staking.sol: `node test/tools/write-staking.mjs`. A test compares the two.
import { writeFile } from "node:fs/promises";
import { compileContract } from "../support/compile.ts";

const { bytecode } = await compileContract("contracts/Staking.sol");
const content = { contract: "contracts/Staking.sol", compiler: "solc 0.8.37", creationCode: bytecode };
await writeFile(
  new URL("../../genesis/staking.json", import.meta.url),
  `${JSON.stringify(content, null, 2)}\n`,
);
