/** Calls of the staking contract by validators' owners, as signed transactions. */
import { encodeFunctionData, type Hex, parseAbi } from "viem";
import type { Chain } from "../../src/chain/chain.ts";
import type { FoundEvidence } from "../../src/consensus/core/events.ts";
import { addressOf } from "../../src/crypto/secp256k1.ts";
import { type Bytes, EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import { type Address, bytesToHex, hexToBytes } from "../../src/primitives/hex.ts";
import { DEFAULT_STAKING } from "../../src/types/qnetConfig.ts";
import type { Transaction } from "../../src/types/transaction.ts";
import { signTransaction } from "../../src/types/transactionCodec.ts";
import {
  feeRecipientOf,
  keyProofOf,
  ownerKeyOf,
  ownerOf,
  STAKE_GWEI,
  validatorKeyOf,
  withdrawalOf,
} from "./validatorGenesis.ts";

const abi = parseAbi([
  "function register(bytes pubkey, bytes keyProof, address withdrawal, address feeRecipient) payable returns (uint32 id)",
  "function requestExit(uint32 id)",
  "function claim(uint32 id) returns (uint256)",
  "function slashDoubleSeal(uint32 id, uint8 keyA, bytes a, bytes sigA, uint8 keyB, bytes b, bytes sigB)",
  "function slashDoubleVote(uint32 id, uint8 keyA, bytes a, bytes sigA, uint8 keyB, bytes b, bytes sigB)",
]);

const WEI_PER_GWEI = 1_000_000_000n;
const GAS = 8_000_000n;

/** A transaction to `to` by the key, with the nonce it has at the head. */
export function transactionBy(
  chain: Chain,
  key: Bytes,
  call: { readonly to: Address | undefined; readonly data: Hex; readonly value?: bigint },
): Transaction {
  const nonce = chain.stateAt(chain.head.hash).account(addressOf(key))?.nonce ?? 0n;
  return signTransaction(
    {
      type: 2,
      chainId: chain.config.chainId,
      nonce,
      maxFeePerGas: 100_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
      gasLimit: GAS,
      to: call.to,
      value: call.value ?? 0n,
      data: call.data === "0x" ? EMPTY_BYTES : hexToBytes(call.data),
      accessList: [],
      maxFeePerBlobGas: 0n,
      blobVersionedHashes: [],
      authorizationList: [],
    },
    key,
  );
}

function call(chain: Chain, index: number, data: Hex, value = 0n): Transaction {
  return transactionBy(chain, ownerKeyOf(index), { to: DEFAULT_STAKING, data, value });
}

/** Owner number `index` registers validator key number `index`. */
export function registration(chain: Chain, index: number): Transaction {
  const data = encodeFunctionData({
    abi,
    functionName: "register",
    args: [
      bytesToHex(validatorKeyOf(index).publicKey),
      bytesToHex(keyProofOf(index, ownerOf(index), chain.genesis)),
      withdrawalOf(index),
      feeRecipientOf(index),
    ],
  });
  return call(chain, index, data, STAKE_GWEI * WEI_PER_GWEI);
}

export function exitRequest(chain: Chain, index: number): Transaction {
  return call(
    chain,
    index,
    encodeFunctionData({ abi, functionName: "requestExit", args: [index] }),
  );
}

export function claim(chain: Chain, index: number): Transaction {
  return call(chain, index, encodeFunctionData({ abi, functionName: "claim", args: [index] }));
}

/** Owner number `reporter` reports a contradiction; both messages by the validator's first key. */
export function report(chain: Chain, reporter: number, evidence: FoundEvidence): Transaction {
  const { a, b, validator, offence } = evidence;
  const functionName = offence === "double seal" ? "slashDoubleSeal" : "slashDoubleVote";
  const side = ({ body, signature }: FoundEvidence["a"]) =>
    [0, bytesToHex(body), bytesToHex(signature)] as const;
  const args = [validator, ...side(a), ...side(b)] as const;
  return call(chain, reporter, encodeFunctionData({ abi, functionName, args }));
}
