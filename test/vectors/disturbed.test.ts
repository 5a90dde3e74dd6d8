/**
 * State tests with something changed, which no published value covers: the `state-test` command beside stock libraries.
 * More cases: QNET_TEST_DISTURBED=1000 QNET_TEST_SEED=7 mocha test/vectors/disturbed.test.ts
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { Field } from "../../cli/fixtures/json.ts";
import { runStateTests } from "../../cli/fixtures/stateTest.ts";
import { sample } from "../../cli/fixtures/suite.ts";
import { describeFixtures, evmFixturesDir, jsonFiles } from "../support/fixtures.ts";
import {
  isReferenceFork,
  referenceVerdict,
  type StateTestJson,
  type StateTestPost,
} from "../support/referenceVm.ts";

const CASES = Number(process.env["QNET_TEST_DISTURBED"] ?? 120);
const SEED = Number(process.env["QNET_TEST_SEED"] ?? 1);
const ATTEMPTS_PER_CASE = 4;

/** Whole numbers below a limit, the same for a seed. */
type Pick = (below: number) => number;

function pickerOf(seed: number): Pick {
  let state = (seed * 0x9e3779b9) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0 || 1;
    return state % below;
  };
}

interface Case {
  readonly test: StateTestJson;
  readonly fork: string;
  readonly post: StateTestPost;
}

function word(pick: Pick): `0x${string}` {
  return `0x${(pick(2) === 0 ? pick(4) : pick(2 ** 32)).toString(16).padStart(64, "0")}`;
}

/** Each changes one thing and says which; undefined: there is nothing of the kind. */
const DISTURBANCES: readonly ((one: Case, pick: Pick) => string | undefined)[] = [
  function codeByte({ test }, pick) {
    const contracts = Object.entries(test.pre).filter(([, { code }]) => code.length > 2);
    const [address, account] = contracts[pick(contracts.length || 1)] ?? [];
    if (account === undefined) return undefined;
    const code = Buffer.from(account.code.slice(2), "hex");
    const at = pick(code.length);
    code[at] = pick(256);
    account.code = `0x${code.toString("hex")}`;
    return `code byte ${at} of ${address}`;
  },
  function slot({ test }, pick) {
    const accounts = Object.entries(test.pre);
    const [address, account] = accounts[pick(accounts.length)] ?? [];
    // storage without code or nonce is no state that a chain can have (EIP-7610)
    if (account === undefined || account.code.length <= 2) return undefined;
    const known = Object.keys(account.storage);
    const key = known[pick(known.length + 1)] ?? `0x${pick(4).toString(16)}`;
    account.storage[key] = word(pick);
    return `slot ${key} of ${address}`;
  },
  function balance({ test }, pick) {
    const accounts = Object.entries(test.pre);
    const [address, account] = accounts[pick(accounts.length)] ?? [];
    if (account === undefined) return undefined;
    account.balance = `0x${(BigInt(account.balance) + BigInt(pick(1000)) - 500n).toString(16)}`;
    if (account.balance.startsWith("0x-")) account.balance = "0x0";
    return `balance of ${address}`;
  },
  function nonce({ test }, pick) {
    const accounts = Object.entries(test.pre).filter(([, { code }]) => code.length > 2);
    const [address, account] = accounts[pick(accounts.length || 1)] ?? [];
    if (account === undefined) return undefined;
    account.nonce = `0x${(1 + pick(300)).toString(16)}`;
    return `nonce of ${address}`;
  },
  function removal({ test }, pick) {
    const addresses = Object.keys(test.pre);
    const address = addresses[pick(addresses.length)];
    delete test.pre[address as keyof typeof test.pre];
    return `no account ${address}`;
  },
  ...(["currentTimestamp", "currentNumber", "currentBaseFee", "currentGasLimit"] as const).map(
    (name) => (one: Case, pick: Pick) => {
      const old = one.test.env[name];
      if (old === undefined) return undefined;
      one.test.env[name] = `0x${(BigInt(old) + BigInt(pick(200))).toString(16)}`;
      return name;
    },
  ),
  function random({ test }, pick) {
    test.env["currentRandom"] = word(pick);
    return "currentRandom";
  },
  function coinbase({ test }, pick) {
    const addresses = Object.keys(test.pre);
    const address = addresses[pick(addresses.length)];
    if (address === undefined) return undefined;
    test.env["currentCoinbase"] = `0x${address.replace(/^0x/, "")}`;
    return `coinbase ${address}`;
  },
];

function casesOf(file: string): Case[] {
  const tests: Record<string, StateTestJson> = JSON.parse(readFileSync(file, "utf8"));
  return Object.values(tests).flatMap((test) =>
    Object.entries(test.post ?? {})
      .filter(([fork]) => isReferenceFork(fork))
      .flatMap(([fork, posts]) =>
        // what a published case refuses may be a rule that the library leaves to its caller
        posts
          .filter((post) => post.txbytes !== undefined && post.expectException === undefined)
          .map((post) => ({ test, fork, post })),
      ),
  );
}

function disturb(one: Case, pick: Pick): { readonly copy: Case; readonly what: string[] } {
  const test = structuredClone(one.test);
  const { hash: _hash, logs: _logs, ...post } = one.post;
  const copy = { test: { ...test, post: { [one.fork]: [post] } }, fork: one.fork, post };
  const what: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS_PER_CASE && what.length < 2; attempt++) {
    const change = DISTURBANCES[pick(DISTURBANCES.length)]?.(copy, pick);
    if (change !== undefined) what.push(change);
  }
  return { copy, what };
}

async function recordOf({ test }: Case): Promise<Record<string, unknown>> {
  const field = new Field({ renamed: test }, "test");
  for await (const record of runStateTests("renamed.json", field, () => true)) return { ...record };
  throw new RangeError("a case without record");
}

describeFixtures("state-test beside @ethereumjs/vm", evmFixturesDir(), (directory) => {
  it(`agrees on ${CASES} disturbed cases without expected values, seed ${SEED}`, async function () {
    this.timeout(60_000 + CASES * 500);
    const pick = pickerOf(SEED);
    const files = jsonFiles(directory).filter((file) => file.includes("/state_tests/"));
    let executed = 0;
    let changed = 0;
    let ran = 0;
    for (const file of sample(files, files.length, SEED)) {
      if (ran >= CASES) break;
      const cases = casesOf(file);
      const one = cases[pick(cases.length || 1)];
      if (one === undefined) continue;
      ran++;
      const { copy, what } = disturb(one, pick);
      const expected = await referenceVerdict(copy.test, copy.fork, copy.post);
      const { stateRoot, logsHash, gasUsed, pass, error } = await recordOf(copy);
      const where = `seed ${SEED}, ${relative(directory, file)}, ${copy.fork}, ${what.join(" and ")}; ${error}`;
      assert.equal(pass, null, where);
      assert.deepEqual({ stateRoot, logsHash, gasUsed }, expected, where);
      if (expected.gasUsed !== null) executed++;
      if (stateRoot !== one.post.hash) changed++;
    }
    assert.ok(executed > ran / 2, `${executed} of ${ran} were executed`);
    assert.ok(changed > ran / 2, `${changed} of ${ran} give another root than published`);
  });
});
