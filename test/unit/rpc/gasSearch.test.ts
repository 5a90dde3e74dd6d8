import assert from "node:assert/strict";
import fc from "fast-check";
import { type GasTry, searchGas } from "../../../rpc/gasSearch.ts";

function needing(needed: bigint, used: bigint, refund: bigint) {
  let tries = 0;
  const attempt = async (gasLimit: bigint): Promise<GasTry> => {
    tries++;
    return gasLimit >= needed
      ? { failure: undefined, gasUsed: used, gasRefund: refund }
      : { failure: "out of gas", gasUsed: gasLimit, gasRefund: 0n };
  };
  return { attempt, tries: () => tries };
}

describe("searchGas", () => {
  it("finds a limit that suffices and is at most 1.5 % above the least", async () => {
    const gas = fc.bigInt(21_000n, 30_000_000n);
    await fc.assert(
      fc.asyncProperty(gas, fc.integer({ min: 50, max: 100 }), async (needed, percent) => {
        const used = (needed * BigInt(percent)) / 100n;
        const { attempt, tries } = needing(needed, used, 0n);
        const high = 60_000_000n;
        const found = await searchGas(high, await attempt(high), attempt);
        assert(found >= needed);
        assert((found - needed) * 1_000n <= found * 15n || found <= needed + 40_000n);
        assert(tries() <= 30);
      }),
    );
  });

  it("needs two tries when the first guess is near enough", async () => {
    const { attempt, tries } = needing(100_000n, 100_000n, 0n);
    const found = await searchGas(30_000_000n, await attempt(30_000_000n), attempt);
    assert(found >= 100_000n);
    assert(tries() < 10);
  });
});
