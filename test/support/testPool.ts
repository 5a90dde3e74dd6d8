/** A pool over a head that a test moves by hand; transactions need no signature. */
import { EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import {
  type Address,
  bigIntToHash,
  type Hash,
  parseAddress,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "../../src/primitives/hex.ts";
import { ManualClock } from "../../src/runtime/clock.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { Metrics } from "../../src/runtime/metrics.ts";
import { WorkerPool } from "../../src/runtime/workers.ts";
import type { HeadState } from "../../src/txpool/headState.ts";
import type { Journal } from "../../src/txpool/journal.ts";
import { TxPool } from "../../src/txpool/pool.ts";
import type { PoolOptions } from "../../src/txpool/poolOptions.ts";
import { type Block, makeBlock } from "../../src/types/block.ts";
import { type Rules, rulesForName } from "../../src/types/forks.ts";
import type { Header } from "../../src/types/header.ts";

import { impersonate } from "../../src/types/impersonation.ts";
import type { Transaction, TransactionFields } from "../../src/types/transaction.ts";

export const CHAIN_ID = 31_337n;
const ETHER = 10n ** 18n;

function osakaRules(): Rules {
  const schedule = rulesForName("osaka", CHAIN_ID);
  if (schedule === undefined) throw new Error("osaka is a known fork");
  return schedule.rules({ number: 1n, timestamp: 1n, difficulty: 0n });
}

/** A head in two maps. Accounts that are not named have 1,000 ether. */
export class TestHead implements HeadState {
  readonly nonces = new Map<Address, bigint>();
  readonly balances = new Map<Address, bigint>();
  readonly included = new Map<Hash, bigint>();
  rules: Rules = osakaRules();
  readonly blobBaseFee = 1n;
  gasLimit = 30_000_000n;
  baseFee = 0n;
  finalized = -1n;

  account(address: Address) {
    return {
      nonce: this.nonces.get(address) ?? 0n,
      balance: this.balances.get(address) ?? 1_000n * ETHER,
    };
  }

  inclusion(hash: Hash) {
    const blockNumber = this.included.get(hash);
    if (blockNumber === undefined) return undefined;
    const finalized = blockNumber <= this.finalized;
    return { blockNumber, blockHash: bigIntToHash(blockNumber), finalized };
  }
}

/** Account number `index`. */
export function account(index: number): Address {
  return parseAddress(`0x${(index + 1).toString(16).padStart(40, "0")}`);
}

export interface Wanted extends Partial<TransactionFields> {
  readonly from?: number;
  /** Both fees, wei per gas */
  readonly price?: bigint;
}

/** A transfer of nothing, to be changed by `wanted`. */
export function transactionOf(wanted: Wanted = {}): Transaction {
  const { from = 0, price = 1_000n, ...fields } = wanted;
  return impersonate(
    {
      type: 2,
      chainId: CHAIN_ID,
      nonce: 0n,
      maxFeePerGas: price,
      maxPriorityFeePerGas: price,
      gasLimit: 21_000n,
      to: ZERO_ADDRESS,
      value: 0n,
      data: EMPTY_BYTES,
      accessList: [],
      maxFeePerBlobGas: 0n,
      blobVersionedHashes: [],
      authorizationList: [],
      ...fields,
    },
    account(from),
  );
}

/** A block that holds `transactions` and is otherwise empty. */
export function blockOf(number: bigint, transactions: readonly Transaction[]): Block {
  const header: Header = {
    parentHash: ZERO_HASH,
    sha3Uncles: ZERO_HASH,
    miner: ZERO_ADDRESS,
    stateRoot: ZERO_HASH,
    transactionsRoot: ZERO_HASH,
    receiptsRoot: ZERO_HASH,
    logsBloom: new Uint8Array(256),
    difficulty: 0n,
    number,
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    timestamp: number,
    extraData: EMPTY_BYTES,
    mixHash: ZERO_HASH,
    nonce: new Uint8Array(8),
    baseFeePerGas: 0n,
    withdrawalsRoot: ZERO_HASH,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: ZERO_HASH,
    requestsHash: ZERO_HASH,
  };
  return makeBlock(header, { transactions, ommers: [], withdrawals: [] });
}

export interface TestPool {
  readonly pool: TxPool;
  readonly head: TestHead;
  readonly clock: ManualClock;
  readonly metrics: Metrics;
  readonly recovery: WorkerPool;
}

/** A pool that recovers signatures in place. */
export function testPool(options: Partial<PoolOptions> = {}, journal?: Journal): TestPool {
  const head = new TestHead();
  const clock = new ManualClock(1_000_000);
  const metrics = new Metrics();
  const recovery = new WorkerPool({ log: silentLogger }, { threads: 0 });
  const pool = new TxPool({ head, recovery, log: silentLogger, clock, metrics, journal }, options);
  return { pool, head, clock, metrics, recovery };
}

/** Puts `transactions` into a block on top of the head and tells the pool. */
export function include(
  { pool, head }: TestPool,
  number: bigint,
  transactions: readonly Transaction[],
  senderOf: (transaction: Transaction) => Address,
): Block {
  const block = blockOf(number, transactions);
  for (const transaction of transactions) {
    const sender = senderOf(transaction);
    const { nonce } = head.account(sender);
    head.nonces.set(sender, nonce + 1n);
    head.included.set(transaction.hash, number);
  }
  pool.onHead({ added: [block], removed: [] });
  return block;
}
