/**
 * @ethereumjs/evm over our State: what traces and simulations watch, what `--evm reference` runs, and what the fast EVM
 * is compared with. One per block or call, made when first needed.
 */
import { type CustomPrecompile, EVM, EVMError, type EVMResult, NobleBN254 } from "@ethereumjs/evm";
import { Address as EvmAddress } from "@ethereumjs/util";
import { loadBls12381 } from "../crypto/bls12381.ts";
import { loadKzg } from "../crypto/kzg.ts";
import { type PqVerifier, pqVerifier } from "../crypto/pqVerifier.ts";
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import {
  type Address,
  bytesToAddress,
  bytesToHash,
  hexToBytes,
  parseAddress,
  parseHash,
  ZERO_HASH,
} from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import type { Rules } from "../types/forks.ts";
import type { AccessListItem } from "../types/transaction.ts";
import { attachObserver } from "./attachObserver.ts";
import { commonFor } from "./ethereumjs.ts";
import type { BlockEnv, ExecutionContext } from "./evm.ts";
import type { Evm, EvmMessage, EvmResult } from "./evmMessage.ts";
import { FrameWatch } from "./frameWatch.ts";
import { hookedInstructions } from "./instructionHooks.ts";
import { activePrecompiles } from "./precompiles/active.ts";
import { BLS12381, BLS12381_CALLS } from "./precompiles/bls12381.ts";
import { LONG_CALLS, type PrecompileOffload } from "./precompiles/offload.ts";
import { type Precompile, precompilesFor } from "./precompiles/table.ts";
import { StateAdapter } from "./stateAdapter.ts";

/** The block as the library reads it. */
type EvmBlock = NonNullable<Parameters<EVM["runCall"]>[0]["block"]>;

/** Address 0x0a as the library keys it. */
const POINT_EVALUATION = `${"00".repeat(19)}0a`;
const BN254 = new NobleBN254();

/** Runs messages on one State inside one block. */
export class ReferenceEvm implements Evm {
  readonly #evm: EVM;
  readonly #env: BlockEnv;
  readonly #context: ExecutionContext;

  constructor(state: State, env: BlockEnv, context: ExecutionContext) {
    this.#env = env;
    this.#context = context;
    this.#evm = createEvm(state, context);
  }

  async run(message: EvmMessage): Promise<EvmResult> {
    const evm = this.#evm;
    const { journal } = evm;
    journal.cleanJournal();
    evm.transientStorage.clear();
    if (message.reportAccessList) journal.startReportingAccessList();
    for (const address of message.warmAddresses) journal.addAlwaysWarmAddress(address);
    if (message.warmPrecompiles) {
      const { rules, verifier } = this.#context;
      for (const address of activePrecompiles(rules, verifier).keys())
        journal.addAlwaysWarmAddress(address);
    }
    for (const { address, storageKeys } of message.accessList) {
      journal.addAlwaysWarmAddress(address, true);
      for (const key of storageKeys) journal.addAlwaysWarmSlot(address, key, true);
    }
    const result = await evm.runCall({
      block: this.#blockFor(message),
      gasPrice: message.gasPrice,
      caller: toEvmAddress(message.sender),
      gasLimit: message.gas,
      ...(message.to !== undefined && { to: toEvmAddress(message.to) }),
      value: message.value,
      data: message.data,
      blobVersionedHashes: [...message.blobVersionedHashes],
      skipNonceIncrement: true,
    });
    const accessList = message.reportAccessList
      ? reportedAccessList(journal.accessList)
      : undefined;
    await journal.cleanup();
    return resultOf(result, this.#context.rules.has("cancun"), accessList);
  }

  #blockFor({ baseFee, blobBaseFee }: EvmMessage): EvmBlock {
    const env = this.#env;
    return {
      header: {
        number: env.number,
        coinbase: toEvmAddress(env.miner),
        timestamp: env.timestamp,
        difficulty: this.#context.rules.has("paris") ? 0n : env.difficulty,
        prevRandao: hexToBytes(env.mixHash),
        gasLimit: env.gasLimit,
        baseFeePerGas: baseFee,
        getBlobGasPrice: () => blobBaseFee,
      },
    };
  }
}

/** What the error of the library says; undefined for any other. */
export function libraryErrorText(error: unknown): string | undefined {
  return error instanceof EVMError ? error.error : undefined;
}

function createEvm(state: State, context: ExecutionContext): EVM {
  const { rules, observer, verifier = pqVerifier } = context;
  const common = commonFor(rules);
  const frames = observer && new FrameWatch(observer);
  const evm = new EVM({
    common,
    stateManager: new StateAdapter(state),
    // `common` holds them already: merging them again costs more than a transfer.
    params: {},
    bn254: BN254,
    bls: BLS12381,
    customPrecompiles: precompilesFor(rules).map((one) => adaptPrecompile(one, verifier)),
    customOpcodes: hookedInstructions(common, { ...context, frames }),
    blockchain: {
      getBlock: async (number: number) => {
        const hash = hexToBytes(context.blockHash(BigInt(number)) ?? ZERO_HASH);
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
  loadBls12381AtFirstUse(evm);
  if (context.offload !== undefined) offloadLongCalls(evm, rules, context.offload);
  for (const [from, to] of context.movedPrecompiles ?? []) movePrecompile(evm, from, to);
  if (observer !== undefined && frames !== undefined) attachObserver(evm, observer, frames);
  return evm;
}

function resultOf(
  { execResult }: EVMResult,
  onlyNewDie: boolean,
  accessList: readonly AccessListItem[] | undefined,
): EvmResult {
  const destroyed: Address[] = [];
  for (const address of execResult.selfdestruct?.keys() ?? []) {
    // EIP-6780
    if (onlyNewDie && execResult.createdAddresses?.has(address) !== true) continue;
    destroyed.push(parseAddress(address));
  }
  return {
    gasUsed: execResult.executionGasUsed,
    refund: execResult.gasRefund ?? 0n,
    returnData: execResult.returnValue,
    failure: execResult.exceptionError?.error,
    logs: (execResult.logs ?? []).map(([address, topics, data]) => ({
      address: bytesToAddress(address),
      topics: topics.map(bytesToHash),
      data,
    })),
    destroyed,
    accessList,
  };
}

function reportedAccessList(reported: Map<string, Set<string>> | undefined): AccessListItem[] {
  return [...(reported ?? [])].map(([address, slots]) => ({
    address: parseAddress(`0x${address}`),
    storageKeys: [...slots].map((slot) => parseHash(`0x${slot}`)),
  }));
}

function toEvmAddress(address: Address): EvmAddress {
  return new EvmAddress(hexToBytes(address));
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

function loadBls12381AtFirstUse({ precompiles }: EVM): void {
  for (const address of BLS12381_CALLS) {
    const run = precompiles.get(address.slice(2));
    if (run === undefined) continue;
    precompiles.set(address.slice(2), async (call) => {
      await loadBls12381();
      return run(call);
    });
  }
}

function offloadLongCalls({ precompiles }: EVM, rules: Rules, offload: PrecompileOffload): void {
  for (const [address, isLong] of LONG_CALLS) {
    const near = precompiles.get(address.slice(2));
    if (near === undefined) continue;
    precompiles.set(address.slice(2), async (call) => {
      const { data: input, gasLimit } = call;
      if (!isLong(input)) return near(call);
      const { fork, chainId } = rules;
      const gas = Number(gasLimit);
      const answer = await offload.run({ rules: { fork, chainId }, address, input, gas });
      return {
        executionGasUsed: BigInt(answer.gasUsed),
        returnValue: answer.output,
        ...(answer.failure !== undefined && { exceptionError: libraryError(answer.failure) }),
      };
    });
  }
}

/** The library's error of this text, which it gave in another thread. */
function libraryError(text: string): EVMError {
  const known = Object.values(EVMError.errorMessages).find((message) => message === text);
  assert(known !== undefined, "precompiles of the library fail with its own errors");
  return new EVMError(known);
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
