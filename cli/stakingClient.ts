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
  formatQuantity,
  type Hash,
  parseAddress,
} from "../src/primitives/hex.ts";
import type { MessageDomain } from "../src/types/consensusMessage.ts";
import { signTransaction } from "../src/types/transactionCodec.ts";
import { CommandError } from "./exit.ts";
import { type RpcEndpoint, RpcFailure } from "./rpcEndpoint.ts";

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
  async send(key: StoredKey, call: StakingCall): Promise<string> {
    if (key.type !== "secp256k1") {
      const problem = `owners with ${key.type} keys are not supported yet: use a secp256k1 account`;
      throw new CommandError({ code: "FAILED", problem });
    }
    const endpoint = this.#endpoint;
    const [from, data, value] = [await addressOfKey(key), calldata(call), call.value ?? 0n];
    const request = {
      from,
      to: this.address,
      data: bytesToHex(data),
      value: formatQuantity(value),
    };
    const gas = await explained(() => endpoint.quantity("eth_estimateGas", request));
    const transaction = signTransaction(
      {
        type: 2,
        chainId: await endpoint.quantity("eth_chainId"),
        nonce: await endpoint.quantity("eth_getTransactionCount", from, "pending"),
        // the base fee may double while the transaction waits
        maxFeePerGas: 2n * (await endpoint.quantity("eth_gasPrice")),
        maxPriorityFeePerGas: await endpoint.quantity("eth_maxPriorityFeePerGas"),
        gasLimit: (gas * 5n) / 4n,
        to: this.address,
        value,
        data,
        accessList: [],
        maxFeePerBlobGas: 0n,
        blobVersionedHashes: [],
        authorizationList: [],
      },
      key.secret,
    );
    await endpoint.call("eth_sendRawTransaction", bytesToHex(transaction.raw));
    await endpoint.included(transaction.hash);
    return transaction.hash;
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
