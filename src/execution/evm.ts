/**
 * The choice of EVM: fastEvm/ runs blocks and calls, @ethereumjs/evm what is observed, what asks for an access list, what
 * has more gas than the fast one counts, and everything with `--evm reference`. Both give the same results.
 * Data: BlockEnv + ExecutionContext -> Machine -> executeTransaction, systemCalls, call.
 * Nothing here commits to disk; whoever gets an ExecutionFault throws the State away.
 */
import type { PqVerifier } from "../crypto/pqVerifier.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import type { Rules } from "../types/forks.ts";
import type { Header } from "../types/header.ts";
import type { Evm, EvmMessage } from "./evmMessage.ts";
import type { BlockWords } from "./fastEvm/environment.ts";
import { FastEvm, MAX_FAST_GAS } from "./fastEvm/fastEvm.ts";
import { hexToWord, toWord } from "./fastEvm/word.ts";
import { blobBaseFee } from "./gas.ts";
import { type CallWatch, joinObservers, type Observer } from "./observer.ts";
import { activePrecompiles, type PrecompileSet, withMoved } from "./precompiles/active.ts";
import { type PrecompileOffload, withOffload } from "./precompiles/offload.ts";
import { libraryErrorText, ReferenceEvm } from "./referenceEvm.ts";

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
/** The EVMs there are: our own, and @ethereumjs/evm. */
export const EVM_NAMES = ["fast", "reference"] as const;
export type EvmName = (typeof EVM_NAMES)[number];

/** Rules in force and the ancestors of the executing block. */
export interface ExecutionContext {
  readonly rules: Rules;
  /** In the first block of each epoch but the first one; a call, a trace or a replay of the block needs it as well. */
  readonly epoch?: EpochCall | undefined;
  /** Hash of the ancestor of the executing block at this height, one of the last 256. */
  blockHash(number: bigint): Hash | undefined;
  readonly observer?: Observer | undefined;
  readonly watch?: CallWatch | undefined;
  /** What the precompiles of the genesis' map verify with; default: the common one */
  readonly verifier?: PqVerifier | undefined;
  /** Asked at each jump and frame: throws to end the execution, or lets other work go first. */
  readonly pause?: (() => Promise<void> | undefined) | undefined;
  /** Runs long precompiles elsewhere; default: in place. */
  readonly offload?: PrecompileOffload | undefined;
  /** Precompiles that a state override moved (movePrecompileToAddress: from -> to) or covered (undefined). */
  readonly movedPrecompiles?: ReadonlyMap<Address, Address | undefined> | undefined;
  /** Which EVM runs what nobody observes; default: fast */
  readonly evm?: EvmName | undefined;
}

export type ExecutionFaultReason = {
  readonly code: "EXECUTION_FAULT";
  readonly during: string;
  readonly message: string;
};

/** Execution broke off outside the rules of the EVM: the State it ran on is not to be used any more. */
export class ExecutionFault extends NodeError<ExecutionFaultReason> {}

/** A State inside one block, and what runs on it. */
export interface Machine extends Evm {
  readonly state: State;
  readonly env: BlockEnv;
  readonly context: ExecutionContext;
  /** wei per blob gas; undefined before Cancun */
  readonly blobBaseFee: bigint | undefined;
  readonly precompiles: PrecompileSet;
}

/** BlockEnv of a header. */
export function envOf(header: Header): BlockEnv {
  return header;
}

/** A Machine for the transactions of one block (or one call) on `state`. */
export function createMachine(state: State, env: BlockEnv, context: ExecutionContext): Machine {
  const { rules, observer } = context;
  const active = activePrecompiles(rules, context.verifier);
  const near = context.offload === undefined ? active : withOffload(active, rules, context.offload);
  const precompiles = withMoved(near, context.movedPrecompiles);
  const { excessBlobGas } = env;
  const derived = excessBlobGas === undefined ? undefined : blobBaseFee(excessBlobGas, rules);
  const alwaysReference = observer !== undefined || context.evm === "reference";
  let reference: ReferenceEvm | undefined;
  let fast: FastEvm | undefined;
  return {
    state,
    env,
    context,
    blobBaseFee: env.blobBaseFee ?? derived,
    precompiles,
    run(message: EvmMessage) {
      if (alwaysReference || message.reportAccessList || message.gas > MAX_FAST_GAS) {
        reference ??= new ReferenceEvm(state, env, observed(context));
        return reference.run(message);
      }
      fast ??= new FastEvm(state, {
        rules,
        block: blockWords(env, context),
        precompiles,
        // the fork's own, wherever a caller has moved what is called there
        precompileAddresses: active,
        pause: context.pause,
        watch: context.watch,
      });
      return fast.run(message);
    },
  };
}

/** Whether calls to `address` run a precompile under `rules`. */
export function isPrecompile(address: Address, rules: Rules): boolean {
  return activePrecompiles(rules).has(address);
}

/** Turns anything but an expected error into an ExecutionFault that keeps its cause. */
export function executionFault(during: string, cause: unknown): ExecutionFault {
  if (cause instanceof ExecutionFault) return cause;
  const message = libraryErrorText(cause) ?? String(cause);
  return new ExecutionFault({ code: "EXECUTION_FAULT", during, message }, { cause });
}

/** The watch as the reference EVM knows it: one more observer. */
function observed(context: ExecutionContext): ExecutionContext {
  const { watch, observer } = context;
  if (watch === undefined) return context;
  const watching: Observer = {
    enter({ to, input }) {
      if (to === watch.address) watch.called(input);
    },
  };
  return {
    ...context,
    observer: observer === undefined ? watching : joinObservers(observer, watching),
  };
}

function blockWords(env: BlockEnv, context: ExecutionContext): BlockWords {
  const { rules } = context;
  return {
    number: toWord(env.number),
    timestamp: toWord(env.timestamp),
    coinbase: hexToWord(env.miner),
    randomness: rules.has("paris") ? hexToWord(env.mixHash) : toWord(env.difficulty),
    gasLimit: toWord(env.gasLimit),
    chainId: toWord(rules.chainId),
    blockHash: (number) => context.blockHash(number),
  };
}
