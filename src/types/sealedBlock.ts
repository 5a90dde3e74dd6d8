/** A block as validators exchange it: the Ethereum block, its sidecar and the leader's seal. Source: docs/consensus.md §2. */
import type { Bytes } from "../primitives/bytes.ts";
import { type Block, blockFromItem, blockToItems } from "./block.ts";
import { decodeRlp, encodeRlp, fail, type RlpItem, readBytes, readList } from "./rlp.ts";
import type { Seal } from "./seal.ts";
import { type SidecarCore, sidecarFromItem, sidecarItems } from "./sidecar.ts";
import { CONSENSUS_SIGNATURE_BYTES } from "./vote.ts";

export interface SealedBlock {
  readonly block: Block;
  readonly core: SidecarCore;
  /** One for each vote of the core, in their order; empty once pruned. */
  readonly voteSigs: readonly Bytes[];
  /** The proposer's signature over `sealOf`; undefined once pruned. */
  readonly seal: Bytes | undefined;
}

/** What the seal of this block says. */
export function sealOf({ block, core }: Pick<SealedBlock, "block" | "core">): Seal {
  return {
    number: Number(block.header.number),
    slot: core.slot,
    seq: core.seq,
    tick: core.tick,
    proposer: core.proposer,
    blockHash: block.hash,
  };
}

/** RLP [block, core, voteSigs, seal]. */
export function encodeSealedBlock({ block, core, voteSigs, seal }: SealedBlock): Bytes {
  return encodeRlp([
    blockToItems(block),
    sidecarItems(core),
    voteSigs.map((signature) => signature),
    seal ?? new Uint8Array(0),
  ]);
}

/** Sealed block from its RLP of at most `maxBytes`; no signature is verified. Throws DecodeError. */
export function decodeSealedBlock(raw: Bytes, maxBytes: number): SealedBlock {
  const where = "sealedBlock";
  if (raw.length > maxBytes)
    fail("RLP_LIMIT", { where, expected: `at most ${maxBytes} bytes`, got: `${raw.length} bytes` });
  const [block, coreItem, sigs, seal] = readList(decodeRlp(raw, where), where, 4);
  const core = sidecarFromItem(coreItem, `${where}.core`);
  return { block: blockFromItem(block), core, ...readSignatures(core, sigs, seal) };
}

/** Beside the votes there are as many signatures, or none after pruning; then the seal is gone as well or still there. */
function readSignatures(
  core: SidecarCore,
  sigs: RlpItem | undefined,
  seal: RlpItem | undefined,
): Pick<SealedBlock, "voteSigs" | "seal"> {
  const where = "sealedBlock.voteSigs";
  const voteSigs = readList(sigs, where).map((item) =>
    readBytes(item, where, CONSENSUS_SIGNATURE_BYTES),
  );
  if (voteSigs.length !== 0 && voteSigs.length !== core.votes.length)
    fail("BAD_FIELD", {
      where,
      expected: `${core.votes.length} signatures, or none`,
      got: `${voteSigs.length}`,
    });
  const sealBytes = readBytes(seal, "sealedBlock.seal");
  if (sealBytes.length === 0) return { voteSigs, seal: undefined };
  return { voteSigs, seal: readBytes(seal, "sealedBlock.seal", CONSENSUS_SIGNATURE_BYTES) };
}
