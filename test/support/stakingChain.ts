/** A chain's state with the staking contract of its genesis, run by the real executor without networking or storage. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  type Abi,
  decodeErrorResult,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
} from "viem";
import { networkText } from "../../cli/genesisFiles.ts";
import { buildGenesisBlock, type GenesisBlock } from "../../src/chain/genesis.ts";
import { mlDsaPublicKey, signMlDsa } from "../../src/crypto/pqKeys.ts";
import { BlockExecutor, type BlockResult } from "../../src/execution/executeBlock.ts";
import { type CallResult, executeCall } from "../../src/execution/executeCall.ts";
import { type Bytes, EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import {
  type Address,
  bytesToHex,
  type Hash,
  hexToBytes,
  ZERO_HASH,
} from "../../src/primitives/hex.ts";
import { State } from "../../src/state/state.ts";
import { EMPTY_ACCOUNT } from "../../src/types/account.ts";
import { consensusMessage, keyProofBody, MESSAGE_KIND } from "../../src/types/consensusMessage.ts";
import { type EpochSummary, encodeSummary } from "../../src/types/epochSummary.ts";
import { type Genesis, parseGenesis } from "../../src/types/genesis.ts";
import type { ConsensusConfig } from "../../src/types/qnetConfig.ts";
import { compileContract } from "./compile.ts";
import { addressAt } from "./execution.ts";

export const GWEI = 1_000_000_000n;
const CALL_GAS = 16_000_000n;

/** An ML-DSA-44 key from a number. */
export interface TestKey {
  readonly publicKey: Bytes;
  sign(message: Bytes): Bytes;
}

/** Key number `index` of the test. */
export function testKey(index: number): TestKey {
  const seed = createHash("sha256").update(`validator ${index}`).digest();
  return {
    publicKey: mlDsaPublicKey("ML-DSA-44", seed),
    sign: (message) => signMlDsa("ML-DSA-44", seed, message, EMPTY_BYTES),
  };
}

/** Owner number `index`; withdrawal address and fee recipient stand 0x1000 and 0x2000 higher. */
export function ownerOf(index: number): Address {
  return addressAt(0xa0_0000 + index);
}

export function withdrawalOf(index: number): Address {
  return addressAt(0xb0_0000 + index);
}

/** What `stakingGenesis` varies. */
export interface StakingSettings {
  /** Stake of each validator of the genesis, in gwei */
  readonly stakes: readonly bigint[];
  readonly consensus?: Readonly<Record<string, unknown>>;
}

export const TIMES = { unbonding: 800, evidenceWindow: 700, trustPeriod: 400 } as const;

/** devnet.json with these validators, keys and owners 0, 1, 2, … */
export function stakingGenesis({ stakes, consensus = {} }: StakingSettings): Genesis {
  const file = JSON.parse(networkText("devnet"));
  const merged = { ...file.config.qnet.consensus, maxActive: 100, ...TIMES, ...consensus };
  const domain = { chainId: BigInt(file.config.chainId), salt: merged.salt };
  const validators = stakes.map((stake, index) => {
    const key = testKey(index);
    const body = keyProofBody(merged.staking, ownerOf(index), key.publicKey);
    return {
      owner: ownerOf(index),
      withdrawal: withdrawalOf(index),
      feeRecipient: addressAt(0xc0_0000 + index),
      stake: String(stake),
      publicKey: bytesToHex(key.publicKey),
      keyProof: bytesToHex(key.sign(consensusMessage(domain, MESSAGE_KIND.keyProof, body))),
    };
  });
  const qnet = { ...file.config.qnet, consensus: { ...merged, validators } };
  const timestamp = "1700000000";
  return parseGenesis({ ...file, timestamp, config: { ...file.config, qnet } });
}

/** What a call did: the function's result, or the name of the custom error. */
export type StakingOutcome =
  | { readonly value: unknown; readonly gasUsed: bigint; readonly error: undefined }
  | { readonly error: string; readonly args: readonly unknown[]; readonly gasUsed: bigint };

/** The state, its time, and calls. */
export class StakingChain {
  readonly genesis: Genesis;
  readonly config: ConsensusConfig;
  readonly abi: Abi;
  readonly state: State;
  number = 1n;
  /** seconds */
  timestamp: bigint;

  static async create(settings: StakingSettings): Promise<StakingChain> {
    const genesis = stakingGenesis(settings);
    const { abi } = await compileContract("contracts/Staking.sol");
    return new StakingChain(genesis, abi, await buildGenesisBlock(genesis));
  }

  private constructor(genesis: Genesis, abi: Abi, first: GenesisBlock) {
    const config = genesis.config.qnet?.consensus;
    assert.ok(config);
    this.genesis = genesis;
    this.config = config;
    this.abi = abi;
    this.timestamp = genesis.timestamp;
    const { nodes, code, root } = first.changes;
    const store = {
      getNode: (hash: Bytes) => nodes.get(Buffer.from(hash).toString("hex")),
      getCode: (hash: Hash) => code.get(hash),
    };
    this.state = new State(store, root);
  }

  balance(address: Address): bigint {
    return this.state.account(address)?.balance ?? 0n;
  }

  fund(address: Address, wei: bigint): void {
    const account = this.state.account(address) ?? EMPTY_ACCOUNT;
    this.state.setAccount(address, { ...account, balance: account.balance + wei });
  }

  /** Message hash of a consensus message of this chain. */
  message(kind: number, body: Bytes): Bytes {
    const domain = { chainId: this.genesis.config.chainId, salt: this.config.salt };
    return consensusMessage(domain, kind, body);
  }

  /** Calls a function of the contract as `from` in a block of its own time; the changes stay. */
  async send(
    from: Address,
    functionName: string,
    args: readonly unknown[] = [],
    wei = 0n,
  ): Promise<StakingOutcome> {
    const data = hexToBytes(encodeFunctionData({ abi: this.abi, functionName, args }));
    const outcome = await this.call(from, this.config.staking, data, wei);
    const { gasUsed } = outcome;
    const returned: Hex = bytesToHex(outcome.returnData);
    if (outcome.failure === undefined) {
      const value = decodeFunctionResult({ abi: this.abi, functionName, data: returned });
      return { value, gasUsed, error: undefined };
    }
    if (returned === "0x") return { error: outcome.failure, args: [], gasUsed };
    const { errorName, args: details } = decodeErrorResult({ abi: this.abi, data: returned });
    return { error: errorName, args: details ?? [], gasUsed };
  }

  /** Calls an account, or creates a contract, in a block of its own time; the changes stay. */
  async call(from: Address, to: Address | undefined, data: Bytes, value = 0n): Promise<CallResult> {
    return executeCall(
      this.state,
      this.#env(),
      { from, to, data, value, gasLimit: CALL_GAS },
      { ...this.#context(), options: { keepChanges: true } },
    );
  }

  /** Value of a view. */
  async view(functionName: string, ...args: readonly unknown[]): Promise<unknown> {
    const outcome = await this.send(ownerOf(0), functionName, args);
    assert.equal(outcome.error, undefined, `${functionName}: ${outcome.error}`);
    return "value" in outcome ? outcome.value : undefined;
  }

  /** The first block of the epoch after `summary`: system call, and the withdrawal that mints. */
  async endEpoch(summary: EpochSummary): Promise<BlockResult> {
    this.number++;
    const epoch = { staking: this.config.staking, summary: encodeSummary(summary) };
    const executor = await BlockExecutor.begin(this.state, this.#env(), {
      ...this.#context(),
      epoch,
    });
    const mint = {
      index: BigInt(summary.epoch),
      validatorIndex: 0n,
      address: this.config.staking,
      amount: summary.minted,
    };
    return executor.finish({ ommers: [], withdrawals: summary.minted > 0n ? [mint] : [] });
  }

  #env() {
    return {
      number: this.number,
      timestamp: this.timestamp,
      gasLimit: 30_000_000n,
      difficulty: 0n,
      miner: addressAt(0xc0ffee),
      mixHash: ZERO_HASH,
      baseFeePerGas: 0n,
      excessBlobGas: 0n,
      parentBeaconBlockRoot: ZERO_HASH,
      parentHash: ZERO_HASH,
    };
  }

  #context() {
    const { number, timestamp } = this;
    const rules = this.genesis.config.forks.rules({ number, timestamp, difficulty: 0n });
    return { rules, blockHash: () => undefined };
  }
}
