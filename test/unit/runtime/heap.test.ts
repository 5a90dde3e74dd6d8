import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const MEGABYTE = 1024 * 1024;
const MODULE = new URL("../../../src/runtime/heap.ts", import.meta.url).href;

/** Makes objects of which the newest 100,000 stay alive, with turns in between; prints the bytes of the young generation. */
const program = (bounded: boolean) => `
  import { getHeapSpaceStatistics } from "node:v8";
  ${bounded ? `(await import(${JSON.stringify(MODULE)})).boundHeap();` : ""}
  const keep = [];
  for (let round = 0; round < 300; round++) {
    for (let i = 0; i < 20_000; i++) keep[i % 100_000] = { i, pair: [i, i + 1], text: "x" + i };
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  console.log(getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size);
`;

async function youngBytes(bounded: boolean): Promise<number> {
  const args = ["--input-type=module", "--eval", program(bounded)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 30_000 });
  return Number(stdout);
}

describe("boundHeap", () => {
  it("keeps the young generation small, where V8 would take more", async () => {
    const [bounded, free] = await Promise.all([youngBytes(true), youngBytes(false)]);
    assert.ok(bounded <= 64 * MEGABYTE, `${bounded} bytes`);
    assert.ok(bounded < free || free <= 32 * MEGABYTE, `${bounded} of ${free} bytes`);
  }).timeout(30_000);
});
