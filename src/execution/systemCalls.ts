/** Calls that the protocol itself makes to system contracts, outside block gas. */
import { keccak256 } from "../crypto/keccak.ts";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { type Address, hexToBytes, parseAddress } from "../primitives/hex.ts";
import { BEACON_ROOTS_ADDRESS, HISTORY_STORAGE_ADDRESS } from "../types/systemContracts.ts";
import { encodeArguments } from "./abiWriter.ts";
import { executionFault, type Machine } from "./evm.ts";

/** Who calls: nobody holds its key. Source: EIP-4788. */
export const SYSTEM_ADDRESS = parseAddress(`0x${"ff".repeat(19)}fe`);
const SYSTEM_CALL_GAS = 30_000_000n;
const ON_EPOCH = keccak256(new TextEncoder().encode("onEpoch(bytes)")).subarray(0, 4);

/** What a system call returned. */
export interface SystemCallResult {
  readonly output: Bytes;
  /** undefined on success */
  readonly failure: string | undefined;
}

/** Calls `to` as the system address; undefined when there is no code. Throws ExecutionFault. */
export async function systemCall(
  machine: Machine,
  to: Address,
  data: Bytes,
  gasLimit = SYSTEM_CALL_GAS,
): Promise<SystemCallResult | undefined> {
  const { state, env } = machine;
  if (state.code(to).length === 0) return undefined;
  const depth = state.depth;
  try {
    state.beginTransaction();
    const { returnData, failure } = await machine.run({
      sender: SYSTEM_ADDRESS,
      to,
      value: 0n,
      data,
      gas: gasLimit,
      gasPrice: 0n,
      baseFee: env.baseFeePerGas ?? 0n,
      blobBaseFee: machine.blobBaseFee ?? 0n,
      blobVersionedHashes: [],
      warmAddresses: [],
      warmPrecompiles: false,
      accessList: [],
      reportAccessList: false,
    });
    if (state.depth !== depth) throw new TypeError("checkpoints left open");
    return { output: returnData, failure };
  } catch (error) {
    throw executionFault(`system call to ${to}`, error);
  }
}

/**
 * What is written before the first transaction: parent beacon root (EIP-4788), parent hash (EIP-2935), and in the first
 * block of an epoch the summary of the one before. Gives the reason why the staking contract refused that summary: its
 * effects are then gone, the block is valid, and somebody must be told.
 */
export async function beginBlockCalls(machine: Machine): Promise<string | undefined> {
  const { rules, epoch } = machine.context;
  const { parentBeaconBlockRoot, parentHash } = machine.env;
  if (rules.has("cancun") && parentBeaconBlockRoot !== undefined) {
    await systemCall(machine, BEACON_ROOTS_ADDRESS, hexToBytes(parentBeaconBlockRoot));
  }
  if (rules.has("prague") && parentHash !== undefined) {
    await systemCall(machine, HISTORY_STORAGE_ADDRESS, hexToBytes(parentHash));
  }
  if (epoch === undefined) return undefined;
  const data = concatBytes(ON_EPOCH, encodeArguments([epoch.summary]));
  const result = await systemCall(machine, epoch.staking, data);
  return result === undefined ? "there is no staking contract" : result.failure;
}
