/**
 * The process that test/crash/crash.test.ts kills: it opens a database on disk and makes or imports blocks as fast as it
 * can, telling of each one when it is acknowledged. Lines on stdout: `ready`, then `<number> <hash>`.
 * Arguments: produce | import, directory, file of blocks (import only).
 */
import { readFileSync, writeSync } from "node:fs";
import { enableCompileCache } from "node:module";

enableCompileCache();
const {
  devnetGenesis,
  mineTestBlock,
  openTestChain,
  splitBlocks,
  TEST_ADDRESSES,
  testTransaction,
} = await import("./chains.ts");

const [mode, path = "", file = ""] = process.argv.slice(2);
const STDOUT = 1;
const TRANSACTIONS = 3;

// everything is loaded ahead; the parent says when to begin
writeSync(STDOUT, "loaded\n");
await new Promise((resolve) => process.stdin.once("data", resolve));

const { chain } = await openTestChain(devnetGenesis(), { path });
const tell = () => writeSync(STDOUT, `${chain.head.header.number} ${chain.head.hash}\n`);
writeSync(STDOUT, "ready\n");

if (mode === "import") {
  const next = Number(chain.head.header.number);
  const blocks = splitBlocks(new Uint8Array(readFileSync(file))).slice(next);
  for (const [index, block] of blocks.entries()) {
    await chain.importBlock(block, undefined, { next: blocks[index + 1] });
    tell();
  }
} else {
  const sender = TEST_ADDRESSES[0];
  if (sender === undefined) throw new RangeError("there is a first test key");
  for (;;) {
    const nonce = Number(chain.stateAt(chain.head.hash).account(sender)?.nonce ?? 0n);
    const transactions = Array.from({ length: TRANSACTIONS }, (_, index) =>
      testTransaction(chain, 0, nonce + index),
    );
    await mineTestBlock(chain, transactions);
    tell();
  }
}
