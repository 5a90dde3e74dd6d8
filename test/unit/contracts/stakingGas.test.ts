/** What calls of the staking contract cost: contracts/staking/gas.txt, written anew with QNET_TEST_WRITE=1. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_ADDRESS } from "../../../src/execution/systemCalls.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { encodeSummary } from "../../../src/types/epochSummary.ts";
import { repositoryRoot } from "../../support/runTool.ts";
import { GWEI, ownerOf, type StakingChain, testKey } from "../../support/stakingChain.ts";
import { ack, evidence, seal, summary } from "../../support/stakingEvidence.ts";
import { chainOf, MIN, passEpochs, REPORTER, registerArgs } from "../../support/stakingScene.ts";

const FILE = join(repositoryRoot, "contracts/staking/gas.txt");
/** Signatures differ in their zero bytes, which cost less as calldata. */
const TOLERANCE = 0.02;
const ROWS = 100;

async function measure(): Promise<Map<string, bigint>> {
  const costs = new Map<string, bigint>();
  const chain = await chainOf();
  const send = async (label: string, ...call: Parameters<StakingChain["send"]>) => {
    const outcome = await chain.send(...call);
    assert.equal(outcome.error, undefined, label);
    costs.set(label, outcome.gasUsed);
  };
  const [owner, key] = [ownerOf(1), testKey(1)];
  chain.fund(ownerOf(9), MIN * GWEI);
  chain.fund(owner, GWEI);
  await send("register", ownerOf(9), "register", await registerArgs(chain, 9), MIN * GWEI);
  await send("topUp", owner, "topUp", [1], GWEI);
  const rotation = (await registerArgs(chain, 8, owner)).slice(0, 2);
  await send("rotateKey", owner, "rotateKey", [1, ...rotation]);
  await chain.endEpoch(summary(1, [{ id: 1, reward: 5n }]));
  await send("claim", owner, "claim", [1]);
  const signed = (a: ReturnType<typeof ack>, b: ReturnType<typeof ack>) =>
    evidence(chain, 1, { message: a, key }, { message: b, key });
  const seals = signed(seal(1, 3), seal(1, 3, 0, 1));
  await send("slashDoubleSeal", REPORTER, "slashDoubleSeal", seals);
  await send("requestExit", owner, "requestExit", [1]);
  const acks = signed(ack(1, 1), ack(1, 1, 1));
  await send("slashDoubleVote", REPORTER, "slashDoubleVote", acks);
  await passEpochs(chain, 2, 2, []);
  chain.timestamp += 10_000n;
  await send("withdraw", owner, "withdraw", [1]);
  return costs;
}

/** The system call as a transaction of SYSTEM: 21,000 and the calldata are in it, which the real call does not pay. */
async function measureEpoch(jailed: boolean): Promise<bigint> {
  const chain = await chainOf(Array.from({ length: ROWS }, () => MIN));
  const rows = Array.from({ length: ROWS }, (_, id) => ({ id, reward: 1n }));
  const idle = rows.map(({ id }) => ({ id, made: 0, missed: 1, voted: false }));
  let epoch = 1;
  // reputation just above the jail: the next idle epoch jails everybody
  for (; jailed && epoch <= 28; epoch++) await chain.endEpoch(summary(epoch, idle));
  if (!jailed) await chain.endEpoch(summary(epoch++, rows));
  const data = bytesToHex(encodeSummary(summary(epoch, jailed ? idle : rows)));
  const outcome = await chain.send(SYSTEM_ADDRESS, "onEpoch", [data]);
  assert.equal(outcome.error, undefined);
  return outcome.gasUsed;
}

describe("Staking: gas", function () {
  this.timeout(120_000);

  it("is what contracts/staking/gas.txt says", async () => {
    const costs = await measure();
    costs.set(`onEpoch, ${ROWS} members`, await measureEpoch(false));
    costs.set(`onEpoch, ${ROWS} members jailed at once`, await measureEpoch(true));
    if (process.env["QNET_TEST_WRITE"] !== undefined) {
      const lines = [...costs].map(([name, gas]) => `${String(gas).padStart(10)}  ${name}`);
      writeFileSync(FILE, `${lines.join("\n")}\n`);
    }
    const written = readFileSync(FILE, "utf8").trimEnd().split("\n");
    assert.equal(written.length, costs.size);
    for (const line of written) {
      const [, gas = "", name = ""] = /^ *(\d+) {2}(.*)$/.exec(line) ?? [];
      const ratio = Number(costs.get(name) ?? 0n) / Number(gas);
      assert.ok(Math.abs(ratio - 1) < TOLERANCE, `${name}: ${costs.get(name)}, not ${gas}`);
    }
  });
});
