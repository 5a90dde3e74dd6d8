/** How much gas a transaction needs: the search of geth's estimator, without knowledge of the EVM. */

/** One try with a gas limit. */
export interface GasTry {
  /** Why it failed; undefined on success. */
  readonly failure: string | undefined;
  /** Gas used after refunds. */
  readonly gasUsed: bigint;
  /** Gas refunded at the end, which had to be there while it ran. */
  readonly gasRefund: bigint;
}

/** Gas a callee keeps when value is sent (Yellow Paper, G_callstipend). */
const STIPEND = 2_300n;
/** The search ends when the limits are this near: 1.5 %, in thousandths. */
const TOLERANCE_MILLI = 15n;

/** Whether the transaction succeeds with this limit. */
type Judge = (gasLimit: bigint) => boolean | Promise<boolean>;

/**
 * Smallest limit (within 1.5 %) between what `highest` used and `high` at which the transaction succeeds.
 * `highest` is the try at `high`, which succeeded.
 */
export async function searchGas(
  high: bigint,
  highest: GasTry,
  attempt: (gasLimit: bigint) => GasTry | Promise<GasTry>,
): Promise<bigint> {
  const succeeds = async (gasLimit: bigint) => (await attempt(gasLimit)).failure === undefined;
  if (highest.gasRefund > 0n) return narrow(high, highest, succeeds);
  // Most calls need no more than they used, so that all tries succeed: where that ends is known, and one try tells.
  const end = await narrow(high, highest, () => true);
  if (end === high || (await succeeds(end))) return end;
  return narrow(high, highest, (gasLimit) => gasLimit > end && succeeds(gasLimit));
}

async function narrow(high: bigint, highest: GasTry, succeeds: Judge): Promise<bigint> {
  let low = highest.gasUsed - 1n;
  let enough = high;
  const ask = async (gasLimit: bigint) => {
    if (await succeeds(gasLimit)) enough = gasLimit;
    else low = gasLimit;
  };
  // Most calls need what they used, plus refunds, a stipend, and the 64th that every frame keeps back (EIP-150).
  const likely = ((highest.gasUsed + highest.gasRefund + STIPEND) * 64n) / 63n;
  if (likely < enough) await ask(likely);
  while (low + 1n < enough) {
    if ((enough - low) * 1_000n < enough * TOLERANCE_MILLI) break;
    const middle = (enough + low) / 2n;
    // Most calls need little more than they used: stay near the low end.
    await ask(middle > low * 2n ? low * 2n : middle);
  }
  return enough;
}
