/** What a seed means: how many validators, who of them is a traitor, and what goes wrong when. */
import type { NetworkOptions } from "./network.ts";
import { Random } from "./random.ts";
import type { Treason } from "./simNode.ts";

export interface ScenarioCut {
  readonly fromMs: number;
  readonly toMs: number;
  readonly isCut: (from: number, to: number) => boolean;
}

export interface Scenario {
  readonly seed: number;
  readonly name: string;
  readonly durationMs: number;
  /** From here on nothing fails but the traitors. */
  readonly healMs: number;
  readonly validators: number;
  /** Validators that are in no set at first. */
  readonly standby: number;
  readonly nodes: readonly { readonly validator: number; readonly treason: Treason }[];
  /** Traitors hold less than a third of every set. */
  readonly isSafe: boolean;
  readonly changesSets: boolean;
  readonly realSignatures: boolean;
  readonly config: {
    readonly epochLength: number;
    readonly commitBlocks: number;
    readonly voteDelaySlots: number;
  };
  readonly network: NetworkOptions;
  readonly relays: boolean;
  readonly cuts: readonly ScenarioCut[];
  readonly crashes: readonly {
    readonly node: number;
    readonly atMs: number;
    readonly downMs: number;
  }[];
  readonly skewMs: readonly number[];
  readonly clockJumps: readonly {
    readonly node: number;
    readonly atMs: number;
    readonly byMs: number;
  }[];
  /** Pending transactions, one phase after the other. */
  readonly load: readonly number[];
  readonly loadPhaseMs: number;
  readonly slownessMs: number;
}

export const TREASONS: readonly Treason[] = [
  { unsafe: true, equivocates: true },
  { unsafe: true, sendsRubbish: true },
  { withholdsBlocksMs: 2500 },
  { withholdsVotesMs: Number.POSITIVE_INFINITY },
  { withholdsVotesMs: 40_000 },
  { unsafe: true, votesTwice: true },
  { hidesReveals: true },
  { sendsStaleCertificates: true },
  {
    unsafe: true,
    equivocates: true,
    votesTwice: true,
    sendsStaleCertificates: true,
    hidesReveals: true,
  },
];

export const LATENCIES: readonly (readonly [number, number])[] = [
  [10, 50],
  [30, 150],
  [50, 400],
  [100, 900],
];

export interface ScenarioWish {
  readonly validators: number;
  readonly durationMs: number;
  readonly realSignatures?: boolean;
}

/** The scenario of a seed with traitors below a third. */
export function randomScenario(seed: number, wish: ScenarioWish): Scenario {
  const random = new Random(seed);
  const { validators, durationMs } = wish;
  const changesSets = random.chance(0.5);
  const standby = changesSets ? 2 : 0;
  const traitors = random.between(0, Math.floor((validators - 1) / 3));
  const who = new Set(random.shuffle(range(validators)).slice(0, traitors));
  const isTwin = random.chance(0.25);
  const nodes = range(validators + standby).flatMap((validator): Scenario["nodes"] => {
    if (!who.has(validator)) return [{ validator, treason: {} }];
    const treason = random.pick(TREASONS);
    // twins: one key on two machines, neither of which knows of the other
    if (isTwin) return [0, 1].map(() => ({ validator, treason: { unsafe: true } }));
    return [{ validator, treason }];
  });
  const healMs = durationMs / 2;
  const [minDelayMs, maxDelayMs] = random.pick(LATENCIES);
  const isQuiet = random.chance(0.2);
  const epochLength = random.pick([6, 12, 24, 90]);
  return {
    seed,
    name: `n${validators} f${traitors}${isTwin ? " twins" : ""}`,
    durationMs,
    healMs,
    validators,
    standby,
    nodes,
    isSafe: true,
    changesSets,
    realSignatures: wish.realSignatures === true,
    config: {
      epochLength,
      commitBlocks: Math.floor((2 * epochLength) / 3),
      voteDelaySlots: random.pick([0, 1, 2, 2]),
    },
    network: {
      minDelayMs,
      maxDelayMs,
      loss: isQuiet ? 0 : random.pick([0, 0.01, 0.05]),
      duplication: isQuiet ? 0 : 0.02,
      straggling: isQuiet ? 0 : 0.01,
    },
    relays: true,
    cuts: isQuiet ? [] : cutsOf(random, nodes.length, healMs),
    crashes: isQuiet ? [] : crashesOf(random, nodes.length, healMs),
    skewMs: nodes.map(() => (isQuiet ? 0 : random.between(-200, 200))),
    clockJumps: isQuiet ? [] : jumpsOf(random, nodes.length, healMs),
    // four calm phases and one that may be busy
    load: [
      ...range(4).map(() => random.pick([0, 0, 50, 200, 1000])),
      random.pick([0, 3000, 10_000]),
    ],
    loadPhaseMs: 60_000,
    slownessMs: random.pick([20, 40, 90]),
  };
}

/** Nothing goes wrong: one node for each validator, epochs of 12 blocks, blocks as fast as the load wants. */
export function quietScenario(
  seed: number,
  wish: ScenarioWish & { readonly load: readonly number[] },
): Scenario {
  const { validators, durationMs, load } = wish;
  return {
    seed,
    name: `quiet n${validators}`,
    durationMs,
    healMs: 0,
    validators,
    standby: 0,
    nodes: range(validators).map((validator) => ({ validator, treason: {} })),
    isSafe: true,
    changesSets: false,
    realSignatures: wish.realSignatures === true,
    config: { epochLength: 12, commitBlocks: 8, voteDelaySlots: 1 },
    network: { minDelayMs: 30, maxDelayMs: 150, loss: 0, duplication: 0, straggling: 0 },
    relays: false,
    cuts: [],
    crashes: [],
    skewMs: [],
    clockJumps: [],
    load,
    loadPhaseMs: 30_000,
    slownessMs: 20,
  };
}

/**
 * An attack that breaks finality: traitors hold a third or more, run one copy of themselves on each side of a cut, and
 * sign for both. Honest nodes are split in two.
 */
export function splitAttack(seed: number, validators: number): Scenario {
  const base = randomScenario(seed, { validators, durationMs: 300_000 });
  const traitors = Math.ceil(validators / 3);
  const nodes = [
    ...range(validators).map((validator) => ({
      validator,
      treason: validator < traitors ? { unsafe: true } : {},
    })),
    ...range(traitors).map((validator) => ({ validator, treason: { unsafe: true } })),
  ];
  // honest nodes alternate; copies of traitors stand on the other side
  const sideOf = (node: number) => (node >= validators ? 1 : node < traitors ? 0 : node % 2);
  return {
    ...base,
    name: `attack n${validators} f${traitors}`,
    standby: 0,
    nodes,
    isSafe: false,
    changesSets: false,
    config: { epochLength: 12, commitBlocks: 8, voteDelaySlots: 1 },
    network: { minDelayMs: 30, maxDelayMs: 150, loss: 0, duplication: 0, straggling: 0 },
    cuts: [{ fromMs: 0, toMs: 240_000, isCut: (a, b) => sideOf(a) !== sideOf(b) }],
    crashes: [],
    skewMs: [],
    clockJumps: [],
    healMs: 240_000,
    durationMs: 300_000,
  };
}

function cutsOf(random: Random, nodes: number, healMs: number): readonly ScenarioCut[] {
  const cuts: ScenarioCut[] = [];
  for (let i = random.between(0, 3); i > 0; i--) {
    const fromMs = random.between(0, healMs);
    const toMs = Math.min(healMs, fromMs + random.between(5_000, 120_000));
    const side = new Set(random.shuffle(range(nodes)).slice(0, random.between(1, nodes - 1)));
    const isOneWay = random.chance(0.3);
    const isFlapping = random.chance(0.3);
    const isCut = (a: number, b: number) =>
      isOneWay ? side.has(a) && !side.has(b) : side.has(a) !== side.has(b);
    if (!isFlapping) cuts.push({ fromMs, toMs, isCut });
    else
      for (let at = fromMs; at < toMs; at += 10_000)
        cuts.push({ fromMs: at, toMs: Math.min(toMs, at + 5_000), isCut });
  }
  return cuts;
}

function crashesOf(random: Random, nodes: number, healMs: number): Scenario["crashes"] {
  return range(random.between(0, 4)).map(() => {
    const atMs = random.between(1_000, healMs - 2_000);
    const downMs = Math.min(healMs - atMs, random.between(100, 90_000));
    return { node: random.between(0, nodes - 1), atMs, downMs };
  });
}

function jumpsOf(random: Random, nodes: number, healMs: number): Scenario["clockJumps"] {
  return range(random.between(0, 2)).map(() => ({
    node: random.between(0, nodes - 1),
    atMs: random.between(0, healMs),
    byMs: random.between(-150, 150),
  }));
}

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index);
}
