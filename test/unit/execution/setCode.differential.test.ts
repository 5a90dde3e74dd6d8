/** Random set-code transactions (EIP-7702) through our executor and through @ethereumjs/vm. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Field } from "../../../cli/fixtures/json.ts";
import { runStateTests } from "../../../cli/fixtures/stateTest.ts";
import { keccak256 } from "../../../src/crypto/keccak.ts";
import { addressOf, SECP256K1_ORDER, signDigest } from "../../../src/crypto/secp256k1.ts";
import { bigIntToBytes, concatBytes } from "../../../src/primitives/bytes.ts";
import { type Address, bytesToHex, hexToBytes, ZERO_ADDRESS } from "../../../src/primitives/hex.ts";
import { encodeRlp } from "../../../src/types/rlp.ts";
import type { Authorization } from "../../../src/types/transaction.ts";
import { addressAt, KEY, SENDER, signed } from "../../support/execution.ts";
import { referenceVerdict, type StateTestJson } from "../../support/referenceVm.ts";

const RUNS = 150;
/** Keys of authorities: the sender's own, one with an account, one delegated, one without account. */
const KEYS = [KEY, ...[2, 3, 4].map((byte) => new Uint8Array(32).fill(byte))];
const [, RICH, DELEGATED, ABSENT] = KEYS.map(addressOf) as [Address, Address, Address, Address];
const STORE = addressAt(0x1001);
const INSPECT = addressAt(0x1002);
const CALLER = addressAt(0x1003);
const LAST_NONCE = 2n ** 64n - 1n;

const account = (fields: object) => ({
  balance: "0x0",
  nonce: "0x0",
  code: "0x",
  storage: {},
  ...fields,
});
const PRE = {
  [SENDER]: account({ balance: "0xde0b6b3a7640000", nonce: "0x5" }),
  [RICH]: account({ balance: "0x64", nonce: "0x1" }),
  [DELEGATED]: account({
    nonce: "0x1",
    code: `0xef0100${STORE.slice(2)}`,
    storage: { "0x1": "0x7" },
  }),
  // sstore(1, sload(1) + callvalue + 1)
  [STORE]: account({ code: "0x600154346001010160015500", nonce: "0x1" }),
  // sstore(0, extcodesize(d)), sstore(1, extcodehash(d)), with d the address in the calldata
  [INSPECT]: account({ code: "0x6000353b6000556000353f60015500", nonce: "0x1" }),
  // sstore(gas left after, call(gas, calldata[0], 3, …)): cold and warm targets cost differently
  [CALLER]: account({
    code: "0x600060006000600060036000355af15a5500",
    nonce: "0x1",
    balance: "0x64",
  }),
} as unknown as StateTestJson["pre"];

const anyone = fc.constantFrom(SENDER, RICH, DELEGATED, ABSENT, STORE, INSPECT, CALLER);
const wanted = fc.record({
  key: fc.constantFrom(...KEYS),
  chainId: fc.constantFrom(0n, 1n, 1n, 2n),
  address: fc.oneof(
    anyone,
    fc.constantFrom(ZERO_ADDRESS, addressAt(1), addressAt(4), addressAt(0x100)),
  ),
  nonce: fc.constantFrom(0n, 1n, 1n, 2n, 6n, 6n, 7n, LAST_NONCE),
  flaw: fc.constantFrom("none", "none", "none", "none", "none", "highS", "parity", "noR"),
});

function authorization({
  key,
  chainId,
  address,
  nonce,
  flaw,
}: typeof wanted extends fc.Arbitrary<infer T> ? T : never): Authorization {
  const payload = encodeRlp([bigIntToBytes(chainId), hexToBytes(address), bigIntToBytes(nonce)]);
  const { r, s, yParity } = signDigest(keccak256(concatBytes(Uint8Array.of(5), payload)), key);
  const signature = { r, s, yParity: BigInt(yParity) };
  if (flaw === "highS")
    Object.assign(signature, { s: SECP256K1_ORDER - s, yParity: 1n - signature.yParity });
  if (flaw === "parity") signature.yParity = 2n;
  if (flaw === "noR") signature.r = 0n;
  return { chainId, address, nonce, ...signature };
}

const transaction = fc.record({
  to: anyone,
  target: anyone,
  value: fc.constantFrom(0n, 3n),
  gasLimit: fc.constantFrom(100_000n, 150_000n, 400_000n),
  authorizationList: fc.array(wanted.map(authorization), { minLength: 1, maxLength: 5 }),
});

describe("set-code transactions beside @ethereumjs/vm", () => {
  it("agree on root, logs and gas, whoever delegates to whom", async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("Prague", "Osaka"),
        transaction,
        async (fork, { target, ...fields }) => {
          const { raw } = signed({
            ...fields,
            type: 4,
            nonce: 5n,
            data: concatBytes(new Uint8Array(12), hexToBytes(target)),
          });
          const post = { txbytes: bytesToHex(raw), indexes: {} };
          const test: StateTestJson = {
            env: {
              currentCoinbase: addressAt(0xc0),
              currentGasLimit: "0x1c9c380",
              currentNumber: "0x1",
              currentTimestamp: "0x3e8",
              currentRandom: "0x0",
              currentBaseFee: "0x7",
            },
            pre: PRE,
            transaction: {},
            post: { [fork]: [post] },
          };
          const expected = await referenceVerdict(test, fork, post);
          for await (const record of runStateTests(
            "case",
            new Field({ case: test }, "test"),
            () => true,
          )) {
            const { stateRoot, logsHash, gasUsed } = {
              logsHash: "",
              gasUsed: "",
              stateRoot: "",
              ...record,
            };
            assert.deepEqual({ stateRoot, logsHash, gasUsed }, expected, JSON.stringify(record));
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});
