/** Blocks without an EVM: headers as consensus wants them, a state root that anybody can check, real RLP and hashes. */

import type { BuildPlan } from "../../src/consensus/core/events.ts";
import { keccakHash } from "../../src/crypto/keccak.ts";
import { concatBytes, EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import {
  bytesToAddress,
  type Hash,
  hexToBytes,
  parseHash,
  ZERO_HASH,
} from "../../src/primitives/hex.ts";
import { type Block, makeBlock } from "../../src/types/block.ts";
import type { Header } from "../../src/types/header.ts";
import type { SidecarCore } from "../../src/types/sidecar.ts";
import { hashSidecar } from "../../src/types/sidecar.ts";
import { decodeTransaction } from "../../src/types/transactionCodec.ts";

/** The example of EIP-155. */
const TRANSACTION = decodeTransaction(
  hexToBytes(
    "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83",
  ),
);
const EMPTY_OMMERS = parseHash(
  "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
);
const GAS_PER_TRANSACTION = 21_000n;

/** What can be chosen freely in a block. */
export interface BlockWish {
  /** Makes two blocks of one plan different. */
  readonly beneficiary: number;
  readonly transactions: number;
  /** A state root that execution will not give. */
  readonly isInvalid?: boolean;
}

/** State root after a block on this state. */
export function stateRootAfter(stateRoot: Hash, number: number): Hash {
  return keccakHash(concatBytes(hexToBytes(stateRoot), Uint8Array.of(number & 0xff)));
}

/** The block that a plan asks for. */
export function stubBlock(
  plan: BuildPlan,
  core: SidecarCore,
  parentState: Hash,
  wish: BlockWish,
): Block {
  const { header } = plan;
  const count = Math.min(wish.transactions, Number(header.gasLeft / GAS_PER_TRANSACTION), 3);
  const stateRoot = stateRootAfter(parentState, header.number);
  const made: Header = {
    parentHash: header.parentHash,
    sha3Uncles: EMPTY_OMMERS,
    miner: bytesToAddress(new Uint8Array(20).fill(wish.beneficiary)),
    stateRoot: wish.isInvalid === true ? stateRootAfter(stateRoot, 99) : stateRoot,
    transactionsRoot: ZERO_HASH,
    receiptsRoot: ZERO_HASH,
    logsBloom: new Uint8Array(256),
    difficulty: 0n,
    number: BigInt(header.number),
    gasLimit: header.gasLimit,
    gasUsed: BigInt(count) * GAS_PER_TRANSACTION,
    timestamp: header.timestamp,
    extraData: hexToBytes(hashSidecar(core)),
    mixHash: header.prevRandao,
    nonce: new Uint8Array(8),
    baseFeePerGas: header.baseFeePerGas,
    withdrawalsRoot: ZERO_HASH,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: header.parentBeaconBlockRoot,
    requestsHash: ZERO_HASH,
  };
  return makeBlock(made, {
    transactions: Array.from({ length: count }, () => TRANSACTION),
    ommers: [],
    withdrawals: header.withdrawals,
  });
}

/** A genesis for stub blocks. */
export function stubGenesis(timestamp: bigint): { readonly header: Header; readonly hash: Hash } {
  const header: Header = {
    parentHash: ZERO_HASH,
    sha3Uncles: EMPTY_OMMERS,
    miner: bytesToAddress(new Uint8Array(20)),
    stateRoot: ZERO_HASH,
    transactionsRoot: ZERO_HASH,
    receiptsRoot: ZERO_HASH,
    logsBloom: new Uint8Array(256),
    difficulty: 0n,
    number: 0n,
    gasLimit: 30_000_000n,
    gasUsed: 0n,
    timestamp,
    extraData: EMPTY_BYTES,
    mixHash: ZERO_HASH,
    nonce: new Uint8Array(8),
    baseFeePerGas: 1_000_000_000n,
    withdrawalsRoot: ZERO_HASH,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: ZERO_HASH,
    requestsHash: ZERO_HASH,
  };
  return {
    header,
    hash: makeBlock(header, { transactions: [], ommers: [], withdrawals: [] }).hash,
  };
}
