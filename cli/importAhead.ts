/**
 * Blocks of a file, decoded some way ahead of their import: their senders are being recovered by the workers meanwhile, in
 * messages large enough to be worth it. How far ahead is bounded by the transactions and bytes that wait.
 */

import type { Bytes } from "../src/primitives/bytes.ts";
import { WorkerError } from "../src/runtime/workerError.ts";
import type { WorkerPool } from "../src/runtime/workers.ts";
import { type Block, decodeBlock } from "../src/types/block.ts";
import { DecodeError } from "../src/types/rlp.ts";
import { decodeSealedBlock, type SealedBlock } from "../src/types/sealedBlock.ts";
import type { RawBlock } from "./blockFiles.ts";

/** Transactions whose senders may be under way, 2 KB each: a second's work of the recovery threads. */
const AHEAD_TRANSACTIONS = 8_192;
/** Encoded bytes of the blocks that wait. */
const AHEAD_BYTES = 32 * 1024 * 1024;
const AHEAD_BLOCKS = 1_024;

/** A block of the file, or why its bytes are none. */
export interface ReadBlock {
  readonly entry: RawBlock;
  readonly decoded: Block | DecodeError;
  /** With sidecar and seal, where the file has them. */
  readonly sealed: SealedBlock | undefined;
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
    const { decoded, sealed } = decode(entry);
    const recovered =
      decoded instanceof DecodeError ? Promise.resolve() : recover(decoded, workers);
    const read = { entry, decoded, sealed, recovered };
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

function decode({ raw }: RawBlock): Pick<ReadBlock, "decoded" | "sealed"> {
  try {
    if (!isSealed(raw)) return { decoded: decodeBlock(raw), sealed: undefined };
    const sealed = decodeSealedBlock(raw, raw.length);
    return { decoded: sealed.block, sealed };
  } catch (error) {
    if (error instanceof DecodeError) return { decoded: error, sealed: undefined };
    throw error;
  }
}

/** A block is a list that begins with its header, a list of bytes; a sealed one begins with the block. */
function isSealed(raw: Bytes): boolean {
  const inner = listHeadBytes(raw[0]);
  const innermost = inner + listHeadBytes(raw[inner]);
  return listHeadBytes(raw[innermost]) > 0;
}

/** Bytes before the content of an RLP list that begins so; 0: it is no list. */
function listHeadBytes(first = 0): number {
  if (first < 0xc0) return 0;
  return first <= 0xf7 ? 1 : first - 0xf7 + 1;
}

/** A sender that cannot be recovered is the import's business, which has the evidence. */
async function recover(block: Block, workers: WorkerPool): Promise<void> {
  try {
    await workers.recoverAll(block.transactions);
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
  }
}
