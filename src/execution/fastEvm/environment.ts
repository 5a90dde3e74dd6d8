/** What instructions see of block and transaction, as words. */
import type { Hash } from "../../primitives/hex.ts";
import type { EvmMessage } from "../evmMessage.ts";
import { hexToWord, toWord, type Word } from "./word.ts";

/** The block, the same for all its transactions. */
export interface BlockWords {
  readonly number: Word;
  /** seconds */
  readonly timestamp: Word;
  readonly coinbase: Word;
  /** difficulty, or prevRandao from Paris on */
  readonly randomness: Word;
  readonly gasLimit: Word;
  readonly chainId: Word;
  /** Of an ancestor, one of the last 256 */
  blockHash(number: bigint): Hash | undefined;
}

/** Block and present transaction. */
export class Environment {
  readonly block: BlockWords;
  origin: Word = 0;
  gasPrice: Word = 0;
  baseFee: Word = 0;
  blobBaseFee: Word = 0;
  blobHashes: readonly Hash[] = [];

  constructor(block: BlockWords) {
    this.block = block;
  }

  /** Takes what the transaction brings. */
  begin(message: EvmMessage): void {
    this.origin = hexToWord(message.sender);
    this.gasPrice = toWord(message.gasPrice);
    this.baseFee = toWord(message.baseFee);
    this.blobBaseFee = toWord(message.blobBaseFee);
    this.blobHashes = message.blobVersionedHashes;
  }
}
