/** The same call by type 2 and by type 0x51, from one sender and for free: same state, logs and answer, other gas. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { BlockExecutor, type TransactionResult } from "../../../src/execution/executeBlock.ts";
import type { Address } from "../../../src/primitives/hex.ts";
import { impersonate } from "../../../src/types/impersonation.ts";
import { senderOf } from "../../../src/types/sender.ts";
import type { Transaction, TransactionFields } from "../../../src/types/transaction.ts";
import { codeOfRejection } from "../../support/errors.ts";
import {
  addressAt,
  contextFor,
  ETHER,
  envFor,
  initCodeOf,
  stateWith,
  type TestAccount,
} from "../../support/execution.ts";
import { PQ_FIELDS, PQ_SEEDS, pqAccount, pqRules, signPq } from "../../support/pqTransactions.ts";

const account = pqAccount(PQ_SEEDS[0]);
const rules = pqRules();
/** 84,212 and 21,000: what a transfer costs by either type. */
const DIFFERENCE = 63_212n;

const STORE = addressAt(0x1001);
const LOG_GAS = addressAt(0x1002);
const REVERT = addressAt(0x1003);
const ORIGIN = addressAt(0x1004);

const ACCOUNTS: ReadonlyMap<Address, TestAccount> = new Map<Address, TestAccount>([
  [account.address, { balance: ETHER, nonce: 3n }],
  // storage[0] = calldata[0]
  [STORE, { code: "60003560005500", storage: { 0: 7n } }],
  // logs the gas that is left
  [LOG_GAS, { code: "5a60005260206000a000" }],
  [REVERT, { code: "60006000fd" }],
  // storage[1] = tx.origin, storage[2] = tx.gasprice
  [ORIGIN, { code: "32600155" + "3a60025500" }],
]);

const calls = fc.record({
  to: fc.constantFrom(
    STORE,
    LOG_GAS,
    REVERT,
    ORIGIN,
    addressAt(0x2001),
    account.address,
    undefined,
  ),
  value: fc.bigInt({ min: 0n, max: 2n * ETHER }),
  data: fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.uint8Array({ minLength: 300, maxLength: 400 }),
    fc.constant(initCodeOf("60016002")),
  ),
  gas: fc.bigInt({ min: 0n, max: 200_000n }),
  accessList: fc.constantFrom([], [{ address: STORE, storageKeys: [] }]),
});

async function run(transaction: Transaction) {
  const state = stateWith(ACCOUNTS);
  const env = envFor(rules, { baseFeePerGas: 0n });
  const executor = await BlockExecutor.begin(state, env, contextFor(rules));
  let result: TransactionResult | string;
  try {
    result = await executor.execute(transaction, senderOf(transaction));
  } catch (error) {
    result = error instanceof Error ? error.message : String(error);
  }
  return { result, root: state.root() };
}

describe("a transaction of type 0x51 beside one of type 2", () => {
  it("leads to the same state, logs and answer, for 63,212 gas more", async () => {
    let successes = 0;
    await fc.assert(
      fc.asyncProperty(calls, async ({ gas, ...call }) => {
        const fields: TransactionFields = {
          ...PQ_FIELDS,
          ...call,
          nonce: 3n,
          maxFeePerGas: 0n,
          maxPriorityFeePerGas: 0n,
        };
        const gasLimit = 21_000n + gas;
        const plain = await run(impersonate({ ...fields, type: 2, gasLimit }, account.address));
        const signed = await run(signPq(account, { ...fields, gasLimit: gasLimit + DIFFERENCE }));
        assert.equal(signed.root, plain.root);
        const [a, b] = [plain.result, signed.result];
        if (typeof a === "string" || typeof b === "string") {
          // refused for the same reason, with the numbers of its own price
          assert.equal(String(b).replace(/\d+/g, "N"), String(a).replace(/\d+/g, "N"));
          return;
        }
        successes++;
        assert.equal(b.gasUsed - a.gasUsed, DIFFERENCE);
        const shown = ({ failure, returnData, logs, contractAddress }: TransactionResult) => ({
          failure,
          returnData,
          logs,
          contractAddress,
        });
        assert.deepEqual(shown(b), shown(a));
        assert.equal(b.receipt.type, 0x51);
      }),
      { numRuns: 150 },
    );
    assert.ok(successes > 50);
  });

  it("pays gas used times the effective price, and the tip to the miner", async () => {
    const state = stateWith(ACCOUNTS);
    const env = envFor(rules, { baseFeePerGas: 100n });
    const executor = await BlockExecutor.begin(state, env, contextFor(rules));
    const fees = { maxFeePerGas: 1_000n, maxPriorityFeePerGas: 10n };
    const transaction = signPq(account, { ...fees, nonce: 3n, value: 5n, to: addressAt(0x2001) });
    const { gasUsed, effectiveGasPrice } = await executor.execute(transaction, account.address);
    assert.equal(gasUsed, 84_212n);
    assert.equal(effectiveGasPrice, 110n);
    assert.equal(state.account(account.address)?.balance, ETHER - 5n - 84_212n * 110n);
    assert.equal(state.account(account.address)?.nonce, 4n);
    assert.equal(state.account(env.miner)?.balance, 84_212n * 10n);
  });

  it("may not come from an account with code, which is no delegation (EIP-3607)", async () => {
    const withCode = new Map([[account.address, { balance: ETHER, nonce: 3n, code: "6001" }]]);
    const executor = await BlockExecutor.begin(
      stateWith(withCode),
      envFor(rules),
      contextFor(rules),
    );
    const sent = executor.execute(signPq(account, { nonce: 3n }), account.address);
    assert.equal(await codeOfRejection(sent), "SENDER_NOT_EOA");
  });
});
