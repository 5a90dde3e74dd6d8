import assert from "node:assert/strict";
import { type BlockEnv, ExecutionFault } from "../../../src/execution/evm.ts";
import { BlockExecutor, type BlockResult } from "../../../src/execution/executeBlock.ts";
import { BlockInvalid, hashRequests } from "../../../src/execution/requests.ts";
import { TransactionError } from "../../../src/execution/transactionError.ts";
import { NodeError } from "../../../src/primitives/errors.ts";
import { type Address, bigIntToHash, bytesToHex, type Hash } from "../../../src/primitives/hex.ts";
import type { State } from "../../../src/state/state.ts";
import { MAINNET_DEPOSIT_CONTRACT } from "../../../src/types/forks.ts";
import {
  BEACON_ROOTS_ADDRESS,
  CONSOLIDATION_REQUEST_ADDRESS,
  HISTORY_STORAGE_ADDRESS,
  WITHDRAWAL_REQUEST_ADDRESS,
} from "../../../src/types/systemContracts.ts";
import type { Transaction } from "../../../src/types/transaction.ts";
import {
  addressAt,
  contextFor,
  ETHER,
  envFor,
  hashOf,
  MINER,
  rulesOf,
  SENDER,
  signed,
  stateWith,
  type TestAccount,
} from "../../support/execution.ts";
import { BLOB_HASH } from "../../support/transactions.ts";

/** Stops at once: a system contract without requests. */
const STOP = "00";
const REVERT = "60006000fd";
/** Returns 32 bytes that begin with 0xab. */
const ANSWER = "60ab60005360206000f3";
/** Stores calldata in slot 0. */
const STORE_INPUT = "60003560005500";

const SYSTEM: ReadonlyMap<Address, TestAccount> = new Map([
  [WITHDRAWAL_REQUEST_ADDRESS, { code: STOP }],
  [CONSOLIDATION_REQUEST_ADDRESS, { code: STOP }],
]);

interface Run {
  readonly accounts?: Iterable<readonly [Address, TestAccount]>;
  readonly fork?: string;
  readonly env?: Partial<BlockEnv>;
  readonly transactions?: readonly Transaction[];
}

async function runBlock(run: Run): Promise<{ result: BlockResult; state: State }> {
  const rules = rulesOf(run.fork ?? "Prague");
  const accounts = new Map([...SYSTEM, [SENDER, { balance: ETHER }], ...(run.accounts ?? [])]);
  const state = stateWith(accounts);
  const executor = await BlockExecutor.begin(state, envFor(rules, run.env), contextFor(rules));
  for (const transaction of run.transactions ?? []) await executor.execute(transaction, SENDER);
  const withdrawals = rules.has("shanghai") ? [] : undefined;
  return { result: await executor.finish({ ommers: [], withdrawals }), state };
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof NodeError) return error.reason.code;
    throw error;
  }
  return "none";
}

describe("BlockExecutor", () => {
  it("calls the contracts of EIP-4788 and EIP-2935 first, and leaves no trace of the caller", async () => {
    const [root, parent]: [Hash, Hash] = [hashOf(0x11), hashOf(0x22)];
    const { state } = await runBlock({
      accounts: [
        [BEACON_ROOTS_ADDRESS, { code: STORE_INPUT }],
        [HISTORY_STORAGE_ADDRESS, { code: STORE_INPUT }],
      ],
      env: { parentBeaconBlockRoot: root, parentHash: parent },
    });
    const slot = bigIntToHash(0n);
    assert.equal(bytesToHex(state.slot(BEACON_ROOTS_ADDRESS, slot)), root);
    assert.equal(bytesToHex(state.slot(HISTORY_STORAGE_ADDRESS, slot)), parent);
    assert.equal(state.account(`0x${"ff".repeat(19)}fe` as Address), undefined);
  });

  it("does without those contracts where they have no code", async () => {
    const env = { parentBeaconBlockRoot: hashOf(1), parentHash: hashOf(2) };
    const { state } = await runBlock({ env });
    assert.equal(state.account(BEACON_ROOTS_ADDRESS), undefined);
  });

  it("invalidates a block when a request contract is missing or fails (EIP-7002, EIP-7251)", async () => {
    for (const address of SYSTEM.keys()) {
      const missing = runBlock({ accounts: [[address, {}]] });
      assert.equal(await codeOf(missing), "SYSTEM_CONTRACT_MISSING");
      const failing = runBlock({ accounts: [[address, { code: REVERT }]] });
      assert.equal(await codeOf(failing), "SYSTEM_CALL_FAILED");
    }
  });

  it("collects what the request contracts return", async () => {
    const { result } = await runBlock({
      accounts: [[WITHDRAWAL_REQUEST_ADDRESS, { code: ANSWER }]],
    });
    assert.equal(result.requests.length, 1);
    assert.equal(bytesToHex(result.requests[0] ?? new Uint8Array()), `0x01ab${"00".repeat(31)}`);
    assert.equal(result.requestsHash, hashRequests(result.requests));
  });

  it("has the hash of nothing as requestsHash without requests", async () => {
    const { result } = await runBlock({});
    assert.equal(
      result.requestsHash,
      "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });

  it("invalidates a block with a malformed deposit log (EIP-6110)", async () => {
    // log1(0, 32, DepositEvent)
    const topic = "649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5";
    const promise = runBlock({
      accounts: [[MAINNET_DEPOSIT_CONTRACT, { code: `7f${topic}60206000a100` }]],
      transactions: [signed({ to: MAINNET_DEPOSIT_CONTRACT, gasLimit: 100_000n })],
    });
    await assert.rejects(promise, BlockInvalid);
  });

  it("refuses what exceeds the gas or the blob gas left, and goes on", async () => {
    const rules = rulesOf("Cancun");
    const state = stateWith(new Map([[SENDER, { balance: ETHER }]]));
    const env = envFor(rules, { gasLimit: 200_000n });
    const executor = await BlockExecutor.begin(state, env, contextFor(rules));
    await executor.execute(signed({}), SENDER);
    await assert.rejects(
      executor.execute(signed({ nonce: 1n, gasLimit: 180_000n }), SENDER),
      (error) => error instanceof TransactionError && error.reason.code === "GAS_LIMIT_REACHED",
    );
    const blobs = (nonce: bigint, count: number) =>
      signed({
        type: 3,
        nonce,
        maxFeePerBlobGas: 1n,
        blobVersionedHashes: new Array(count).fill(BLOB_HASH),
      });
    await executor.execute(blobs(1n, 4), SENDER);
    assert.equal(await codeOf(executor.execute(blobs(2n, 3), SENDER)), "BLOB_GAS_LIMIT_REACHED");
    await executor.execute(blobs(2n, 2), SENDER);
    assert.equal(executor.gasUsed, 63_000n);
    assert.equal(executor.blobGasUsed, 6n * 131_072n);
  });

  it("leaves the state alone when it refuses a transaction", async () => {
    const rules = rulesOf("Prague");
    const state = stateWith(new Map([[SENDER, { balance: 1n }]]));
    const before = state.root();
    const executor = await BlockExecutor.begin(state, envFor(rules), contextFor(rules));
    assert.equal(await codeOf(executor.execute(signed({}), SENDER)), "INSUFFICIENT_FUNDS");
    assert.equal(state.root(), before);
    assert.equal(state.depth, 0);
  });

  it("puts the state root into receipts before Byzantium and the status after it", async () => {
    const old = await runBlock({
      fork: "Homestead",
      transactions: [signed({ chainId: undefined })],
    });
    assert.match(String(old.result.receipts[0]?.outcome), /^0x[0-9a-f]{64}$/);
    const recent = await runBlock({ transactions: [signed({})] });
    assert.equal(recent.result.receipts[0]?.outcome, 1);
  });

  it("pays 5, 3 and 2 ether to the miner, and nothing after the merge", async () => {
    for (const [fork, ether] of [
      ["Homestead", 5n],
      ["Byzantium", 3n],
      ["London", 2n],
      ["Cancun", 0n],
    ] as const) {
      const { state } = await runBlock({ fork });
      assert.equal(state.account(MINER)?.balance ?? 0n, ether * ETHER, fork);
    }
  });

  it("pays ommers by their age and the miner 1/32 for each", async () => {
    const rules = rulesOf("London");
    const state = stateWith(new Map());
    const env = envFor(rules, { number: 10n });
    const executor = await BlockExecutor.begin(state, env, contextFor(rules));
    await executor.finish({
      ommers: [{ miner: addressAt(7), number: 9n }],
      withdrawals: undefined,
    });
    assert.equal(state.account(addressAt(7))?.balance, (2n * ETHER * 7n) / 8n);
    assert.equal(state.account(MINER)?.balance, 2n * ETHER + ETHER / 16n);
  });

  it("credits withdrawals in gwei and creates no account for none", async () => {
    const rules = rulesOf("Shanghai");
    const state = stateWith(new Map());
    const executor = await BlockExecutor.begin(state, envFor(rules), contextFor(rules));
    const withdrawal = { index: 0n, validatorIndex: 0n };
    await executor.finish({
      ommers: [],
      withdrawals: [
        { ...withdrawal, address: addressAt(7), amount: 3n },
        { ...withdrawal, address: addressAt(8), amount: 0n },
      ],
    });
    assert.equal(state.account(addressAt(7))?.balance, 3n * 10n ** 9n);
    assert.equal(state.account(addressAt(8)), undefined);
  });

  it("ends in an ExecutionFault when something breaks past the EVM", async () => {
    const rules = rulesOf("Prague");
    const contract = addressAt(0x77);
    const state = stateWith(
      new Map([
        [SENDER, { balance: ETHER }],
        [contract, { code: "6001600055" }],
      ]),
    );
    const observer = {
      step: () => {
        throw new TypeError("broken observer");
      },
    };
    const context = { ...contextFor(rules), observer };
    const executor = await BlockExecutor.begin(state, envFor(rules), context);
    await assert.rejects(
      executor.execute(signed({ to: contract, gasLimit: 100_000n }), SENDER),
      (error) => error instanceof ExecutionFault && error.cause instanceof TypeError,
    );
  });

  it("answers the point evaluation precompile without preparation", async () => {
    const { result } = await runBlock({
      fork: "Osaka",
      transactions: [
        signed({ to: addressAt(0x0a), gasLimit: 200_000n, data: new Uint8Array(192) }),
      ],
    });
    assert.equal(result.receipts[0]?.outcome, 0, "zeros are no proof");
  }).timeout(20_000);

  it("applies authorizations and refunds half their price for accounts that exist (EIP-7702)", async () => {
    const rules = rulesOf("Prague");
    const state = stateWith(new Map([[SENDER, { balance: ETHER }]]));
    const executor = await BlockExecutor.begin(state, envFor(rules), contextFor(rules));
    const invalid = { chainId: 9n, address: addressAt(7), nonce: 0n, yParity: 0n, r: 1n, s: 1n };
    const result = await executor.execute(
      signed({ type: 4, gasLimit: 100_000n, authorizationList: [invalid] }),
      SENDER,
    );
    assert.equal(result.gasUsed, 46_000n, "an invalid one is skipped, its gas is not refunded");
  });
});
