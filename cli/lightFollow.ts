/** Following the final epochs of a network through nodes that are not trusted, and what can be read below them. */
import { provenAccount, verifyInclusion } from "../src/consensus/finalityProof.ts";
import {
  advanceTo,
  type LightBlock,
  LightError,
  type LightErrorReason,
  type LightNetwork,
  type TrustedHeader,
  verifyCertificate,
} from "../src/consensus/light.ts";
import { keccakHash } from "../src/crypto/keccak.ts";
import type { Address, Hash } from "../src/primitives/hex.ts";
import { orderedTrieRoot } from "../src/state/orderedTrie.ts";
import type { Account } from "../src/types/account.ts";
import { hashHeader } from "../src/types/header.ts";
import { hashMacroHeader } from "../src/types/macroHeader.ts";
import { CommandError } from "./exit.ts";
import type { LightPeer } from "./lightPeer.ts";

/** Epochs looked through for one with a certificate of its own: those before it became final by that of a later one. */
const MAX_GAP = 64;

/** A network as its light clients know it. */
export interface Followed {
  readonly network: LightNetwork;
  /** Blocks of an epoch */
  readonly epochLength: number;
  readonly nowMs: () => number;
}

/** A transaction in a final block. */
export interface FinalTransaction {
  readonly blockNumber: number;
  readonly blockHash: Hash;
  readonly index: number;
}

/** The header of a checkpoint, by its hash from a source that is trusted. Throws CommandError. */
export async function openCheckpoint(
  followed: Followed,
  peer: LightPeer,
  wanted: { readonly epoch: number; readonly hash: Hash },
): Promise<TrustedHeader> {
  const block = await epochBlock(followed, peer, wanted.epoch);
  if (block === undefined) fail(`${peer.url} has no certificate of epoch ${wanted.epoch}`);
  const got = hashMacroHeader(block.header);
  if (got !== wanted.hash)
    fail(`epoch ${wanted.epoch} of ${peer.url} is ${got}, --checkpoint says ${wanted.hash}`);
  await explained(peer, () => verifyCertificate(followed.network, block));
  return { header: block.header, members: block.validators.members };
}

/** The newest epoch that all peers prove. Throws CommandError where one of them lags behind `from`. */
export async function commonEpoch(
  followed: Followed,
  peers: readonly LightPeer[],
  from: number,
): Promise<number> {
  const claimed = await Promise.all(peers.map((peer) => peer.finalizedEpoch()));
  const least = Math.min(...claimed);
  const last = peers[claimed.indexOf(least)]?.url;
  if (least < from) fail(`${last} is at final epoch ${least}, before the trusted epoch ${from}`);
  for (let epoch = least; epoch > from && epoch > least - MAX_GAP; epoch--) {
    const blocks = await Promise.all(peers.map((peer) => epochBlock(followed, peer, epoch)));
    if (blocks.every((block) => block !== undefined)) return epoch;
  }
  if (least - from < MAX_GAP) return from;
  return fail(`no certificate of the ${MAX_GAP} epochs up to ${least} at ${last}`);
}

/** Goes from a trusted header to that of `target` by what one peer sends. Throws CommandError. */
export async function follow(
  followed: Followed,
  peer: LightPeer,
  way: { readonly trusted: TrustedHeader; readonly target: number },
): Promise<TrustedHeader> {
  const { network, nowMs } = followed;
  const { trusted, target } = way;
  const fetch = async (epoch: number): Promise<LightBlock> => {
    for (let at = epoch; at <= target && at < epoch + MAX_GAP; at++) {
      const block = await epochBlock(followed, peer, at);
      if (block !== undefined) return block;
    }
    return fail(`${peer.url} has no certificate of epoch ${epoch}`);
  };
  return explained(peer, () => advanceTo(network, trusted, target, { fetch, nowMs }));
}

/** Where a transaction is, verified from the trusted header on. Throws CommandError. */
export async function finalTransaction(
  followed: Followed,
  peer: LightPeer,
  wanted: { readonly trusted: TrustedHeader; readonly last: number; readonly hash: Hash },
): Promise<FinalTransaction> {
  const { trusted, last, hash } = wanted;
  const place = await peer.placeOf(hash);
  if (place === undefined) fail(`${peer.url} knows no block with the transaction ${hash}`);
  const { blockNumber, index } = place;
  const epoch = Math.ceil(blockNumber / followed.epochLength);
  const from = trusted.header.epoch;
  if (epoch > last) fail(`block ${blockNumber} with the transaction ${hash} is not final yet`);
  if (epoch < from) fail(`block ${blockNumber} is of epoch ${epoch}, before the trusted ${from}`);
  const reached = await follow(followed, peer, { trusted, target: epoch });
  const header = await finalHeader(peer, reached, blockNumber);
  const transactions = await peer.transactions(blockNumber);
  const raw = transactions[index];
  if (
    raw === undefined ||
    keccakHash(raw) !== hash ||
    orderedTrieRoot(transactions) !== header.transactionsRoot
  )
    fail(`${peer.url}: block ${blockNumber} does not hold the transaction ${hash}`);
  return { blockNumber, blockHash: hashHeader(header), index };
}

/** An account after the last block of a verified epoch; undefined: there is none. Throws CommandError. */
export async function finalAccount(
  peer: LightPeer,
  verified: TrustedHeader,
  address: Address,
): Promise<Account | undefined> {
  const { lastNumber } = verified.header;
  const header = await finalHeader(peer, verified, lastNumber);
  const proof = await peer.accountProof(address, lastNumber);
  return explained(peer, () => provenAccount(header, address, proof));
}

async function finalHeader(peer: LightPeer, verified: TrustedHeader, blockNumber: number) {
  const proof = await peer.proof(blockNumber);
  if (proof === undefined) return fail(`${peer.url} has no finality proof of block ${blockNumber}`);
  const { inclusion } = proof;
  if (Number(inclusion.header.number) !== blockNumber)
    return fail(`${peer.url} sent block ${inclusion.header.number} instead of ${blockNumber}`);
  await explained(peer, () => verifyInclusion(verified.header, inclusion));
  return inclusion.header;
}

async function epochBlock(
  { epochLength }: Followed,
  peer: LightPeer,
  epoch: number,
): Promise<LightBlock | undefined> {
  const proof = await peer.proof(epoch * epochLength);
  const got = proof?.light.header.epoch ?? epoch;
  if (got !== epoch) fail(`${peer.url} sent epoch ${got} instead of ${epoch}`);
  return proof?.light;
}

/** The work's result; a LightError becomes words that name the peer. */
async function explained<T>({ url }: LightPeer, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof LightError)) throw cause;
    const problem = `${url} is not believed: ${describe(cause.reason)} (${cause.message})`;
    throw new CommandError({ code: "FAILED", problem }, { cause });
  }
}

const REASONS: Readonly<Record<LightErrorReason["code"], string>> = {
  OTHER_HEADER: "its certificate is for another header",
  OTHER_VALIDATORS: "its validators are not those of the chain that is trusted",
  BAD_CERTIFICATE: "its certificate is malformed",
  NO_QUORUM: "less than two thirds of the stake have signed",
  BAD_SIGNATURE: "a validator's signature is wrong",
  TRUST_EXPIRED:
    "what is trusted is too old, give a newer --checkpoint from a source that you trust",
  TOO_FAR: "too few of the validators that are trusted have signed",
  NOT_A_SUCCESSOR: "its header does not continue the trusted one",
  NOT_INCLUDED: "the block is none of the verified epoch",
  BAD_PROOF: "its Merkle proof does not hold",
};

function describe({ code }: LightErrorReason): string {
  return REASONS[code];
}

function fail(problem: string): never {
  throw new CommandError({ code: "FAILED", problem });
}
