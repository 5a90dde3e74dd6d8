/** Calls that no block holds: eth_call, gas estimates, access lists. */
import { type Bytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import type { Hash } from "../primitives/hex.ts";
import { type Address, ZERO_ADDRESS } from "../primitives/hex.ts";
import { andThen, rescue } from "../primitives/soon.ts";
import type { State } from "../state/state.ts";
import type {
  AccessListItem,
  Authorization,
  PqSender,
  TransactionFields,
} from "../types/transaction.ts";
import { PQ_TYPE } from "../types/transactionTypes.ts";
import { type BlockEnv, createMachine, type ExecutionContext } from "./evm.ts";
import { executeTransaction, type Outcome } from "./executeTransaction.ts";

/** A call as JSON-RPC gives it, with defaults for what is absent. Fees: `gasPrice` or the two of EIP-1559. */
export interface CallMessage {
  readonly from?: Address | undefined;
  /** undefined: contract creation */
  readonly to?: Address | undefined;
  readonly gasLimit: bigint;
  /** wei per gas */
  readonly gasPrice?: bigint | undefined;
  /** wei per gas */
  readonly maxFeePerGas?: bigint | undefined;
  /** wei per gas */
  readonly maxPriorityFeePerGas?: bigint | undefined;
  /** wei */
  readonly value?: bigint | undefined;
  readonly data?: Bytes | undefined;
  readonly nonce?: bigint | undefined;
  readonly accessList?: readonly AccessListItem[] | undefined;
  /** wei per blob gas */
  readonly maxFeePerBlobGas?: bigint | undefined;
  readonly blobVersionedHashes?: readonly Hash[] | undefined;
  readonly authorizationList?: readonly Authorization[] | undefined;
  /** Key of the sender of a transaction of type 0x51 */
  readonly pqSender?: PqSender | undefined;
}

/** How a call is run. */
export interface CallOptions {
  /** The sender is given the ether it lacks. */
  readonly skipBalance?: boolean | undefined;
  /** Report what was touched (eth_createAccessList). */
  readonly reportAccessList?: boolean | undefined;
  /** Leave the changes in the State; by default the State is afterwards as before. */
  readonly keepChanges?: boolean | undefined;
  /** Fees must reach the base fee even when they are zero, and the nonce must fit (eth_simulateV1 with validation). */
  readonly validate?: boolean | undefined;
}

/** What a call did. */
export type CallResult = Outcome;

/**
 * Runs `message` on `state` inside the block `env`; gives a promise only where the EVM must wait. Throws TransactionError
 * when it cannot run and ExecutionFault when execution broke off (the State is then to be thrown away). With effective gas
 * price 0, BASEFEE reads 0.
 */
export function executeCall(
  state: State,
  env: BlockEnv,
  message: CallMessage,
  { options = {}, ...context }: ExecutionContext & { readonly options?: CallOptions },
): CallResult | Promise<CallResult> {
  const machine = createMachine(state, env, context);
  const sender = message.from ?? ZERO_ADDRESS;
  const fields = callFields(message, state, context.rules.chainId);
  const strict = options.validate === true;
  const lenient = {
    nonce: !strict,
    balance: options.skipBalance,
    sender: true,
    gasCap: !strict,
    zeroFee: !strict,
    chainId: true,
  };
  const depth = state.depth;
  state.checkpoint();
  const close = () => {
    if (state.depth !== depth + 1) return;
    if (options.keepChanges === true) state.commit();
    else state.revert();
  };
  return rescue(
    () =>
      andThen(
        executeTransaction(machine, fields, sender, {
          lenient,
          reportAccessList: options.reportAccessList,
        }),
        (outcome) => {
          close();
          return outcome;
        },
      ),
    (error) => {
      close();
      throw error;
    },
  );
}

/** The transaction that `message` amounts to; its type follows from the fields it has. */
export function callFields(message: CallMessage, state: State, chainId: bigint): TransactionFields {
  const { gasPrice, maxFeePerGas, maxPriorityFeePerGas, from = ZERO_ADDRESS } = message;
  const price = gasPrice ?? maxFeePerGas ?? 0n;
  return {
    type: typeOf(message),
    chainId,
    nonce: message.nonce ?? state.account(from)?.nonce ?? 0n,
    maxFeePerGas: price,
    maxPriorityFeePerGas: gasPrice ?? maxPriorityFeePerGas ?? 0n,
    gasLimit: message.gasLimit,
    to: message.to,
    value: message.value ?? 0n,
    data: message.data ?? EMPTY_BYTES,
    accessList: message.accessList ?? [],
    maxFeePerBlobGas: message.maxFeePerBlobGas ?? 0n,
    blobVersionedHashes: message.blobVersionedHashes ?? [],
    authorizationList: message.authorizationList ?? [],
    ...(message.pqSender !== undefined && { pqSender: message.pqSender }),
  };
}

function typeOf(message: CallMessage): number {
  if (message.pqSender !== undefined) return PQ_TYPE;
  if (message.authorizationList !== undefined) return 4;
  if (message.blobVersionedHashes !== undefined || message.maxFeePerBlobGas !== undefined) return 3;
  if (message.maxFeePerGas !== undefined || message.maxPriorityFeePerGas !== undefined) return 2;
  return message.accessList === undefined ? 0 : 1;
}
