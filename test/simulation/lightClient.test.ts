import assert from "node:assert/strict";
import fc from "fast-check";
import type { Checkpoint } from "../../src/consensus/core/chainPoint.ts";
import { domainOf } from "../../src/consensus/core/params.ts";
import {
  advanceTo,
  type LightBlock,
  LightError,
  type LightNetwork,
  verifyCertificate,
  verifyStep,
} from "../../src/consensus/light.ts";
import { keccakHash } from "../../src/crypto/keccak.ts";
import { type Hash, ZERO_HASH } from "../../src/primitives/hex.ts";
import { type AckQC, makeAckQC } from "../../src/types/certificate.ts";
import { consensusMessage, MESSAGE_KIND } from "../../src/types/consensusMessage.ts";
import { hashMacroHeader, type MacroHeader } from "../../src/types/macroHeader.ts";
import { hashValidators, type Members } from "../../src/types/validatorSet.ts";
import { encodeAck, type SignedAck } from "../../src/types/vote.ts";
import { Random } from "./random.ts";
import { randomScenario } from "./scenario.ts";
import { World } from "./world.ts";

const DURATION_MS = 4 * 60_000;
const RUNS = Number(process.env["QNET_TEST_RUNS"] ?? 16);

/** A run with faults and traitors below a third, and all that a light client could be shown of it. */
class Show {
  readonly network: LightNetwork;
  readonly world: World;
  readonly random: Random;
  /** Epoch → what honest nodes made final with a certificate of its own. */
  readonly final = new Map<number, LightBlock>();
  readonly finalHashes = new Set<Hash>();
  readonly #acks = new Map<Hash, Map<number, SignedAck>>();
  readonly #traitors: ReadonlySet<number>;

  constructor(seed: number, validators: number) {
    const scenario = randomScenario(seed, { validators, durationMs: DURATION_MS });
    this.random = new Random(seed);
    this.world = new World(scenario);
    this.#traitors = new Set(
      scenario.nodes.flatMap(({ validator, treason }) =>
        Object.keys(treason).length > 0 ? [validator] : [],
      ),
    );
    const byHash = new Map(this.world.keys.flat().map((key) => [key.keyHash, key]));
    this.network = {
      ...domainOf(this.world.params),
      trustPeriodMs: 0,
      verifier: {
        verify: (_set, publicKey, message, signature) =>
          byHash.get(keccakHash(publicKey))?.verify(message, signature) === true,
      },
    };
    this.world.onMessage = (_node, message) => {
      if (message.topic === "ack") this.#hear(message.ack);
    };
    this.world.onFinal = (checkpoint, certificate) =>
      this.final.set(checkpoint.header.epoch, this.block(checkpoint, certificate));
    this.world.run();
    const { checkpoints } = this.world.observer;
    for (const { header } of this.final.values())
      for (let at = checkpoints.get(hashMacroHeader(header)); at !== undefined; ) {
        this.finalHashes.add(at.hash);
        at = checkpoints.get(at.header.parentMacroHash);
      }
  }

  get trusted() {
    const [genesis] = this.world.observer.checkpoints.values();
    assert.ok(genesis?.header.epoch === 0);
    return { header: genesis.header, members: genesis.config.members };
  }

  get last(): number {
    return Math.max(0, ...this.final.keys());
  }

  /** The final header of an epoch, or of the next one with a certificate of its own. */
  fetch(epoch: number): Promise<LightBlock> {
    for (let at = epoch; at <= this.last; at++) {
      const block = this.final.get(at);
      if (block !== undefined) return Promise.resolve(block);
    }
    throw new RangeError(`nothing is final from epoch ${epoch} on`);
  }

  block({ header, config }: Pick<Checkpoint, "header" | "config">, certificate: AckQC): LightBlock {
    return { header, certificate, validators: this.listOf(config.members) };
  }

  listOf(members: Members): LightBlock["validators"] {
    const keys = this.world.keys.flat().map((key) => [key.keyHash, key.publicKey] as const);
    return { members, keys: new Map(keys) };
  }

  /** The best certificate that anybody could make: all acks that were sent, and whatever traitors sign now. */
  forge(header: MacroHeader, members: Members): LightBlock | undefined {
    const hash = hashMacroHeader(header);
    const acks = new Map(this.#acks.get(hash));
    for (const { id, keyHash } of members)
      if (this.#traitors.has(id)) {
        const key = this.world.keys[id]?.find((each) => each.keyHash === keyHash);
        const ack = { validator: id, epoch: header.epoch, macroHash: hash };
        const message = consensusMessage(this.network, MESSAGE_KIND.ack, encodeAck(ack));
        if (key !== undefined) acks.set(id, { ack, signature: key.sign(message) });
      }
    if (acks.size === 0) return undefined;
    return { header, certificate: makeAckQC(members, acks), validators: this.listOf(members) };
  }

  #hear(signed: SignedAck): void {
    const { macroHash, validator } = signed.ack;
    const heard = this.#acks.get(macroHash) ?? new Map<number, SignedAck>();
    this.#acks.set(macroHash, heard.set(validator, signed));
  }
}

function isRefused(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (error instanceof LightError) return true;
    throw error;
  }
}

describe("light client", function () {
  this.timeout(600_000);
  const runs = fc.tuple(fc.integer({ min: 1, max: 2 ** 31 }), fc.constantFrom(4, 7, 10));
  let [accepted, lied, final] = [0, 0, 0];

  it("accepts what is final, in steps of any length (P11)", async () => {
    await fc.assert(
      fc.asyncProperty(runs, async ([seed, validators]) => {
        const show = new Show(seed, validators);
        let at = show.trusted;
        while (at.header.epoch < show.last) {
          const target = show.random.between(at.header.epoch + 1, show.last);
          const reached = await advanceTo(
            show.network,
            at,
            (await show.fetch(target)).header.epoch,
            {
              fetch: (epoch) => show.fetch(epoch),
              nowMs: () => show.world.timeline.nowMs,
            },
          );
          assert.ok(reached.header.epoch >= target);
          assert.ok(show.finalHashes.has(hashMacroHeader(reached.header)));
          at = reached;
          accepted++;
        }
      }),
      { numRuns: RUNS },
    );
    assert.ok(accepted > RUNS, "there is something to accept");
  });

  it("accepts no other header, whatever traitors sign and others said of it (P11)", () => {
    fc.assert(
      fc.property(runs, ([seed, validators]) => {
        const show = new Show(seed, validators);
        const byEpoch = new Map<number, Hash>();
        for (const checkpoint of show.world.observer.checkpoints.values()) {
          const { epoch } = checkpoint.header;
          if (epoch === 0) continue;
          if (isAccepted(show, checkpoint)) {
            assert.ok(isFinal(show, checkpoint), `epoch ${epoch}`);
            assert.ok(!byEpoch.has(epoch), `two headers of epoch ${epoch}`);
            byEpoch.set(epoch, checkpoint.hash);
            final++;
          }
          const lies = liesAbout(show, checkpoint);
          assert.deepEqual(
            lies.filter((lie) => isBelieved(show, lie)),
            [],
          );
          lied += lies.length;
        }
      }),
      { numRuns: RUNS },
    );
    assert.ok(lied > RUNS && final > RUNS, "there is something to refuse and to accept");
  });
});

/**
 * Whether a node has made this checkpoint final, or one it continues was the last that a node made final: a run may end
 * while the acks that would make it final are on their way.
 */
function isFinal(show: Show, { hash, header }: Checkpoint): boolean {
  if (show.finalHashes.has(hash)) return true;
  const { checkpoints } = show.world.observer;
  for (let at = checkpoints.get(header.parentMacroHash); at !== undefined; ) {
    if (show.finalHashes.has(at.hash)) return at.header.epoch === show.last;
    at = checkpoints.get(at.header.parentMacroHash);
  }
  return false;
}

/** Whether the best certificate of this checkpoint is enough. */
function isAccepted(show: Show, { header, config }: Checkpoint): boolean {
  const block = show.forge(header, config.members);
  return block !== undefined && !isRefused(() => verifyCertificate(show.network, block));
}

/** Whether a client that knows the last final header before takes this one. */
function isBelieved(show: Show, lie: LightBlock): boolean {
  const before = show.final.get(lie.header.epoch - 1);
  const trusted =
    before === undefined
      ? show.trusted
      : { header: before.header, members: before.validators.members };
  return !isRefused(() => verifyStep(show.network, trusted, lie, show.world.timeline.nowMs));
}

/** Headers that nobody made, with the best certificates that traitors can give them. */
function liesAbout(show: Show, { header, config }: Checkpoint): readonly LightBlock[] {
  const { members } = config;
  const real = show.final.get(header.epoch);
  const changed = { ...header, stateRoot: ZERO_HASH };
  // a set in which the traitors are alone, and one in which they are rich
  const own = members.filter(({ id }) =>
    show.forge(
      header,
      members.filter((m) => m.id === id),
    ),
  );
  const rich = members.map((member) =>
    own.includes(member) ? { ...member, stakeOld: 1n << 60n, stakeNew: 1n << 60n } : member,
  );
  const lies = [show.forge(changed, members)];
  for (const set of [own, rich])
    if (set.length > 0)
      lies.push(show.forge({ ...changed, validatorsHash: hashValidators(set) }, set));
  if (real !== undefined) {
    const certificate = { ...real.certificate, macroHash: hashMacroHeader(changed) };
    lies.push({ ...real, header: changed, certificate });
    const [first] = real.certificate.signatures;
    if (first !== undefined)
      lies.push({
        ...real,
        certificate: {
          ...real.certificate,
          signatures: real.certificate.signatures.map(() => first),
        },
      });
  }
  return lies.filter((lie) => lie !== undefined);
}
