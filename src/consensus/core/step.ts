/**
 * The core of consensus: a reducer. It owns the rules of blocks, votes, acks, finality and fork choice, and knows no clock,
 * disk, socket, log or randomness: time comes in with the events, everything else goes out as actions, the same for the same
 * events. The engine of the node and the simulator of the tests drive the same code.
 *
 *   event → step → blocks.ts    judge → verify → execute → insert ┐
 *                  gossip.ts    window → verify → count           ├→ choose head → vote, ack → prune
 *                  duties.ts    tick → build → sign → publish     ┘
 *
 * Whoever calls it owns the state, which is changed in place; `structuredClone(state)` is a snapshot.
 * Source: docs/consensus.md §14.
 */
import {
  finishExecution,
  finishSignatures,
  pruneIncoming,
  releaseEarly,
  takeBlock,
} from "./blocks.ts";
import {
  finishBuild,
  finishSignature,
  onPropose,
  onTick,
  proposeIfDue,
  voteAndAck,
} from "./duties.ts";
import type { Action, Event } from "./events.ts";
import { pruneTallies } from "./finality.ts";
import { finishCertificate, finishMessage, takeAck, takeCertificate, takeVote } from "./gossip.ts";
import type { ConsensusState, Pending } from "./state.ts";
import { takeAnswer, takeStatus } from "./sync.ts";
import { chooseHead, nodeOf, pruneTree, reorgDepth } from "./tree.ts";

/** A reorganisation of more blocks than this raises an alarm. */
const DEEP_REORG = 30;

/** Takes one event. The returned state is the given one, changed. */
export function step(
  state: ConsensusState,
  event: Event,
): readonly [ConsensusState, readonly Action[]] {
  const out: Action[] = [];
  state.nowMs = Math.max(state.nowMs, event.nowMs);
  if (state.early.size > 0) releaseEarly(state, out);
  handle(state, event, out);
  settle(state, out);
  return [state, out];
}

/** Head, own votes and pruning, after anything that may have moved them. */
export function settle(state: ConsensusState, out: Action[]): void {
  const before = state.head;
  const head = chooseHead(state);
  if (head !== before) {
    const depth = reorgDepth(state, before, head);
    state.head = head;
    out.push({ type: "setHead", point: nodeOf(state, head).point, depth });
    if (depth > DEEP_REORG) out.push({ type: "alarm", alarm: { code: "DEEP_REORG", depth } });
  }
  const root = state.finalized.header.lastBlockHash;
  if (root !== state.root) {
    pruneTree(state, root);
    pruneTallies(state);
    pruneIncoming(state, out);
  }
  voteAndAck(state, out);
  proposeIfDue(state, out);
}

function handle(state: ConsensusState, event: Event, out: Action[]): void {
  switch (event.type) {
    case "tick":
      onTick(state, event, out);
      return;
    case "propose":
      onPropose(state, event, out);
      return;
    case "wake":
      return;
    case "block":
      takeBlock(state, event.block, event.origin, out);
      return;
    case "vote":
      takeVote(state, event.vote, event.origin, out);
      return;
    case "ack":
      takeAck(state, event.ack, event.origin, out);
      return;
    case "ackCertificate":
    case "voteCertificate":
      takeCertificate(state, event, event.origin, out);
      return;
    case "status":
      takeStatus(state, event.peer, event.status, out);
      return;
    case "fetched": {
      const answer = takeAnswer(state, event.id, event.blocks, out);
      const origin = { peer: answer?.peer ?? "", token: undefined };
      for (const block of answer?.blocks ?? []) takeBlock(state, block, origin, out);
      return;
    }
    case "executed":
      finishExecution(state, event.hash, event.outcome, out);
      return;
    case "verified":
    case "built":
    case "notBuilt":
    case "signed":
    case "notSigned":
      handleAnswer(state, event, out);
      return;
  }
}

type Answer = Extract<Event, { type: "verified" | "built" | "notBuilt" | "signed" | "notSigned" }>;

/** An answer under a number; one that nobody waits for, or of another kind, changes nothing. */
function handleAnswer(state: ConsensusState, event: Answer, out: Action[]): void {
  const pending = state.pending.get(event.id);
  state.pending.delete(event.id);
  if (pending === undefined) return;
  if (event.type === "verified") handleVerified(state, pending, event.valid, out);
  else if (event.type === "built" && pending.type === "build")
    finishBuild(state, pending.plan, event, out);
  else if (event.type === "signed" && pending.type === "sign")
    finishSignature(state, pending, event.message, out);
}

function handleVerified(
  state: ConsensusState,
  pending: Pending,
  valid: readonly boolean[],
  out: Action[],
): void {
  if (pending.type === "block") finishSignatures(state, pending, valid, out);
  if (pending.type === "certificate") finishCertificate(state, pending, valid, out);
  if (pending.type === "vote" || pending.type === "ack")
    finishMessage(state, pending, valid[0] === true, out);
}
