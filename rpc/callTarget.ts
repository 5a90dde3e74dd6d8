/** Where a call runs: a state of its own, the block it sees, and the rules in force there. */
import { type BlockEnv, type ExecutionContext, envOf } from "../src/execution/evm.ts";
import { applyOverrides, type StateOverrides } from "../src/execution/stateOverrides.ts";
import type { State } from "../src/state/state.ts";
import type { BlockId } from "./blockId.ts";
import type { RpcContext } from "./context.ts";
import type { OwnState } from "./headStates.ts";
import { type BlockOverrides, overrideBlock } from "./overrides.ts";
import { pendingWork } from "./pending.ts";
import { needHeader } from "./resolve.ts";

/** What calls run on, one after the other: each leaves the state as it found it. */
export interface CallSite {
  readonly state: State;
  readonly env: BlockEnv;
  readonly execution: ExecutionContext;
  /** Where the State can be given back to when the calls on it are over */
  readonly own?: OwnState;
}

/** What the caller wants to differ from the block that was named. */
export interface Overrides {
  readonly state?: StateOverrides | undefined;
  readonly block?: BlockOverrides | undefined;
}

/** A block and the state after it as calls see them. */
function siteAt(context: RpcContext, id: Exclude<BlockId, "pending">): CallSite {
  const { node, states, offload } = context;
  const { header, hash } = needHeader(node.chain, id);
  const own = states.take(hash);
  const execution = { ...node.chain.contextFor(header), offload };
  return { state: own.state, env: envOf(header), execution, own };
}

/** The next block and its state as calls see them. */
async function pendingSite({ node, offload }: RpcContext): Promise<CallSite> {
  const { calls, env, block } = await pendingWork(node);
  const own = calls.take();
  const execution = { ...node.chain.contextFor(block.header), offload };
  return { state: own.state, env, execution, own };
}

function withOverrides(site: CallSite, overrides: Overrides): CallSite {
  if (overrides.state === undefined && overrides.block === undefined) return site;
  const movedPrecompiles = applyOverrides(site.state, overrides.state, site.execution.rules);
  return {
    state: site.state,
    env: overrideBlock(site.env, overrides.block),
    execution: { ...site.execution, movedPrecompiles },
  };
}

/** Finds the block and applies the overrides to a State of its own. Throws HEADER_NOT_FOUND, OverrideError. */
export function callTarget(
  context: RpcContext,
  id: BlockId,
  overrides: Overrides = {},
): CallSite | Promise<CallSite> {
  if (id === "pending") {
    return pendingSite(context).then((site) => withOverrides(site, overrides));
  }
  return withOverrides(siteAt(context, id), overrides);
}

/** The target named by the parameters of a call after its transaction: block and overrides. */
export function callTargetOf(
  context: RpcContext,
  where: readonly [BlockId, StateOverrides | undefined, BlockOverrides | undefined],
): CallSite | Promise<CallSite> {
  const [id, state, block] = where;
  return callTarget(context, id, { state, block });
}

/** Ends the use of a site whose calls left its State as it was. */
export function releaseSite({ own }: CallSite): void {
  own?.home?.giveBack(own);
}
