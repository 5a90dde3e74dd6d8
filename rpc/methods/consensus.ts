/** The qnet namespace: consensus of a network of validators. */

import type { StakedValidator } from "../../src/chain/stakingState.ts";
import type { FoundEvidence } from "../../src/consensus/core/events.ts";
import { blockTimeMs } from "../../src/consensus/core/time.ts";
import type {
  BlockPlaceFacts,
  ConsensusQueries,
  ConsensusStatus,
  EpochId,
  FinalityProofFacts,
  MemberFacts,
} from "../../src/consensus/queries.ts";
import type { Hash } from "../../src/primitives/hex.ts";
import { type AckQC, encodeAckQC } from "../../src/types/certificate.ts";
import { encodeHeader } from "../../src/types/header.ts";
import { encodeMacroHeader } from "../../src/types/macroHeader.ts";
import { encodeSidecar } from "../../src/types/sidecar.ts";
import { blockId } from "../blockId.ts";
import {
  address,
  boolean,
  count,
  data,
  hash,
  list,
  nullable,
  type ParamCodec,
  quantity,
  quantity64,
  text,
} from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { RpcError } from "../errors.ts";
import { macroHeaderView } from "../macroHeaderView.ts";
import { defineMethod, param } from "../method.ts";
import { field, maybe, view } from "../objects.ts";
import { findBlock } from "../resolve.ts";

const EPOCH_TAGS = ["latest", "safe", "finalized"] as const;

/** Epoch by number, or the newest closed, justified or final one. */
const epochId: ParamCodec<EpochId> = {
  schema: {
    title: "epoch number or tag",
    oneOf: [quantity64.schema, { type: "string", enum: EPOCH_TAGS }],
  },
  decode(json, where) {
    return EPOCH_TAGS.find((tag) => tag === json) ?? count.decode(json, where);
  },
};

const certificateView = view<AckQC>("finality certificate", {
  epoch: field(count, (qc: AckQC) => qc.epoch),
  macroHash: field(hash, (qc) => qc.macroHash),
  bitmap: field(data, (qc) => qc.bitmap),
  raw: field(data, encodeAckQC),
});

const validatorView = view<MemberFacts>("validator", {
  id: field(count, (one: MemberFacts) => one.id),
  stakeOld: field(quantity, (one) => one.stakeOld),
  stakeNew: field(quantity, (one) => one.stakeNew),
  keyHash: field(hash, (one) => one.keyHash),
  publicKey: maybe(data, (one) => one.publicKey),
});

/** A block's facts with its time. */
type TimedFacts = BlockPlaceFacts & { readonly timestampMs: number };

const sidecarView = view<TimedFacts>("sidecar", {
  blockHash: field(hash, ({ sealed }: TimedFacts) => sealed.block.hash),
  slot: field(count, ({ sealed }) => sealed.core.slot),
  seq: field(count, ({ sealed }) => sealed.core.seq),
  tick: field(count, ({ sealed }) => sealed.core.tick),
  timestampMs: field(count, (facts) => facts.timestampMs),
  epoch: field(count, (facts) => facts.epoch),
  index: field(count, (facts) => facts.index),
  proposer: field(count, ({ sealed }) => sealed.core.proposer),
  reveal: maybe(hash, ({ sealed }) => sealed.core.reveal),
  voters: field(list(count), ({ sealed }) => sealed.core.votes.map(({ validator }) => validator)),
  core: field(data, ({ sealed }) => encodeSidecar(sealed.core)),
  seal: maybe(data, ({ sealed }) => sealed.seal),
});

interface Leader {
  readonly id: number;
  readonly keyHash: Hash;
}

const leaderView = view<Leader>("leader", {
  id: field(count, ({ id }: Leader) => id),
  keyHash: field(hash, ({ keyHash }) => keyHash),
});

const reputationView = view<StakedValidator>("reputation", {
  id: field(count, (one: StakedValidator) => one.id),
  reputation: field(count, (one) => one.reputation),
  status: field(text, (one) => one.status),
  stake: field(quantity, (one) => one.stake),
  rewards: field(quantity, (one) => one.rewards),
  owner: field(address, (one) => one.owner),
});

const statusView = view<ConsensusStatus>("consensus status", {
  headNumber: field(count, (one: ConsensusStatus) => one.headNumber),
  headSlot: field(count, (one) => one.headSlot),
  currentSlot: field(count, (one) => one.currentSlot),
  epoch: field(count, (one) => one.epoch),
  justifiedEpoch: field(count, (one) => one.justifiedEpoch),
  finalizedEpoch: field(count, (one) => one.finalizedEpoch),
  finalizedHash: field(hash, (one) => one.finalizedHash),
  fetching: field(boolean, (one) => one.isFetching),
  blocksWaiting: field(count, (one) => one.peersBlocksWaiting),
  validatorKeys: field(list(hash), (one) => one.validators),
});

const proofView = view<FinalityProofFacts>("finality proof", {
  macroHeader: field(data, ({ checkpoint }: FinalityProofFacts) =>
    encodeMacroHeader(checkpoint.header),
  ),
  certificate: field(data, ({ certificate }) => encodeAckQC(certificate)),
  validators: field(list(validatorView), ({ validators }) => validators),
  header: field(data, ({ block }) => encodeHeader(block.header)),
  siblings: field(list(hash), ({ siblings }) => siblings),
});

const evidenceSide = (side: "a" | "b") =>
  view<FoundEvidence>("signed message", {
    body: field(data, (one: FoundEvidence) => one[side].body),
    signature: field(data, (one) => one[side].signature),
    keyHash: field(hash, (one) => one[side].keyHash),
  });

const evidenceView = view<FoundEvidence>("evidence", {
  validator: field(count, (one: FoundEvidence) => one.validator),
  offence: field(text, (one) => one.offence),
  a: field(evidenceSide("a"), (one) => one),
  b: field(evidenceSide("b"), (one) => one),
});

/** What the node knows of consensus. Throws where it takes no part in any. */
function consensusOf({ node }: RpcContext): ConsensusQueries {
  if (node.consensus !== undefined) return node.consensus;
  throw new RpcError({
    code: "REFUSED",
    text: "this node takes no part in the consensus of validators",
  });
}

/** Consensus: what is asked about it, and evidence. */
export const consensusMethods = [
  defineMethod({
    name: "qnet_getMacroHeader",
    summary:
      "Returns the macro header of an epoch on the head's chain; null while the epoch is not over.",
    params: [param("epoch", epochId)],
    result: nullable(macroHeaderView),
    handler: (context, epoch) => consensusOf(context).checkpoint(epoch),
  }),
  defineMethod({
    name: "qnet_getFinalityCertificate",
    summary:
      "Returns the certificate that makes an epoch final; null if it has none of its own (yet).",
    params: [param("epoch", epochId)],
    result: nullable(certificateView),
    handler: (context, epoch) => consensusOf(context).certificate(epoch),
  }),
  defineMethod({
    name: "qnet_getFinalityProof",
    summary:
      "Returns what proves a block final: macro header, certificate, validators and the block's place below microRoot; null while it is not final.",
    params: [param("block", blockId)],
    result: nullable(proofView),
    handler: (context, id) => {
      const block = findBlock(context.node.chain, id);
      return block && consensusOf(context).finalityProof(block);
    },
  }),
  defineMethod({
    name: "qnet_getSidecar",
    summary:
      "Returns the consensus data of a block: slot, leader, votes, seal (null once evidence of that age counts no more); null for the genesis.",
    params: [param("block", blockId)],
    result: nullable(sidecarView),
    handler: (context, id) => {
      const consensus = consensusOf(context);
      const block = findBlock(context.node.chain, id);
      const facts = block && consensus.sidecar(block);
      if (facts === undefined) return undefined;
      const timestampMs = blockTimeMs(consensus.engine.params, facts.sealed.core);
      return { ...facts, timestampMs };
    },
  }),
  defineMethod({
    name: "qnet_getValidators",
    summary:
      "Returns the validators whose quorum an epoch needs, up to one epoch ahead; stakes in gwei, of both sets in a hand-off.",
    params: [param("epoch", count)],
    result: nullable(list(validatorView)),
    handler: (context, epoch) => consensusOf(context).validators(epoch),
  }),
  defineMethod({
    name: "qnet_getLeader",
    summary: "Returns the validator that leads a slot after the head; null for slots before it.",
    params: [param("slot", count)],
    result: nullable(leaderView),
    handler: (context, slot) => consensusOf(context).leader(slot),
  }),
  defineMethod({
    name: "qnet_getReputation",
    summary:
      "Returns a validator's reputation (0 to 10,000), status, stake and rewards at the head.",
    params: [param("validator", count)],
    result: nullable(reputationView),
    handler: (context, id) => consensusOf(context).validator(id),
  }),
  defineMethod({
    name: "qnet_syncStatus",
    summary: "Tells how far consensus is: head, slots, justified and finalised epochs.",
    params: [],
    result: statusView,
    handler: (context) => consensusOf(context).status,
  }),
  defineMethod({
    name: "qnet_subscribe",
    summary:
      'Opens a subscription to "finalized": each new final macro header, in qnet_subscription messages; WebSocket only.',
    params: [param("kind", text)],
    result: quantity,
    handler: (context, kind) => {
      consensusOf(context);
      if (kind !== "finalized")
        throw new RpcError({
          code: "INVALID_PARAMS",
          text: `no "${kind}" subscription in qnet namespace`,
        });
      return context.subscriptions.open(context.connection, { kind });
    },
  }),
  defineMethod({
    name: "qnet_unsubscribe",
    summary: "Ends a subscription of this connection; false when it has none of that id.",
    params: [param("subscription", quantity)],
    result: boolean,
    handler: ({ subscriptions, connection }, id) => subscriptions.end(connection, id),
  }),
  defineMethod({
    name: "qnet_submitEvidence",
    summary:
      "Takes two contradicting messages of a validator (RLP [kind, keyA, bodyA, sigA, keyB, bodyB, sigB]), checks and keeps them; returns what they prove.",
    params: [param("evidence", data)],
    result: evidenceView,
    cost: 5,
    handler: (context, raw) => consensusOf(context).submitEvidence(raw),
  }),
  defineMethod({
    name: "qnet_getEvidence",
    summary: "Returns contradicting messages of validators that this node has found or been given.",
    params: [],
    result: list(evidenceView),
    handler: (context) => consensusOf(context).evidence(),
  }),
];
