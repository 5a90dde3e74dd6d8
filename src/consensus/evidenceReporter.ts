/**
 * Sends evidence to the staking contract from an account of the node's operator, who earns the reporter's share.
 * Whether a report would be taken is asked of the head's state first, so that evidence that is old, or was reported by
 * somebody else, costs nothing. The nodes of a network try one after the other, by their validator's place in the set.
 * Source: docs/consensus.md §9.
 */
import type { Chain } from "../chain/chain.ts";
import { readStakedKey } from "../chain/stakingState.ts";
import { keccak256 } from "../crypto/keccak.ts";
import { encodeArguments } from "../execution/abiWriter.ts";
import { envOf } from "../execution/evm.ts";
import { executeCall } from "../execution/executeCall.ts";
import { type Bytes, concatBytes } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import type { Logger } from "../runtime/log.ts";
import type { TxPool } from "../txpool/pool.ts";
import type { PqSender, Transaction, TransactionFields } from "../types/transaction.ts";
import { PQ_TYPE } from "../types/transactionTypes.ts";
import { childEpoch } from "./core/chainPoint.ts";
import { memberByKey } from "./core/configuration.ts";
import type { FoundEvidence } from "./core/events.ts";
import { headPoint } from "./core/tree.ts";
import type { ConsensusQueries } from "./queries.ts";

/** An account that signs transactions. */
export interface ReporterAccount {
  readonly address: Address;
  /** Key of an account with transactions of type 0x51 */
  readonly pqSender: PqSender | undefined;
  sign(fields: TransactionFields): Promise<Transaction>;
}

export interface ReporterDependencies {
  readonly chain: Chain;
  readonly pool: TxPool;
  readonly queries: ConsensusQueries;
  readonly account: ReporterAccount;
  readonly log: Logger;
}

/** Evidence that waits; of more the newest is left to others. */
const MAX_WAITING = 64;
/** Of one validator: what it has done more often, it has been punished for by then. */
const MAX_WAITING_OF_VALIDATOR = 8;
/** Slots from one report to the next: a minute of the main network. */
const SLOTS_BETWEEN = 30;
/** Slots that each reporter leaves to the one before it: its transaction is in a block by then. */
const SLOTS_APART = 4;
/** Gas that a report may need; it needs a quarter of a million. */
const MAX_GAS = 4_000_000n;
/** wei per gas */
const TIP = 1_000_000_000n;

interface WaitingEvidence {
  readonly evidence: FoundEvidence;
  readonly dueSlot: number;
  /** What reported it; it may get lost, or its block be left behind. */
  readonly sent?: Hash;
}

/** Reports what the engine finds, until stopped. */
export class EvidenceReporter {
  readonly #deps: ReporterDependencies;
  #waiting: WaitingEvidence[] = [];
  #nextSlot = 0;
  #busy: Promise<void> | undefined;
  #ends: readonly (() => void)[] = [];

  constructor(dependencies: ReporterDependencies) {
    this.#deps = dependencies;
  }

  /** Begins with what was found in earlier runs. */
  async start(): Promise<void> {
    const { queries } = this.#deps;
    const { engine } = queries;
    for (const evidence of await queries.evidence()) this.#add(evidence);
    this.#ends = [
      engine.on("evidence", (evidence): undefined => this.#add(evidence)),
      engine.on("head", ({ point }): undefined => this.#onHead(point.slot)),
    ];
  }

  async stop(): Promise<void> {
    for (const end of this.#ends) end();
    this.#waiting = [];
    await this.#busy;
  }

  #add(evidence: FoundEvidence): undefined {
    const { validator } = evidence;
    const same = this.#waiting.filter((one) => one.evidence.validator === validator);
    if (this.#waiting.length >= MAX_WAITING || same.length >= MAX_WAITING_OF_VALIDATOR) return;
    const { view, params } = this.#deps.queries.engine;
    const head = headPoint(view);
    const { config } = childEpoch(head);
    const own = memberByKey(config, params.ownKeys);
    const place = own === undefined ? config.members.length : config.members.indexOf(own);
    this.#waiting.push({ evidence, dueSlot: head.slot + 1 + place * SLOTS_APART });
  }

  /** One report at a time, and not more often than the limit: nobody makes this node spend its coins faster. */
  #onHead(slot: number): undefined {
    if (this.#busy !== undefined || slot < this.#nextSlot) return;
    const due = this.#waiting.find((one) => one.dueSlot <= slot && !this.#isPending(one));
    if (due === undefined) return;
    this.#waiting = this.#waiting.filter((one) => one !== due);
    this.#busy = this.#report(due.evidence, slot)
      .then((sent) => {
        // again until the contract has it: it says so when asked
        const dueSlot = slot + SLOTS_BETWEEN;
        if (sent !== undefined) this.#waiting.push({ evidence: due.evidence, dueSlot, sent });
      })
      .catch((error: unknown) => this.#tell(due.evidence, error))
      .finally(() => {
        this.#busy = undefined;
      });
  }

  #isPending({ sent }: WaitingEvidence): boolean {
    return sent !== undefined && this.#deps.pool.get(sent) !== undefined;
  }

  #tell({ validator, offence }: FoundEvidence, error: unknown): void {
    const problem = error instanceof NodeError ? error.message : error;
    this.#deps.log.warn("Evidence could not be reported", { validator, offence, problem });
  }

  /** Hash of the transaction; undefined: the contract does not want it. */
  async #report(evidence: FoundEvidence, slot: number): Promise<Hash | undefined> {
    const { chain, pool, account, queries, log } = this.#deps;
    const { validator, offence } = evidence;
    const data = this.#calldata(evidence);
    const gas = data && (await this.#gasOf(data));
    if (data === undefined || gas === undefined) return undefined;
    this.#nextSlot = slot + SLOTS_BETWEEN;
    const transaction = await account.sign({
      type: account.pqSender === undefined ? 2 : PQ_TYPE,
      chainId: chain.config.chainId,
      nonce: pool.nonce(account.address),
      // the base fee may double while the transaction waits
      maxFeePerGas: 2n * queries.baseFeeAfter(chain.head) + TIP,
      maxPriorityFeePerGas: TIP,
      gasLimit: (gas * 5n) / 4n,
      to: queries.engine.params.config.staking,
      value: 0n,
      data,
      accessList: [],
      maxFeePerBlobGas: 0n,
      blobVersionedHashes: [],
      authorizationList: [],
      pqSender: account.pqSender,
    });
    await pool.add(transaction.raw, "local");
    log.warn("Reported a validator", { validator, offence, transaction: transaction.hash });
    return transaction.hash;
  }

  /** Gas of the report at the head; undefined: the contract would refuse it. */
  async #gasOf(data: Bytes): Promise<bigint | undefined> {
    const { chain, account, queries, log } = this.#deps;
    const { header, hash } = chain.head;
    const outcome = await executeCall(
      chain.stateAt(hash),
      envOf(header),
      {
        from: account.address,
        to: queries.engine.params.config.staking,
        data,
        gasLimit: MAX_GAS,
        pqSender: account.pqSender,
      },
      chain.contextFor(header),
    );
    if (outcome.failure === undefined) return outcome.peakGas;
    log.debug("The contract takes the evidence no more", { failure: outcome.failure });
    return undefined;
  }

  /** undefined: the contract does not know a key that signed. */
  #calldata({ offence, validator, a, b }: FoundEvidence): Bytes | undefined {
    const { chain, queries } = this.#deps;
    const { staking } = queries.engine.params.config;
    const state = chain.stateAt(chain.head.hash);
    const [keyA, keyB] = [a, b].map(({ keyHash }) =>
      readStakedKey(state, staking, { id: validator, keyHash }),
    );
    if (keyA === undefined || keyB === undefined) return undefined;
    const name = offence === "double seal" ? "slashDoubleSeal" : "slashDoubleVote";
    const signature = `${name}(uint32,uint8,bytes,bytes,uint8,bytes,bytes)`;
    return concatBytes(
      keccak256(new TextEncoder().encode(signature)).subarray(0, 4),
      encodeArguments([
        BigInt(validator),
        ...[BigInt(keyA.index), a.body, a.signature],
        ...[BigInt(keyB.index), b.body, b.signature],
      ]),
    );
  }
}
