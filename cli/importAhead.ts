/**
 * Blocks of a file, decoded some way ahead of their import: their senders are being recovered by the workers meanwhile, in
 * messages large enough to be worth it. How far ahead is bounded by the transactions and bytes that wait.
 */

import { WorkerError } from "../src/runtime/workerError.ts";
import type { WorkerPool } from "../src/runtime/workers.ts";
import { type Block, decodeBlock } from "../src/types/block.ts";
import { DecodeError } from "../src/types/rlp.ts";
import type { RawBlock } from "./blockFiles.ts";

/** Transactions whose senders may be under way. */
const AHEAD_TRANSACTIONS = 16_384;
/** Encoded bytes of the blocks that wait. */
const AHEAD_BYTES = 32 * 1024 * 1024;
const AHEAD_BLOCKS = 1_024;

/** A block of the file, or why its bytes are none. */
export interface ReadBlock {
  readonly entry: RawBlock;
  readonly decoded: Block | DecodeError;
}

interface Waiting extends ReadBlock {
  readonly recovered: Promise<void>;
}

/** Yields the entries in order, each once its senders are known or cannot be. Nothing is read beyond a block that is none. */
export async function* readAhead(
  entries: AsyncIterable<RawBlock>,
  workers: WorkerPool,
): AsyncGenerator<ReadBlock> {
  const waiting: Waiting[] = [];
  let transactions = 0;
  let bytes = 0;
  const next = async (): Promise<ReadBlock | undefined> => {
    const first = waiting.shift();
    if (first === undefined) return undefined;
    transactions -= countOf(first);
    bytes -= first.entry.raw.length;
    await first.recovered;
    return first;
  };
  for await (const entry of entries) {
    const decoded = decode(entry);
    const recovered =
      decoded instanceof DecodeError ? Promise.resolve() : recover(decoded, workers);
    const read = { entry, decoded, recovered };
    waiting.push(read);
    transactions += countOf(read);
    bytes += entry.raw.length;
    if (decoded instanceof DecodeError) break;
    while (
      transactions > AHEAD_TRANSACTIONS ||
      bytes > AHEAD_BYTES ||
      waiting.length > AHEAD_BLOCKS
    ) {
      const first = await next();
      if (first !== undefined) yield first;
    }
  }
  for (let first = await next(); first !== undefined; first = await next()) yield first;
}

function countOf({ decoded }: ReadBlock): number {
  return decoded instanceof DecodeError ? 0 : decoded.transactions.length;
}

function decode({ raw }: RawBlock): Block | DecodeError {
  try {
    return decodeBlock(raw);
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}

/** A sender that cannot be recovered is the import's business, which has the evidence. */
async function recover(block: Block, workers: WorkerPool): Promise<void> {
  try {
    await workers.recoverAll(block.transactions);
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
  }
}
