/** Where a call runs: a state of its own, the block it sees, and the rules in force there. */
import { type BlockEnv, type ExecutionContext, envOf } from "../src/execution/evm.ts";
import { applyOverrides, type StateOverrides } from "../src/execution/stateOverrides.ts";
import type { State } from "../src/state/state.ts";
import type { BlockId } from "./blockId.ts";
import type { RpcContext } from "./context.ts";
import { type BlockOverrides, overrideBlock } from "./overrides.ts";
import { pendingWork } from "./pending.ts";
import { needHeader } from "./resolve.ts";

/** What calls run on, one after the other: each leaves the state as it found it. */
export interface CallSite {
  readonly state: State;
  readonly env: BlockEnv;
  readonly execution: ExecutionContext;
}

/** What the caller wants to differ from the block that was named. */
export interface Overrides {
  readonly state?: StateOverrides | undefined;
  readonly block?: BlockOverrides | undefined;
}

/** A block and the state after it as calls see them; "pending": as the next block would show them. */
async function siteAt({ node }: RpcContext, id: BlockId): Promise<CallSite> {
  const { chain } = node;
  if (id === "pending") {
    const { state, env, block } = await pendingWork(node);
    return { state: state.copy(), env, execution: chain.contextFor(block.header) };
  }
  const { header, hash } = needHeader(chain, id);
  return { state: chain.stateAt(hash), env: envOf(header), execution: chain.contextFor(header) };
}

/** Finds the block and applies the overrides to a State of its own. Throws HEADER_NOT_FOUND, OverrideError. */
export async function callTarget(
  context: RpcContext,
  id: BlockId,
  overrides: Overrides = {},
): Promise<CallSite> {
  const site = await siteAt(context, id);
  if (overrides.state === undefined && overrides.block === undefined) return site;
  const movedPrecompiles = applyOverrides(site.state, overrides.state, site.execution.rules);
  return {
    state: site.state,
    env: overrideBlock(site.env, overrides.block),
    execution: { ...site.execution, movedPrecompiles },
  };
}

/** The target named by the parameters of a call after its transaction: block and overrides. */
export function callTargetOf(
  context: RpcContext,
  where: readonly [BlockId, StateOverrides | undefined, BlockOverrides | undefined],
): Promise<CallSite> {
  const [id, state, block] = where;
  return callTarget(context, id, { state, block });
}
