/**
 * What this node's keys have signed on the chain lately. Signing records that do not know of it were restored from an old
 * copy, or are another process's.
 */
import type { Chain } from "../chain/chain.ts";
import type { Hash } from "../primitives/hex.ts";
import { MESSAGE_KIND } from "../types/consensusMessage.ts";
import { encodeSeal } from "../types/seal.ts";
import { sealOf } from "../types/sealedBlock.ts";
import { encodeVote } from "../types/vote.ts";
import type { ConsensusStore } from "./consensusStore.ts";
import { type Configuration, memberOf } from "./core/configuration.ts";
import type { SignatureCheck } from "./core/events.ts";
import type { ConsensusState } from "./core/state.ts";
import { epochOf } from "./core/time.ts";
import { headPoint } from "./core/tree.ts";

/** Epochs back from the head that are looked through. */
const SEARCHED_EPOCHS = 2;

type SeenMessage = Omit<SignatureCheck, "signature">;

/** Seals and votes of own keys in the newest epochs of the head's chain, newest first. */
export function* ownMessages(
  state: Readonly<ConsensusState>,
  { chain, store }: { readonly chain: Chain; readonly store: ConsensusStore },
): Generator<SeenMessage> {
  const { epochLength } = state.params.config;
  const head = headPoint(state);
  let config: Configuration | undefined = head.epochState.config;
  let epoch = epochOf(head.number, epochLength);
  const last = Math.max(0, head.number - SEARCHED_EPOCHS * epochLength);
  let hash = head.hash;
  let root: Hash | undefined;
  for (let number = head.number; number > last; number--) {
    const block = chain.block(hash);
    const core = block && store.sidecar(hash);
    if (block === undefined || core === undefined) return;
    if (epochOf(number, epochLength) !== epoch) {
      epoch = epochOf(number, epochLength);
      config = root === undefined ? undefined : store.checkpoint(root)?.config;
    }
    // later blocks of a slot are sealed with the key of its first, which may be another epoch's
    if (core.seq === 0)
      yield* ofOwnKey(state, config, {
        validator: core.proposer,
        kind: MESSAGE_KIND.seal,
        body: encodeSeal(sealOf({ block, core })),
      });
    for (const vote of core.votes)
      yield* ofOwnKey(state, store.checkpoint(vote.tgtHash)?.config, {
        validator: vote.validator,
        kind: MESSAGE_KIND.vote,
        body: encodeVote(vote),
      });
    root = block.header.parentBeaconBlockRoot;
    hash = block.header.parentHash;
  }
}

function* ofOwnKey(
  { params }: Readonly<ConsensusState>,
  config: Configuration | undefined,
  message: Omit<SeenMessage, "keyHash"> & { readonly validator: number },
): Generator<SeenMessage> {
  const keyHash = config && memberOf(config, message.validator)?.keyHash;
  if (keyHash === undefined || !params.ownKeys.includes(keyHash)) return;
  yield { kind: message.kind, body: message.body, keyHash };
}
