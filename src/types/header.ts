/** Block header: fields, RLP form, hash. Field names are those of JSON-RPC. */
import type { Bytes } from "../primitives/bytes.ts";
import type { Address, Hash } from "../primitives/hex.ts";

/** A block header. Fields of later forks are undefined before their fork, and only then. */
export interface Header {
  readonly parentHash: Hash;
  readonly sha3Uncles: Hash;
  /** Beneficiary of the tips ("coinbase"). */
  readonly miner: Address;
  readonly stateRoot: Hash;
  readonly transactionsRoot: Hash;
  readonly receiptsRoot: Hash;
  /** 256 bytes */
  readonly logsBloom: Bytes;
  readonly difficulty: bigint;
  readonly number: bigint;
  readonly gasLimit: bigint;
  readonly gasUsed: bigint;
  /** seconds */
  readonly timestamp: bigint;
  readonly extraData: Bytes;
  /** prevRandao after the merge */
  readonly mixHash: Hash;
  /** 8 bytes */
  readonly nonce: Bytes;
  /** wei; EIP-1559, from London */
  readonly baseFeePerGas: bigint | undefined;
  /** EIP-4895, from Shanghai */
  readonly withdrawalsRoot: Hash | undefined;
  /** EIP-4844, from Cancun */
  readonly blobGasUsed: bigint | undefined;
  /** EIP-4844, from Cancun */
  readonly excessBlobGas: bigint | undefined;
  /** EIP-4788, from Cancun */
  readonly parentBeaconBlockRoot: Hash | undefined;
  /** EIP-7685, from Prague */
  readonly requestsHash: Hash | undefined;
}
