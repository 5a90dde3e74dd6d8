import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import { EVM, getActivePrecompiles } from "@ethereumjs/evm";
import fc from "fast-check";
import { blake2Compress } from "../../../src/crypto/blake2.ts";
import { libraryPrecompiles } from "../../../src/execution/precompiles/active.ts";
import { type Bytes, bytesToBigInt, concatBytes } from "../../../src/primitives/bytes.ts";
import { bytesToHex, hexToBytes } from "../../../src/primitives/hex.ts";
import { addressAt } from "../../support/execution.ts";

const BLOCK_BYTES = 128;
const ROUNDS = 12;
const common = new Common({ chain: Mainnet, hardfork: Hardfork.Prague });
const host = new EVM({ common });
const peer = getActivePrecompiles(common).get(addressAt(9).slice(2));
const own = libraryPrecompiles({ fork: "prague", chainId: 1n }).get(addressAt(9));

/** The state in which BLAKE2b-512 without a key begins: RFC 7693, section 3.3. */
const START = hexToBytes(
  "0x48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b",
);

/** BLAKE2b-512, block by block. */
function hash(text: Bytes): string {
  let state = START;
  for (let at = 0; at === 0 || at < text.length; at += BLOCK_BYTES) {
    const end = Math.min(text.length, at + BLOCK_BYTES);
    const message = new Uint8Array(BLOCK_BYTES);
    message.set(text.subarray(at, end));
    const counter = new Uint8Array(16);
    new DataView(counter.buffer).setUint32(0, end, true);
    const isLast = end === text.length;
    state = blake2Compress({ rounds: ROUNDS, state, message, counter, isLast });
  }
  return bytesToHex(state);
}

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((value) => Uint8Array.from(value));
const roundCounts = fc.oneof(fc.nat(30), fc.constantFrom(9_999, 10_000, 10_001, 20_003));

describe("blake2Compress", () => {
  it("is the step of BLAKE2b: hashes of any length are node's", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), (text) => {
        assert.equal(hash(text), `0x${createHash("blake2b512").update(text).digest("hex")}`);
      }),
      { seed: 20814, numRuns: 200 },
    );
  });

  it("answers as the library does, with any number of rounds, flag, length and gas", async () => {
    assert.ok(peer && own);
    const inputs = fc
      .tuple(roundCounts, bytes(208), fc.constantFrom(0, 1, 1, 2), fc.constantFrom(213, 213, 212))
      .map(([rounds, rest, flag, length]) => {
        const count = new Uint8Array(4);
        new DataView(count.buffer).setUint32(0, rounds);
        return concatBytes(count, rest, Uint8Array.of(flag)).subarray(0, length);
      });
    await fc.assert(
      fc.asyncProperty(inputs, fc.constantFrom(0, 1), async (input, missing) => {
        const gas = Math.max(0, Number(bytesToBigInt(input.subarray(0, 4))) - missing);
        const wanted = await peer({ data: input, gasLimit: BigInt(gas), common, _EVM: host });
        const { gasUsed, output, failure } = await own(input, gas);
        assert.deepEqual(
          [gasUsed, failure],
          [Number(wanted.executionGasUsed), wanted.exceptionError?.error],
        );
        assert.equal(bytesToHex(output), bytesToHex(wanted.returnValue));
      }),
      { seed: 20814, numRuns: 200 },
    );
  });
});
