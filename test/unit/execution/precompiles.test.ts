import assert from "node:assert/strict";
import { pqAlgorithm } from "../../../src/crypto/pqAlgorithms.ts";
import { nativeBackend, type PqBackend } from "../../../src/crypto/pqBackends.ts";
import { mlDsaPublicKey, signMlDsa } from "../../../src/crypto/pqKeys.ts";
import { PqVerifier } from "../../../src/crypto/pqVerifier.ts";
import { ExecutionFault, isPrecompile } from "../../../src/execution/evm.ts";
import { executeCall } from "../../../src/execution/executeCall.ts";
import { type Precompile, precompilesFor } from "../../../src/execution/precompiles/table.ts";
import { EMPTY_BYTES } from "../../../src/primitives/bytes.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import type { Rules } from "../../../src/types/forks.ts";
import { parseGenesis } from "../../../src/types/genesis.ts";
import { devnetGenesis, plainGenesis } from "../../support/chains.ts";
import { addressAt, contextFor, envFor, stateWith } from "../../support/execution.ts";
import { FORWARDER, forwarded, succeeded } from "../../support/pqVectors.ts";

const text = new TextEncoder();
const SEED = new Uint8Array(32).fill(9);
const KEY = mlDsaPublicKey("ML-DSA-44", SEED);
const ONE = `0x${"1".padStart(64, "0")}`;
const ZERO = `0x${"0".repeat(64)}`;
const MLDSA44 = addressAt(0x12);
const PQVERIFY = addressAt(0x5100);
const caller = addressAt(0xf0);

interface EntryJson {
  readonly address: string;
  readonly algorithm?: string;
  [key: string]: unknown;
}

/** Rules at a time of a development network whose precompile map was changed. */
function rulesAt(timestamp: bigint, change?: (entries: EntryJson[]) => void): Rules {
  const json = JSON.parse(
    JSON.stringify(devnetGenesis().json, (_k, v) => (typeof v === "bigint" ? v.toString() : v)),
  );
  // whose keys the map would have to verify
  json.config.qnet.consensus.validators = [];
  change?.(json.config.qnet.precompiles);
  return parseGenesis(json).config.forks.rules({ number: 1n, timestamp, difficulty: 0n });
}

const rules = rulesAt(1n);

function at(address: string, under: Rules = rules): Precompile {
  const found = precompilesFor(under).find((one) => one.address === address);
  assert.ok(found);
  return found;
}

const verifier = new PqVerifier();
const run = async (one: Precompile, input: Uint8Array) =>
  bytesToHex(await one.run(input, verifier));

function signedInput(message: Uint8Array, context: Uint8Array = EMPTY_BYTES): Uint8Array {
  return Buffer.concat([KEY, signMlDsa("ML-DSA-44", SEED, message, context), message]);
}

describe("precompilesFor", () => {
  it("is empty without a map in the genesis", () => {
    const plain = plainGenesis().config.forks.rules({ number: 1n, timestamp: 1n, difficulty: 0n });
    assert.deepEqual(precompilesFor(plain), []);
    assert.equal(isPrecompile(MLDSA44, plain), false);
    assert.equal(isPrecompile(MLDSA44, rules), true);
  });

  it("follows time and until of the entries", () => {
    const change = (entries: EntryJson[]) => {
      const [first] = entries;
      assert.ok(first);
      first["until"] = 100;
      entries.push({ ...first, time: 100, until: 200, baseGas: 7_000 });
    };
    const price = (time: bigint) => {
      const active = precompilesFor(rulesAt(time, change));
      return active.find(({ address }) => address === MLDSA44)?.gas(EMPTY_BYTES);
    };
    assert.deepEqual([0n, 99n, 100n, 199n, 200n].map(price), [
      6_500n,
      6_500n,
      7_000n,
      7_000n,
      undefined,
    ]);
    const schedule = parseGenesis({
      ...JSON.parse(JSON.stringify(devnetGenesis().json)),
    }).config.forks.extensions;
    assert.deepEqual(schedule.points, []);
  });

  it("runs on every algorithm of the table", async () => {
    const name = "SLH-DSA-SHA2-192f";
    const scheduled = rulesAt(1n, (entries) => {
      entries.push({ ...entries[0], address: addressAt(0x5116), algorithm: name, name });
    });
    const { publicKeyBytes, signatureBytes } = pqAlgorithm(name);
    const input = new Uint8Array(publicKeyBytes + signatureBytes);
    assert.equal(await run(at(addressAt(0x5116), scheduled), input), ZERO);
  });
});

describe("verifyPrecompile", () => {
  const precompile = at(MLDSA44);
  const fixed = KEY.length + 2420;

  it("charges begun words of message only", () => {
    const price = (length: number) => precompile.gas(new Uint8Array(length));
    assert.deepEqual(
      [0, fixed - 1, fixed, fixed + 1, fixed + 31, fixed + 32, fixed + 33].map(price),
      [6_500n, 6_500n, 6_500n, 6_506n, 6_506n, 6_506n, 6_512n],
    );
  });

  it("answers 1 to a signature over the rest of the input, empty or not", async () => {
    for (const length of [0, 31, 32, 33]) {
      const input = signedInput(new Uint8Array(length).fill(3));
      assert.equal(await run(precompile, input), ONE);
      assert.equal(await run(precompile, input.subarray(0, -1)), ZERO);
      assert.equal(await run(precompile, Buffer.concat([input, Uint8Array.of(0)])), ZERO);
    }
  });

  it("answers 0 to short, empty and malformed input", async () => {
    const input = text.encode("This is invalid input");
    for (const bad of [EMPTY_BYTES, input, new Uint8Array(fixed - 1), new Uint8Array(fixed)])
      assert.equal(await run(precompile, bad), ZERO);
  });

  it("takes no signature with a context", async () => {
    assert.equal(await run(precompile, signedInput(text.encode("hi"), text.encode("c"))), ZERO);
  });
});

describe("pqVerifyPrecompile", () => {
  const precompile = at(PQVERIFY);
  const context = text.encode("QNet/msg/1");
  const withHeader = (id: number, ctx: Uint8Array, rest: Uint8Array) =>
    Buffer.concat([Uint8Array.of(id, ctx.length), ctx, rest]);

  it("verifies in the context given, and in no other", async () => {
    const message = text.encode("message");
    const signed = signedInput(message, context);
    assert.equal(await run(precompile, withHeader(0x11, context, signed)), ONE);
    assert.equal(await run(precompile, withHeader(0x11, EMPTY_BYTES, signed)), ZERO);
    assert.equal(await run(precompile, withHeader(0x12, context, signed)), ZERO);
    assert.equal(await run(precompile, withHeader(0x11, EMPTY_BYTES, signedInput(message))), ONE);
  });

  it("counts header and context as message", () => {
    const input = withHeader(0x11, context, signedInput(new Uint8Array(20)));
    assert.equal(precompile.gas(input), 6_506n);
    assert.equal(precompile.gas(Buffer.concat([input, Uint8Array.of(0)])), 6_512n);
    assert.equal(precompile.gas(Uint8Array.of(0x13)), 13_500n);
    assert.equal(precompile.gas(Uint8Array.of(0x70, 0)), 30_000n);
  });

  it("costs 6500 and answers 0 for unknown and disabled algorithms and empty input", async () => {
    for (const input of [
      EMPTY_BYTES,
      Uint8Array.of(0),
      Uint8Array.of(0x15, 0),
      new Uint8Array(9_999),
    ]) {
      assert.equal(precompile.gas(input), 6_500n);
      assert.equal(await run(precompile, input), ZERO);
    }
    const without = rulesAt(1n, (entries) => entries.shift());
    assert.equal(
      await run(at(PQVERIFY, without), withHeader(0x11, EMPTY_BYTES, signedInput(context))),
      ZERO,
    );
  });

  it("answers 0 where the input ends before the context, the key or the signature", async () => {
    const whole = withHeader(0x11, context, signedInput(EMPTY_BYTES, context));
    assert.equal(await run(precompile, whole), ONE);
    for (const length of [1, 2, 3, 11, 12, 1_000, whole.length - 1])
      assert.equal(await run(precompile, whole.subarray(0, length)), ZERO);
  });
});

describe("the EVM with a precompile map", () => {
  const state = stateWith(new Map([[caller, { code: FORWARDER }]]));
  const input = signedInput(text.encode("hello"));
  const call = (code: string, data: Uint8Array, context = contextFor(rules)) => {
    const other = stateWith(new Map([[caller, { code, balance: 5n }]]));
    return executeCall(other, envFor(rules), { to: caller, gasLimit: 1_000_000n, data }, context);
  };

  it("runs them by every kind of call", async () => {
    // copies the input to memory, calls 0x12, returns its word
    const copy = "365f5f37";
    const answer = "5060205ff3";
    const kinds = {
      call: `60205f365f5f6012${"5a"}f1`,
      callWithValue: `60205f365f60016012${"5a"}f1`,
      callcode: `60205f365f5f6012${"5a"}f2`,
      delegatecall: `60205f365f6012${"5a"}f4`,
      staticcall: `60205f365f6012${"5a"}fa`,
    };
    for (const [kind, code] of Object.entries(kinds)) {
      const { returnData, failure } = await call(`${copy}${code}${answer}`, input);
      assert.equal(failure, undefined, kind);
      assert.equal(bytesToHex(returnData), ONE, kind);
    }
  });

  it("has them warm", async () => {
    // gas of BALANCE(address): 100 warm, 2600 cold
    const cost = async (address: string) => {
      const code = `5a73${address.slice(2)}31505a90035f5260205ff3`;
      return BigInt(bytesToHex((await call(code, EMPTY_BYTES)).returnData));
    };
    const [warm, known, cold] = [
      await cost(PQVERIFY),
      await cost(addressAt(1)),
      await cost(addressAt(0x99)),
    ];
    assert.equal(warm, known);
    assert.equal(cold - warm, 2_500n);
  });

  it("takes all gas of a call that brings too little, and nothing else happens", async () => {
    const message = { to: MLDSA44, gasLimit: 500_000n, data: input };
    const enough = await executeCall(state, envFor(rules), message, contextFor(rules));
    assert.equal(bytesToHex(enough.returnData), ONE);
    const { returnData } = await call(FORWARDER, forwarded(6_505n, MLDSA44, input));
    assert.equal(bytesToHex(returnData), `0x${"00".repeat(64)}`);
    const exact = await call(FORWARDER, forwarded(6_506n, MLDSA44, input));
    assert.equal(bytesToHex(exact.returnData), succeeded(ONE));
  });

  it("moves them and covers them as a state override wants", async () => {
    const moved = new Map([[MLDSA44, addressAt(0x99)]]);
    const context = { ...contextFor(rules), movedPrecompiles: moved };
    const there = await executeCall(
      state,
      envFor(rules),
      { to: addressAt(0x99), gasLimit: 500_000n, data: input },
      context,
    );
    assert.equal(bytesToHex(there.returnData), ONE);
    const here = await executeCall(
      state,
      envFor(rules),
      { to: MLDSA44, gasLimit: 500_000n, data: input },
      context,
    );
    assert.equal(here.returnData.length, 0);
  });

  it("breaks off when a paranoid verifier's back ends disagree", async () => {
    const flawed: PqBackend = {
      name: "noble",
      load: async (name) => {
        const sound = await nativeBackend.load(name);
        return (key, message, signature, context) =>
          context.length > 0 && sound?.(key, message, signature, context) === true;
      },
    };
    const paranoid = new PqVerifier({ backends: [nativeBackend, flawed] }, { paranoid: true });
    const context = { ...contextFor(rules), verifier: paranoid };
    const message = { to: MLDSA44, gasLimit: 500_000n, data: input };
    const call = async () => executeCall(state, envFor(rules), message, context);
    await assert.rejects(call, ExecutionFault);
  });
});
