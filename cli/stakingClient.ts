/** The staking contract behind a node's JSON-RPC: reading validators, sending transactions of their owners. */
import { VALIDATOR_STATUSES, type ValidatorStatus } from "../src/chain/stakingState.ts";
import { keccak256 } from "../src/crypto/keccak.ts";
import type { StoredKey } from "../src/crypto/storedKey.ts";
import { addressOfKey } from "../src/crypto/storedKey.ts";
import { type AbiArgument, encodeArguments } from "../src/execution/abiWriter.ts";
import { type Bytes, concatBytes } from "../src/primitives/bytes.ts";
import {
  type Address,
  bigIntToHash,
  bytesToHex,
  type Hash,
  parseAddress,
} from "../src/primitives/hex.ts";
import type { MessageDomain } from "../src/types/consensusMessage.ts";
import { CommandError } from "./exit.ts";
import { type RpcEndpoint, RpcFailure } from "./rpcEndpoint.ts";
import { fillTransaction, keyOfFile } from "./transactionKey.ts";

const U160 = (1n << 160n) - 1n;

/** Errors of contracts/staking/IStaking.sol that a user may meet, for messages. */
const ERRORS = new Map<string, string>(
  [
    "OnlyOwner(address)",
    "UnknownValidator(uint32)",
    "UnknownKey(uint32,uint8)",
    "WrongStatus(uint8)",
    "NotWholeGwei(uint256)",
    "StakeTooSmall(uint64,uint64)",
    "BadAddress(address)",
    "KeyTaken(bytes32)",
    "TooManyKeys()",
    "BadKeyProof()",
    "StillBonded(uint256)",
    "StillJailed(uint32)",
    "FinalityStalled()",
    "NothingToClaim()",
    "TransferFailed(address)",
  ].map((signature) => [bytesToHex(selectorOf(signature)), signature] as const),
);

/** A validator as `status` shows it; amounts in gwei. */
export interface ShownValidator {
  readonly id: number;
  readonly status: ValidatorStatus;
  readonly stake: bigint;
  readonly rewards: bigint;
  readonly reputation: number;
  readonly lastListed: number;
  readonly since: number;
  readonly keys: number;
  readonly owner: Address;
  readonly withdrawal: Address;
  readonly feeRecipient: Address;
  readonly keyHash: Hash;
}

/** What to call, and with how many wei. */
export interface StakingCall {
  readonly signature: string;
  readonly args: readonly AbiArgument[];
  readonly value?: bigint;
}

/** First four bytes of a call. */
function selectorOf(signature: string): Bytes {
  return keccak256(new TextEncoder().encode(signature)).subarray(0, 4);
}

function calldata({ signature, args }: StakingCall): Bytes {
  return concatBytes(selectorOf(signature), encodeArguments(args));
}

/** The contract at an address of a node's chain. */
export class StakingClient {
  readonly #endpoint: RpcEndpoint;
  readonly address: Address;

  constructor(endpoint: RpcEndpoint, address: Address) {
    this.#endpoint = endpoint;
    this.address = address;
  }

  /** Chain id and salt that every message of a validator is bound to. Throws CommandError without the contract. */
  async domain(): Promise<MessageDomain> {
    const [salt] = await this.#view("SALT()", []);
    if (salt === undefined) {
      const problem = `there is no staking contract at ${this.address} on this chain`;
      throw new CommandError({ code: "FAILED", problem });
    }
    return { chainId: await this.#endpoint.quantity("eth_chainId"), salt: bigIntToHash(salt) };
  }

  /** Id of the validator that has or had this key. */
  async idOfKey(keyHash: Hash): Promise<number> {
    const [id] = await this.#view("idOfKey(bytes32)", [BigInt(keyHash)]);
    return Number(id);
  }

  async validator(id: number): Promise<ShownValidator> {
    const words = await this.#view("validatorOf(uint32)", [BigInt(id)]);
    const [stake, rewards, lastListed, since, reputation, status, , keys, ...rest] = words;
    const [owner = 0n, , withdrawal = 0n, feeRecipient = 0n, keyHash = 0n] = rest;
    const address = (word: bigint) =>
      parseAddress(`0x${(word & U160).toString(16).padStart(40, "0")}`);
    return {
      id,
      status: VALIDATOR_STATUSES[Number(status)] ?? "none",
      stake: stake ?? 0n,
      rewards: rewards ?? 0n,
      reputation: Number(reputation),
      lastListed: Number(lastListed),
      since: Number(since),
      keys: Number(keys),
      owner: address(owner),
      withdrawal: address(withdrawal),
      feeRecipient: address(feeRecipient),
      keyHash: bigIntToHash(keyHash),
    };
  }

  /** Sends a transaction signed by `key` and waits until it is in a block; its hash. Throws CommandError. */
  async send(stored: StoredKey, call: StakingCall): Promise<string> {
    const endpoint = this.#endpoint;
    const key = await keyOfFile(stored);
    try {
      const from = await addressOfKey(stored);
      const wish = { from, to: this.address, value: call.value ?? 0n, data: calldata(call) };
      const fields = await explained(() => fillTransaction(endpoint, wish, key));
      // what the contract does may cost more in a later state
      const gasLimit = (fields.gasLimit * 5n) / 4n;
      const transaction = await key.sign({ ...fields, gasLimit });
      await endpoint.call("eth_sendRawTransaction", bytesToHex(transaction.raw));
      await endpoint.included(transaction.hash);
      return transaction.hash;
    } finally {
      await key.close();
    }
  }

  #view(signature: string, args: readonly AbiArgument[]): Promise<readonly bigint[]> {
    const data = calldata({ signature, args });
    return explained(() => this.#endpoint.view(this.address, data));
  }
}

/** Names the contract's error instead of "execution reverted". */
async function explained<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const name =
      error instanceof RpcFailure ? ERRORS.get(error.data?.slice(0, 10) ?? "") : undefined;
    if (name === undefined) throw error;
    const problem = `the staking contract refuses: ${name}`;
    throw new CommandError({ code: "FAILED", problem }, { cause: error });
  }
}
