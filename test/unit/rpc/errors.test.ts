import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { faultError, knownError, RpcError } from "../../../rpc/errors.ts";
import { ExecutionFault } from "../../../src/execution/evm.ts";
import { SimulationError } from "../../../src/execution/simulationPlan.ts";
import { TransactionError } from "../../../src/execution/transactionError.ts";
import { ZERO_ADDRESS, ZERO_HASH } from "../../../src/primitives/hex.ts";
import { StateError } from "../../../src/state/stateError.ts";
import { PoolError } from "../../../src/txpool/poolError.ts";

const root = join(import.meta.dirname, "../../..");

/** Errors of starting a node, of key files, sealed files, signers, light clients and within precompiles, which no request can meet. */
const NOT_MET = new Set([
  "CryptoErrorReason",
  "CurveErrorReason",
  "ForkErrorReason",
  "GenesisErrorReason",
  "KeystoreErrorReason",
  "LightErrorReason",
  "ServiceErrorReason",
  "SealErrorReason",
  "SetupErrorReason",
  "SignerErrorReason",
  "SigningErrorReason",
  "StartErrorReason",
]);

describe("the table of errors", () => {
  it("names every union of reasons in src", () => {
    const table = readFileSync(join(root, "rpc/errorRow.ts"), "utf8");
    const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
    let found = 0;
    for (const file of files.filter((name) => name.endsWith(".ts"))) {
      const source = readFileSync(join(root, "src", file), "utf8");
      for (const [, reason] of source.matchAll(/ extends NodeError<(\w+)>/g)) {
        if (reason === undefined || NOT_MET.has(reason)) continue;
        assert.match(table, new RegExp(`\\b${reason}\\b`), `${reason} of src/${file}`);
        found++;
      }
    }
    assert.ok(found >= 12, `${found} unions found`);
  });

  it("names a missing trie node, its path and root, however deep the cause", () => {
    const missing = new StateError({
      code: "MISSING_NODE",
      root: ZERO_HASH,
      path: "d1",
      hash: ZERO_HASH,
    });
    const during = { code: "EXECUTION_FAULT", during: "call", message: "" } as const;
    const fault = new ExecutionFault(during, { cause: missing });
    assert.equal(knownError(fault), undefined);
    assert.deepEqual(faultError(fault), {
      code: -32000,
      message: `missing trie node ${ZERO_HASH} (path 0xd1) state ${ZERO_HASH} is not available`,
    });
    assert.deepEqual(faultError(new ExecutionFault(during)), {
      code: -32603,
      message: "internal error",
    });
  });

  const texts: readonly [string, Error, object][] = [
    [
      "a low nonce",
      new TransactionError({ code: "NONCE_TOO_LOW", address: ZERO_ADDRESS, tx: 0n, state: 1n }),
      { code: -32000, message: `nonce too low: address ${ZERO_ADDRESS}, tx: 0 state: 1` },
    ],
    [
      "missing funds",
      new TransactionError({
        code: "INSUFFICIENT_FUNDS",
        address: ZERO_ADDRESS,
        have: 0n,
        want: 21n,
      }),
      {
        code: -32000,
        message: `insufficient funds for gas * price + value: address ${ZERO_ADDRESS} have 0 want 21`,
      },
    ],
    [
      "the fee cap",
      new PoolError({ code: "FEE_CAP", fee: 1_500_000_000_000_000_000n, cap: 10n ** 18n }),
      { code: -32000, message: "tx fee (1.50 ether) exceeds the configured cap (1.00 ether)" },
    ],
    [
      "the wrong chain",
      new TransactionError({ code: "WRONG_CHAIN_ID", have: 5n, want: 31337n }),
      { code: -32000, message: "invalid chain id for signer: have 5 want 31337" },
    ],
    [
      "a known transaction",
      new PoolError({ code: "ALREADY_KNOWN", hash: ZERO_HASH }),
      { code: -32000, message: "already known" },
    ],
    [
      "a revert without reason",
      new RpcError({ code: "REVERTED", data: new Uint8Array(), reason: undefined }),
      { code: 3, message: "execution reverted", data: "0x" },
    ],
    [
      "a simulation's own code",
      new SimulationError({ code: "SIMULATED_NUMBERS", got: 2n, previous: 2n }),
      { code: -38020, message: "block numbers must be in order: 2 <= 2" },
    ],
  ];
  for (const [name, error, shown] of texts) {
    it(`tells ${name}`, () => assert.deepEqual(knownError(error), shown));
  }

  it("adds a hint on development chains", () => {
    const error = new TransactionError({
      code: "NONCE_TOO_HIGH",
      address: ZERO_ADDRESS,
      tx: 9n,
      state: 0n,
    });
    assert.doesNotMatch(knownError(error)?.message ?? "", /wallet/);
    assert.match(knownError(error, true)?.message ?? "", /clear the wallet's activity data/);
  });

  it("keeps the node's own troubles to itself", () => {
    assert.equal(knownError(new StateError({ code: "MISSING_CODE", hash: ZERO_HASH })), undefined);
    assert.equal(knownError(new Error("x")), undefined);
    assert.equal(knownError("x"), undefined);
  });
});
