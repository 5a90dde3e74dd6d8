/** Simulations on a made-up base: accounts in, blocks out. */
import assert from "node:assert/strict";
import {
  type SimulatedBlock,
  type SimulationOptions,
  simulate,
} from "../../src/execution/simulate.ts";
import { type SimulatedCall, SimulationError } from "../../src/execution/simulationPlan.ts";
import type { AccountOverride } from "../../src/execution/stateOverrides.ts";
import { type Address, ZERO_HASH } from "../../src/primitives/hex.ts";
import type { State } from "../../src/state/state.ts";
import { EMPTY_TRIE_ROOT } from "../../src/types/account.ts";
import { type ForkSchedule, rulesForName } from "../../src/types/forks.ts";
import { EMPTY_OMMERS_HASH } from "../../src/types/genesis.ts";
import { type Header, hashHeader } from "../../src/types/header.ts";
import {
  CONSOLIDATION_REQUEST_ADDRESS,
  WITHDRAWAL_REQUEST_ADDRESS,
} from "../../src/types/systemContracts.ts";
import {
  addressAt,
  ETHER,
  hashOf,
  MINER,
  SENDER,
  stateWith,
  type TestAccount,
} from "./execution.ts";

/** Accounts without code. */
export const A = addressAt(0xa1);
export const B = addressAt(0xa2);
/** Code that stores the 32 bytes of its input at slot 0. */
export const STORE = "600035600055";

function forksOf(name: string): ForkSchedule {
  const forks = rulesForName(name, 1n);
  assert.ok(forks);
  return forks;
}

function headerOf(forks: ForkSchedule, fields: Partial<Header> = {}): Header {
  const difficulty = fields.difficulty ?? 0n;
  const rules = forks.rules({ number: 10n, timestamp: 1_000n, difficulty });
  return {
    parentHash: ZERO_HASH,
    sha3Uncles: EMPTY_OMMERS_HASH,
    miner: MINER,
    stateRoot: EMPTY_TRIE_ROOT,
    transactionsRoot: EMPTY_TRIE_ROOT,
    receiptsRoot: EMPTY_TRIE_ROOT,
    logsBloom: new Uint8Array(256),
    difficulty,
    number: 10n,
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    timestamp: 1_000n,
    extraData: new Uint8Array(),
    mixHash: hashOf(5),
    nonce: new Uint8Array(8),
    baseFeePerGas: rules.has("london") ? 1_000n : undefined,
    withdrawalsRoot: rules.has("shanghai") ? EMPTY_TRIE_ROOT : undefined,
    blobGasUsed: rules.has("cancun") ? 0n : undefined,
    excessBlobGas: rules.has("cancun") ? 0n : undefined,
    parentBeaconBlockRoot: rules.has("cancun") ? ZERO_HASH : undefined,
    requestsHash: rules.has("prague") ? ZERO_HASH : undefined,
    ...fields,
  };
}

/** A simulation on block 10 with these accounts. */
export class Simulator {
  readonly forks: ForkSchedule;
  readonly header: Header;
  readonly state: State;

  constructor(
    accounts: readonly (readonly [Address, TestAccount])[] = [],
    fork = "Osaka",
    fields: Partial<Header> = {},
  ) {
    this.forks = forksOf(fork);
    this.header = headerOf(this.forks, fields);
    this.state = stateWith(
      new Map([
        [SENDER, { balance: ETHER }],
        // queues that never hold a request
        [WITHDRAWAL_REQUEST_ADDRESS, { code: "00" }],
        [CONSOLIDATION_REQUEST_ADDRESS, { code: "00" }],
        ...accounts,
      ]),
    );
  }

  run(
    blocks: Parameters<typeof simulate>[1],
    options: Partial<SimulationOptions> = {},
  ): Promise<SimulatedBlock[]> {
    const base = { header: this.header, hash: hashHeader(this.header), state: this.state };
    return simulate(base, blocks, {
      forks: this.forks,
      blockHash: () => undefined,
      validate: false,
      traceTransfers: false,
      gasCap: 50_000_000n,
      ...options,
    });
  }

  /** One block with these calls. */
  async calls(calls: readonly SimulatedCall[], options: Partial<SimulationOptions> = {}) {
    const [block] = await this.run([{ overrides: {}, calls }], options);
    assert.ok(block);
    return block;
  }
}

/** An account override that changes only these fields. */
export function change(fields: Partial<AccountOverride>): AccountOverride {
  return {
    nonce: undefined,
    balance: undefined,
    code: undefined,
    state: undefined,
    stateDiff: undefined,
    movePrecompileToAddress: undefined,
    ...fields,
  };
}

/** Whether an error is a SimulationError with this code, and with this reason inside. */
export function refusal(code: SimulationError["reason"]["code"], why?: string) {
  return (error: unknown) =>
    error instanceof SimulationError &&
    error.reason.code === code &&
    (why === undefined || ("why" in error.reason && error.reason.why.code === why));
}

/** A call of SENDER. */
export const call = (to: Address, fields: Partial<SimulatedCall> = {}): SimulatedCall => ({
  from: SENDER,
  to,
  ...fields,
});
