/** EIP-7685 requests: deposits from logs (6110), withdrawals (7002) and consolidations (7251) from system contracts. */
import { sha256 } from "../crypto/keccak.ts";
import { type Bytes, bytesToBigInt, concatBytes, EMPTY_BYTES } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import { type Address, bytesToHash, type Hash, parseHash } from "../primitives/hex.ts";
import type { Log } from "../types/receipt.ts";
import {
  CONSOLIDATION_REQUEST_ADDRESS,
  WITHDRAWAL_REQUEST_ADDRESS,
} from "../types/systemContracts.ts";
import type { Machine } from "./evm.ts";
import { systemCall } from "./systemCalls.ts";
import type { TransactionErrorReason } from "./transactionError.ts";

export type BlockInvalidReason =
  | { readonly code: "SYSTEM_CONTRACT_MISSING"; readonly address: Address }
  | {
      readonly code: "SYSTEM_CALL_FAILED";
      readonly address: Address;
      readonly failure: string;
    }
  | { readonly code: "BAD_DEPOSIT_LOG"; readonly got: string }
  | {
      readonly code: "BAD_TRANSACTION";
      readonly index: number;
      readonly hash: Hash;
      readonly why: TransactionErrorReason | { readonly code: string };
    };

/** The block breaks a rule that only its execution shows. */
export class BlockInvalid extends NodeError<BlockInvalidReason> {}

const DEPOSIT_TYPE = 0;
const WITHDRAWAL_TYPE = 1;
const CONSOLIDATION_TYPE = 2;
const DEPOSIT_EVENT = parseHash(
  "0x649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5",
);
const DEPOSIT_LOG_BYTES = 576;
/** Offset and length of pubkey, withdrawal credentials, amount, signature and index in the log's data. */
const DEPOSIT_FIELDS = [
  [160, 48],
  [256, 32],
  [320, 8],
  [384, 96],
  [512, 8],
] as const;

/** All requests of a block, each led by its type, empty ones included. Throws BlockInvalid and ExecutionFault. */
export async function collectRequests(machine: Machine, logs: Iterable<Log>): Promise<Bytes[]> {
  const deposits = depositRequests(logs, machine.context.rules.depositContract);
  const withdrawals = await drain(machine, WITHDRAWAL_REQUEST_ADDRESS);
  const consolidations = await drain(machine, CONSOLIDATION_REQUEST_ADDRESS);
  return [
    concatBytes(Uint8Array.of(DEPOSIT_TYPE), deposits),
    concatBytes(Uint8Array.of(WITHDRAWAL_TYPE), withdrawals),
    concatBytes(Uint8Array.of(CONSOLIDATION_TYPE), consolidations),
  ];
}

/** requestsHash of a header: sha256 over the sha256 of each request that holds more than its type. Source: EIP-7685. */
export function hashRequests(requests: readonly Bytes[]): Hash {
  const hashes = requests.filter((request) => request.length > 1).map(sha256);
  return bytesToHash(sha256(concatBytes(...hashes)));
}

/** Unlike the calls at the begin of a block, these must succeed (EIP-7002, EIP-7251). */
async function drain(machine: Machine, address: Address): Promise<Bytes> {
  const result = await systemCall(machine, address, EMPTY_BYTES);
  if (result === undefined) throw new BlockInvalid({ code: "SYSTEM_CONTRACT_MISSING", address });
  const { output, failure } = result;
  if (failure === undefined) return output;
  throw new BlockInvalid({ code: "SYSTEM_CALL_FAILED", address, failure });
}

function depositRequests(logs: Iterable<Log>, contract: Address): Bytes {
  const deposits: Bytes[] = [];
  for (const { address, topics, data } of logs) {
    if (address === contract && topics[0] === DEPOSIT_EVENT) deposits.push(depositOf(data));
  }
  return concatBytes(...deposits);
}

/** The request in a deposit event: its five fields without the ABI's heads, lengths and padding. */
function depositOf(data: Bytes): Bytes {
  if (data.length !== DEPOSIT_LOG_BYTES) {
    throw new BlockInvalid({ code: "BAD_DEPOSIT_LOG", got: `${data.length} bytes` });
  }
  const word = (at: number) => bytesToBigInt(data.subarray(at, at + 32));
  return concatBytes(
    ...DEPOSIT_FIELDS.map(([offset, length], index) => {
      if (word(index * 32) !== BigInt(offset) || word(offset) !== BigInt(length)) {
        throw new BlockInvalid({ code: "BAD_DEPOSIT_LOG", got: `layout of field ${index}` });
      }
      return data.subarray(offset + 32, offset + 32 + length);
    }),
  );
}
