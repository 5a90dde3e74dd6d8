/** Contracts of block 0: what their constructors make of their arguments, never storage written by hand. */
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import type { Address } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import { EMPTY_ACCOUNT } from "../types/account.ts";
import type { ConsensusConfig } from "../types/qnetConfig.ts";
import { type AbiArgument, encodeArguments } from "./abiWriter.ts";
import { type BlockEnv, createMachine, type ExecutionContext } from "./evm.ts";
import { systemCall } from "./systemCalls.ts";

const WEI_PER_GWEI = 1_000_000_000n;
/** Block 0 has no gas to share: enough for the largest list of validators that a genesis may have. */
const CONSTRUCTOR_GAS = 2n ** 40n;

/** A contract to be. */
export interface Predeploy {
  readonly address: Address;
  /** Creation code and the arguments of its constructor */
  readonly creation: Bytes;
  /** wei that the contract holds before its constructor runs */
  readonly balance: bigint;
}

/**
 * Runs the constructor at the contract's address and gives the contract the code that it returns. Returns why it failed,
 * and then the State is to be thrown away; undefined on success. Throws ExecutionFault.
 */
export async function predeploy(
  state: State,
  env: BlockEnv,
  context: ExecutionContext,
  { address, creation, balance }: Predeploy,
): Promise<string | undefined> {
  // as code of the account, a constructor finds its arguments behind itself, as it does when a transaction creates it
  state.setAccount(address, { ...EMPTY_ACCOUNT, nonce: 1n, balance });
  state.setCode(address, creation);
  const machine = createMachine(state, env, context);
  const result = await systemCall(machine, address, new Uint8Array(0), CONSTRUCTOR_GAS);
  if (result === undefined || result.failure !== undefined)
    return result?.failure ?? "there is no creation code";
  state.setCode(address, result.output);
  return undefined;
}

/** The staking contract as the genesis file wants it: its validators' stakes are coins of block 0. */
export function stakingPredeploy(config: ConsensusConfig, creationCode: Bytes): Predeploy {
  const stakes = config.validators.reduce((sum, { stake }) => sum + stake, 0n);
  return {
    address: config.staking,
    creation: concatBytes(creationCode, constructorArguments(config)),
    balance: stakes * WEI_PER_GWEI,
  };
}

/** (Parameters, GenesisValidator[]) of contracts/staking/IStaking.sol. */
function constructorArguments(config: ConsensusConfig): Bytes {
  const parameters: AbiArgument = {
    tuple: [
      BigInt(config.salt),
      BigInt(config.pqVerifier),
      config.minStake,
      BigInt(config.slotMs),
      BigInt(config.unbonding),
      BigInt(config.evidenceWindow),
    ],
  };
  const validators = config.validators.map(
    (one): AbiArgument => ({
      tuple: [
        BigInt(one.owner),
        BigInt(one.withdrawal),
        BigInt(one.feeRecipient),
        one.stake,
        one.publicKey,
        one.keyProof,
      ],
    }),
  );
  return encodeArguments([parameters, { list: validators }]);
}
