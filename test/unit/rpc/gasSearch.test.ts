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

  it("ends where geth's search ends", async () => {
    const gas = fc.bigInt(21_000n, 30_000_000n);
    const refund = fc.oneof(fc.constant(0n), fc.bigInt(0n, 5_000n));
    await fc.assert(
      fc.asyncProperty(gas, refund, fc.bigInt(0n, 2_000n), async (used, refunded, milli) => {
        // what a call needs beyond what it used is mostly little
        const needed = used + refunded + (used * milli * milli) / 10_000_000n;
        const high = 60_000_000n;
        if (needed > high) return;
        const { attempt } = needing(needed, used, refunded);
        const found = await searchGas(high, await attempt(high), attempt);
        assert.equal(found, gethEstimate(high, { used, refunded, needed }));
      }),
    );
  });

  it("needs one more try where no gas beyond what was used is needed", async () => {
    const { attempt, tries } = needing(100_000n, 100_000n, 0n);
    const found = await searchGas(30_000_000n, await attempt(30_000_000n), attempt);
    assert(found >= 100_000n);
    assert.equal(tries(), 2);
  });
});

/** The search of geth's eth/gasestimator, which tries limit after limit. */
function gethEstimate(
  high: bigint,
  call: { readonly used: bigint; readonly refunded: bigint; readonly needed: bigint },
): bigint {
  let low = call.used - 1n;
  let enough = high;
  const optimistic = ((call.used + call.refunded + 2_300n) * 64n) / 63n;
  if (optimistic < enough) {
    if (optimistic >= call.needed) enough = optimistic;
    else low = optimistic;
  }
  while (low + 1n < enough && Number(enough - low) / Number(enough) >= 0.015) {
    let middle = (enough + low) / 2n;
    if (middle > low * 2n) middle = low * 2n;
    if (middle >= call.needed) enough = middle;
    else low = middle;
  }
  return enough;
}
