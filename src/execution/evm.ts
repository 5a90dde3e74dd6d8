/**
 * The interpreter: @ethereumjs/evm over our State, one EVM per block or call.
 * Owns the library's `Common` (one per fork and chain id), the crypto it uses and the block object it reads.
 * Data: BlockEnv + ExecutionContext -> Machine -> executeTransaction, systemCalls, call.
 * Nothing here commits to disk; whoever gets an ExecutionFault throws the State away.
 */
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import {
  type CustomPrecompile,
  EVM,
  EVMError,
  getActivePrecompiles,
  NobleBN254,
  paramsEVM,
} from "@ethereumjs/evm";
import { Address as EvmAddress } from "@ethereumjs/util";
import { keccak256, sha256 } from "../crypto/keccak.ts";
import { loadKzg } from "../crypto/kzg.ts";
import { type PqVerifier, pqVerifier } from "../crypto/pqVerifier.ts";
import { ecrecoverForEvm } from "../crypto/secp256k1.ts";
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import { type Address, type Hash, hexToBytes } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import type { ForkName, Rules } from "../types/forks.ts";
import type { Header } from "../types/header.ts";
import { attachObserver } from "./attachObserver.ts";
import { FrameWatch } from "./frameWatch.ts";
import { blobBaseFee } from "./gas.ts";
import { hookedInstructions } from "./instructionHooks.ts";
import type { Observer } from "./observer.ts";
import { type Precompile, precompilesFor } from "./precompiles/table.ts";
import { StateAdapter } from "./stateAdapter.ts";

/** What of the block the transactions in it can see. */
export interface BlockEnv {
  readonly number: bigint;
  /** seconds */
  readonly timestamp: bigint;
  readonly gasLimit: bigint;
  readonly difficulty: bigint;
  readonly miner: Address;
  /** prevRandao after the merge */
  readonly mixHash: Hash;
  /** wei; undefined before London */
  readonly baseFeePerGas: bigint | undefined;
  /** undefined before Cancun */
  readonly excessBlobGas: bigint | undefined;
  /** wei per blob gas, instead of what follows from `excessBlobGas` (calls with block overrides) */
  readonly blobBaseFee?: bigint | undefined;
  /** undefined before Cancun; then no system call stores it */
  readonly parentBeaconBlockRoot: Hash | undefined;
  /** undefined in tests of single transactions: no system call stores it */
  readonly parentHash: Hash | undefined;
}

/** What the staking contract is told in the first block of an epoch. */
export interface EpochCall {
  readonly staking: Address;
  /** Encoded summary of the epoch before, types/epochSummary.ts */
  readonly summary: Bytes;
}

/** Rules in force and the ancestors of the executing block. */
export interface ExecutionContext {
  readonly rules: Rules;
  /** In the first block of each epoch but the first one; a call, a trace or a replay of the block needs it as well. */
  readonly epoch?: EpochCall | undefined;
  /** Hash of the ancestor of the executing block at this height, one of the last 256. */
  blockHash(number: bigint): Hash | undefined;
  readonly observer?: Observer | undefined;
  /** What the precompiles of the genesis' map verify with; default: the common one */
  readonly verifier?: PqVerifier | undefined;
  /** Asked at each jump and frame: throws to end the execution, or lets other work go first. */
  readonly pause?: (() => Promise<void> | undefined) | undefined;
  /** Precompiles that a state override moved (movePrecompileToAddress: from -> to) or covered (undefined). */
  readonly movedPrecompiles?: ReadonlyMap<Address, Address | undefined> | undefined;
}

export type ExecutionFaultReason = {
  readonly code: "EXECUTION_FAULT";
  readonly during: string;
  readonly message: string;
};

/** Execution broke off outside the rules of the EVM: the State it ran on is not to be used any more. */
export class ExecutionFault extends NodeError<ExecutionFaultReason> {}

/** An EVM over a State inside one block. */
export interface Machine {
  readonly evm: EVM;
  readonly state: State;
  readonly env: BlockEnv;
  readonly context: ExecutionContext;
  /** wei per blob gas; undefined before Cancun */
  readonly blobBaseFee: bigint | undefined;
  /** Addresses (hex without 0x) that are warm as precompiles: the fork's own, wherever a caller has moved them. */
  readonly warmPrecompiles: readonly string[];
}

/** The block as the EVM reads it. */
export type EvmBlock = NonNullable<Parameters<EVM["runCall"]>[0]["block"]>;

/** BlockEnv of a header. */
export function envOf(header: Header): BlockEnv {
  return header;
}

/** An EVM for the transactions of one block (or one call) on `state`. */
export function createMachine(state: State, env: BlockEnv, context: ExecutionContext): Machine {
  const { rules, observer, verifier = pqVerifier } = context;
  const common = commonFor(rules);
  const frames = observer && new FrameWatch(observer);
  const evm = new EVM({
    common,
    stateManager: new StateAdapter(state),
    // `common` holds them already: merging them again costs more than a transfer.
    params: {},
    bn254: BN254,
    customPrecompiles: precompilesFor(rules).map((one) => adaptPrecompile(one, verifier)),
    customOpcodes: hookedInstructions(common, { ...context, frames }),
    blockchain: {
      getBlock: async (number: number) => {
        const hash = hexToBytes(context.blockHash(BigInt(number)) ?? ZERO_WORD);
        return { hash: () => hash };
      },
      putBlock: () => Promise.reject(new TypeError("the EVM stores no blocks")),
      shallowCopy() {
        return this;
      },
    },
  });
  // Each EVM would stay reachable from the shared Common, whose fork never changes.
  common.events.removeAllListeners("hardforkChanged");
  loadKzgAtFirstUse(evm);
  const warmPrecompiles = [...evm.precompiles.keys()];
  for (const [from, to] of context.movedPrecompiles ?? []) movePrecompile(evm, from, to);
  if (observer !== undefined && frames !== undefined) attachObserver(evm, observer, frames);
  const { excessBlobGas } = env;
  const derived = excessBlobGas === undefined ? undefined : blobBaseFee(excessBlobGas, rules);
  return { evm, state, env, context, blobBaseFee: env.blobBaseFee ?? derived, warmPrecompiles };
}

/** Whether calls to `address` run a precompile under `rules`. */
export function isPrecompile(address: Address, rules: Rules): boolean {
  let known = precompileAddresses.get(rules);
  if (known === undefined) {
    known = new Set(getActivePrecompiles(commonFor(rules)).keys());
    for (const { address } of rules.precompiles) known.add(address.slice(2));
    precompileAddresses.set(rules, known);
  }
  return known.has(address.slice(2));
}

/** The block object of `env`; calls at gas price 0 see fees of 0. */
export function evmBlock(machine: Machine, fees: { base: bigint; blob: bigint }): EvmBlock {
  const { env, context } = machine;
  return {
    header: {
      number: env.number,
      coinbase: toEvmAddress(env.miner),
      timestamp: env.timestamp,
      difficulty: context.rules.has("paris") ? 0n : env.difficulty,
      prevRandao: hexToBytes(env.mixHash),
      gasLimit: env.gasLimit,
      baseFeePerGas: fees.base,
      getBlobGasPrice: () => fees.blob,
    },
  };
}

/** Our address in the library's shape. */
export function toEvmAddress(address: Address): EvmAddress {
  return new EvmAddress(hexToBytes(address));
}

/** Turns anything but an expected error into an ExecutionFault that keeps its cause. */
export function executionFault(during: string, cause: unknown): ExecutionFault {
  if (cause instanceof ExecutionFault) return cause;
  const message = cause instanceof EVMError ? cause.error : String(cause);
  return new ExecutionFault({ code: "EXECUTION_FAULT", during, message }, { cause });
}

const ZERO_WORD = `0x${"00".repeat(32)}`;
/** Address 0x0a as the library keys it. */
const POINT_EVALUATION = `${"00".repeat(19)}0a`;
const BN254 = new NobleBN254();
const MAX_COMMONS = 64;
/** Addresses in hex without 0x. */
const precompileAddresses = new WeakMap<Rules, Set<string>>();
const commons = new Map<string, Common>();

const HARDFORKS: Partial<Record<ForkName, Hardfork>> = {
  frontier: Hardfork.Chainstart,
  homestead: Hardfork.Homestead,
  dao: Hardfork.Dao,
  tangerineWhistle: Hardfork.TangerineWhistle,
  spuriousDragon: Hardfork.SpuriousDragon,
  byzantium: Hardfork.Byzantium,
  constantinople: Hardfork.Constantinople,
  petersburg: Hardfork.Petersburg,
  istanbul: Hardfork.Istanbul,
  muirGlacier: Hardfork.MuirGlacier,
  berlin: Hardfork.Berlin,
  london: Hardfork.London,
  arrowGlacier: Hardfork.ArrowGlacier,
  grayGlacier: Hardfork.GrayGlacier,
  paris: Hardfork.Paris,
  shanghai: Hardfork.Shanghai,
  cancun: Hardfork.Cancun,
  prague: Hardfork.Prague,
};

/** The library's parameters for `rules`. Forks from Osaka on differ in blob prices only, and those we pass in. */
function commonFor(rules: Rules): Common {
  const hardfork = HARDFORKS[rules.fork] ?? Hardfork.Osaka;
  const key = `${hardfork}:${rules.chainId}`;
  const known = commons.get(key);
  if (known !== undefined) return known;
  const common = new Common({
    chain: { ...Mainnet, chainId: rules.chainId.toString() },
    hardfork,
    params: paramsEVM,
    customCrypto: { keccak256, sha256, ecrecover: ecrecoverForEvm },
  });
  if (commons.size >= MAX_COMMONS) commons.clear();
  commons.set(key, common);
  return common;
}

/** Point evaluation throws past the EVM when there is no KZG library, and loading one takes 0.2 s. */
function loadKzgAtFirstUse({ precompiles, common }: EVM): void {
  const evaluate = precompiles.get(POINT_EVALUATION);
  if (evaluate === undefined) return;
  precompiles.set(POINT_EVALUATION, async (input) => {
    common.customCrypto.kzg ??= await loadKzg();
    return evaluate(input);
  });
}

function movePrecompile({ precompiles }: EVM, from: Address, to: Address | undefined): void {
  const moved = precompiles.get(from.slice(2));
  if (moved === undefined) return;
  precompiles.delete(from.slice(2));
  if (to !== undefined) precompiles.set(to.slice(2), moved);
}

function adaptPrecompile(precompile: Precompile, verifier: PqVerifier): CustomPrecompile {
  return {
    address: precompile.address,
    function: ({ data, gasLimit }: { data: Bytes; gasLimit: bigint }) => {
      const executionGasUsed = precompile.gas(data);
      if (executionGasUsed > gasLimit) {
        const exceptionError = new EVMError(EVMError.errorMessages.OUT_OF_GAS);
        return { executionGasUsed: gasLimit, returnValue: EMPTY_BYTES, exceptionError };
      }
      const returnValue = precompile.run(data, verifier);
      return returnValue instanceof Promise
        ? returnValue.then((word) => ({ executionGasUsed, returnValue: word }))
        : { executionGasUsed, returnValue };
    },
  };
}
