/** A node without keys that hears what a network said, and whose every check and execution succeeds at once. */
import type { Action, Broadcast, Event } from "../../src/consensus/core/events.ts";
import { openConsensus } from "../../src/consensus/core/openConsensus.ts";
import type { ConsensusState } from "../../src/consensus/core/state.ts";
import { step } from "../../src/consensus/core/step.ts";
import type { World } from "./world.ts";

type EventBody = Event extends infer E
  ? E extends { nowMs: number }
    ? Omit<E, "nowMs">
    : never
  : never;

/** Runs the world and returns all messages that its first node made or received, as they came. */
export function recordMessages(world: World): readonly Broadcast[] {
  const said: Broadcast[] = [];
  world.onMessage = (node, message) => {
    if (node === 0) said.push(message);
  };
  world.run();
  return said;
}

/** A core at the genesis, without keys. */
export function newFollower({ params, genesis, timeline }: World): ConsensusState {
  const start = {
    nowMs: timeline.nowMs,
    point: genesis,
    certificate: undefined,
    justifications: [],
    blocks: [],
  };
  return openConsensus({ ...params, ownKeys: [] }, start)[0];
}

/** Hears of each event and how long it took, in ms. */
type StepListener = (event: Event, tookMs: number, state: ConsensusState) => void;

/** Feeds the messages in this order. */
export function follow(
  world: World,
  messages: readonly Broadcast[],
  onStep: StepListener = () => {},
): ConsensusState {
  const state = newFollower(world);
  feed(world, state, messages, { onStep });
  return state;
}

/** Feeds the messages to a core in this order. */
export function feed(
  world: World,
  state: ConsensusState,
  messages: readonly Broadcast[],
  listener: {
    readonly onStep?: StepListener;
    readonly onAction?: (action: Action) => void;
  } = {},
): void {
  const { nowMs } = world.timeline;
  for (const message of messages) {
    const queue: EventBody[] = [eventOf(message)];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const event = { ...next, nowMs } as Event;
      const startMs = performance.now();
      const [, actions] = step(state, event);
      listener.onStep?.(event, performance.now() - startMs, state);
      for (const action of actions) listener.onAction?.(action);
      queue.push(...actions.flatMap((action) => answerTo(world, action) ?? []));
    }
  }
}

function answerTo(world: World, action: Action): EventBody | undefined {
  if (action.type === "verify") {
    const valid = action.checks.map((check) => world.verify(check));
    return { type: "verified", id: action.id, valid };
  }
  if (action.type !== "execute") return undefined;
  const { hash, header } = action.block.block;
  const isLast = Number(header.number) % world.params.config.epochLength === 0;
  const candidates = isLast ? world.candidatesAt(hash) : undefined;
  return { type: "executed", hash, outcome: { ok: true, candidates } };
}

function eventOf(message: Broadcast): EventBody {
  const origin = { peer: "peer", token: undefined };
  if (message.topic === "micro") return { type: "block", block: message.block, origin };
  if (message.topic === "vote") return { type: "vote", vote: message.vote, origin };
  return { type: "ack", ack: message.ack, origin };
}
