/**
 * The core of consensus: CPU of a step by kind of message at 4, 21 and 100 validators, the signature checks beside it, and
 * from the simulator orphans and time to finality against latency. Runs on recorded messages of a simulated network.
 */
import type { Broadcast, Event } from "../../src/consensus/core/events.ts";
import type { ConsensusState } from "../../src/consensus/core/state.ts";
import { encodeAckQC } from "../../src/types/certificate.ts";
import { encodeMacroHeader } from "../../src/types/macroHeader.ts";
import { runScenario } from "../../test/simulation/campaign.ts";
import { follow, recordMessages } from "../../test/simulation/follower.ts";
import { mlDsaKey } from "../../test/simulation/keys.ts";
import { quietScenario, type Scenario } from "../../test/simulation/scenario.ts";
import { World } from "../../test/simulation/world.ts";
import { median, table } from "../report.ts";
import { certificateCosts } from "./certificates.ts";

const SIZES = [4, 21, 100];
const LATENCIES: readonly (readonly [number, number])[] = [
  [10, 50],
  [50, 150],
  [50, 400],
  [100, 900],
];
/** Pending transactions for a block every 2 s, and every 0.25 s. */
const LOADS: readonly (readonly [string, number])[] = [
  ["2 s", 0],
  ["0.25 s", 10_000],
];
const REPETITIONS = 3;
const SIGNATURES = 200;

/** `--minutes N`: virtual time of each latency run, default 5. */
export async function consensusBench(args: readonly string[]): Promise<string> {
  const at = args.indexOf("--minutes");
  const minutes = at < 0 ? 5 : Number(args[at + 1]);
  return [
    "us of one step, median; a message costs its own step and that of its verified signature",
    "",
    table(
      [
        "validators",
        "vote",
        "ack",
        "block",
        "last block of an epoch",
        "AckQC bytes",
        "macro header bytes",
      ],
      SIZES.map(stepCosts),
    ),
    "",
    signatureCosts(),
    "",
    "checks of a certificate in a node, median",
    "",
    await certificateCosts(SIZES),
    "",
    `10 validators, ${minutes} virtual minutes, epochs of 90 blocks, K = 2`,
    "",
    table(
      [
        "latency ms",
        "cadence",
        "blocks",
        "orphans",
        "deepest reorganisation",
        "final after the 90th block, ms",
      ],
      LATENCIES.flatMap((latency) => LOADS.map((load) => latencyRow(latency, load, minutes))),
    ),
  ].join("\n");
}

function stepCosts(validators: number): readonly (string | number)[] {
  const world = new World(quietScenario(1, { validators, durationMs: 60_000, load: [0] }));
  const messages = recordMessages(world);
  const costs = new Map<string, number[]>();
  let state: ConsensusState | undefined;
  for (let i = 0; i < REPETITIONS; i++) state = replay(world, messages, costs);
  const us = (kind: string) => Math.round(median(costs.get(kind) ?? []) * 1000);
  const qc = state?.certificate;
  return [
    validators,
    us("vote"),
    us("ack"),
    us("block"),
    us("last block"),
    qc === undefined ? "none final" : encodeAckQC(qc).length,
    state === undefined ? "" : encodeMacroHeader(state.finalized.header).length,
  ];
}

/** Sums up the steps that belong to one message. */
function replay(
  world: World,
  messages: readonly Broadcast[],
  costs: Map<string, number[]>,
): ConsensusState {
  let kind = "";
  let sumMs = 0;
  const close = () => {
    const list = costs.get(kind) ?? [];
    list.push(sumMs);
    costs.set(kind, list);
    sumMs = 0;
  };
  return follow(world, messages, (event: Event, tookMs) => {
    if (event.type === "vote" || event.type === "ack" || event.type === "block") kind = event.type;
    sumMs += tookMs;
    if (event.type === "verified" && kind !== "block") close();
    if (event.type !== "executed" || !event.outcome.ok) return;
    if (event.outcome.candidates !== undefined) kind = "last block";
    close();
  });
}

function signatureCosts(): string {
  const key = mlDsaKey();
  const messages = Array.from({ length: SIGNATURES }, (_, i) => new Uint8Array(32).fill(i));
  const signing = timed(() => messages.map((message) => key.sign(message)));
  const verifying = timed(() =>
    messages.every((message, i) => key.verify(message, signing.result[i] ?? message)),
  );
  if (!verifying.result) throw new Error("a signature that does not verify");
  return `ML-DSA-44, OpenSSL, one thread: ${signing.us} us to sign, ${verifying.us} us to verify (seal, vote or ack)`;
}

function timed<T>(work: () => T): { readonly us: number; readonly result: T } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { us: Math.round((user + system) / SIGNATURES), result };
}

function latencyRow(
  [minDelayMs, maxDelayMs]: readonly [number, number],
  [cadence, load]: readonly [string, number],
  minutes: number,
): readonly (string | number)[] {
  const wish = { validators: 10, durationMs: minutes * 60_000, load: [load] };
  const quiet = quietScenario(1, wish);
  const scenario: Scenario = {
    ...quiet,
    network: { ...quiet.network, minDelayMs, maxDelayMs },
    config: { epochLength: 90, commitBlocks: 60, voteDelaySlots: 2 },
  };
  const { blocks, orphans, maxDepth, medianLagMs } = runScenario(scenario);
  const share = `${((100 * orphans) / blocks).toFixed(1)} %`;
  // an epoch of 90 blocks takes three minutes at the slow cadence
  const lag = Number.isNaN(medianLagMs) ? "none final" : Math.round(medianLagMs);
  return [`${minDelayMs}-${maxDelayMs}`, cadence, blocks, share, maxDepth, lag];
}
