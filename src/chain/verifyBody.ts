/** Validity of a block's body against its own header, and of its ommers against the ancestors. Pure. */
import { bodyRoots } from "../execution/bodyRoots.ts";
import type { Hash } from "../primitives/hex.ts";
import type { Block } from "../types/block.ts";
import type { Rules } from "../types/forks.ts";
import { type Header, hashHeader } from "../types/header.ts";
import { BlockError, demand, demandEqual } from "./blockError.ts";
import { verifyHeader } from "./verifyHeader.ts";

/** Most ommers of one block. Source: Yellow Paper 4.4. */
const MAX_OMMERS = 2;
/** An ommer's parent is at most this many generations above the block. */
const MAX_OMMER_DEPTH = 7n;

/** Throws BlockError unless the body is what the header commits to and within the size limit (EIP-7934). */
export function verifyBody(block: Block, rules: Rules): void {
  const { header } = block;
  const limit = rules.maxRlpBlockBytes;
  demand(limit === undefined || block.sizeBytes <= limit, "INVALID_BODY", {
    field: "size",
    expected: `at most ${limit} bytes`,
    got: block.sizeBytes,
  });
  const roots = bodyRoots(block, rules);
  demandEqual("INVALID_BODY", "transactionsRoot", roots.transactionsRoot, header.transactionsRoot);
  demandEqual("INVALID_BODY", "sha3Uncles", roots.sha3Uncles, header.sha3Uncles);
  demandEqual("INVALID_BODY", "withdrawalsRoot", roots.withdrawalsRoot, header.withdrawalsRoot);
  demandEqual("INVALID_BODY", "blobGasUsed", roots.blobGasUsed, header.blobGasUsed);
  demand(block.ommers.length <= MAX_OMMERS, "INVALID_OMMER", {
    field: "ommers",
    expected: `at most ${MAX_OMMERS}`,
    got: block.ommers.length,
  });
}

/** What the ommers' rules ask of the chain: the ancestors of the block, from its parent on. */
export interface Ancestry {
  header(hash: Hash): Header | undefined;
  ommers(hash: Hash): readonly Header[] | undefined;
}

/** Throws BlockError INVALID_OMMER unless every ommer is a recent, valid, unused sibling of an ancestor. */
export function verifyOmmers(
  block: Block,
  ancestry: Ancestry,
  rulesOf: (header: Header) => Rules,
): void {
  if (block.ommers.length === 0) return;
  const { ancestors, used } = recentFamily(block, ancestry);
  for (const [index, ommer] of block.ommers.entries()) {
    const field = `ommers[${index}]`;
    const hash = hashHeader(ommer);
    demand(!used.has(hash), "INVALID_OMMER", { field, expected: "a new ommer", got: hash });
    demand(!ancestors.has(hash), "INVALID_OMMER", {
      field,
      expected: "a block that is no ancestor",
      got: hash,
    });
    used.add(hash);
    const parent = ancestors.get(ommer.parentHash);
    if (parent === undefined || ommer.parentHash === block.header.parentHash) {
      const expected = `a child of an ancestor 2 to ${MAX_OMMER_DEPTH} generations up`;
      throw new BlockError({
        code: "INVALID_OMMER",
        field,
        expected,
        got: `parent ${ommer.parentHash}`,
      });
    }
    verifyOmmerHeader(ommer, parent, { field, rules: rulesOf(ommer) });
  }
}

function verifyOmmerHeader(
  ommer: Header,
  parent: Header,
  context: { readonly field: string; readonly rules: Rules },
): void {
  try {
    verifyHeader(ommer, parent, context.rules);
  } catch (error) {
    if (!(error instanceof BlockError)) throw error;
    const { expected, got } = error.reason;
    const field = `${context.field}.${error.reason.field}`;
    throw new BlockError({ code: "INVALID_OMMER", field, expected, got }, { cause: error });
  }
}

function recentFamily(block: Block, ancestry: Ancestry) {
  const ancestors = new Map<Hash, Header>();
  const used = new Set<Hash>();
  let hash = block.header.parentHash;
  for (let depth = 1n; depth <= MAX_OMMER_DEPTH; depth++) {
    const ancestor = ancestry.header(hash);
    if (ancestor === undefined) break;
    ancestors.set(hash, ancestor);
    for (const ommer of ancestry.ommers(hash) ?? []) used.add(hashHeader(ommer));
    hash = ancestor.parentHash;
  }
  return { ancestors, used };
}
