/** The head of the chain as the pool sees it. */
import type { Chain } from "../chain/chain.ts";
import type { ChainHead } from "../chain/chainEvents.ts";
import { baseFeeOfChild, blobBaseFee, excessBlobGasOfChild } from "../execution/gas.ts";
import type { Address, Hash } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import type { HeadState } from "../txpool/headState.ts";
import type { PoolAccount } from "../txpool/senderQueue.ts";
import { EMPTY_ACCOUNT } from "../types/account.ts";
import type { Rules } from "../types/forks.ts";

/** Reads after which a State is opened anew: it keeps every account that it has read. */
const MAX_READS = 65_536;

/** Reads the head's state, edits of a dev chain included, and tells the fees and rules of the block that would follow now. */
export class HeadView implements HeadState {
  readonly #chain: Chain;
  readonly #clock: { nowMs(): number };
  readonly #slotFee: ((head: ChainHead) => bigint) | undefined;
  #fee: { readonly parent: Hash; readonly baseFee: bigint } | undefined;
  #state: { readonly root: Hash; readonly state: State } | undefined;
  #reads = 0;
  #next: { readonly parent: Hash; readonly timestamp: bigint; readonly rules: Rules } | undefined;

  /** `slotFee`: the base fee after a block, where slots have fees of their own. */
  constructor(dependencies: {
    readonly chain: Chain;
    readonly clock: { nowMs(): number };
    readonly slotFee?: ((head: ChainHead) => bigint) | undefined;
  }) {
    this.#chain = dependencies.chain;
    this.#clock = dependencies.clock;
    this.#slotFee = dependencies.slotFee;
  }

  account(address: Address): PoolAccount {
    const { hash } = this.#chain.head;
    const root = this.#chain.stateRootAt(hash);
    if (this.#state?.root !== root || this.#reads >= MAX_READS) {
      this.#state = { root, state: this.#chain.stateAt(hash) };
      this.#reads = 0;
    }
    this.#reads++;
    return this.#state.state.account(address) ?? EMPTY_ACCOUNT;
  }

  get rules(): Rules {
    const { header, hash } = this.#chain.head;
    const now = BigInt(Math.floor(this.#clock.nowMs() / 1000));
    const least = header.timestamp + 1n;
    const timestamp = now < least ? least : now;
    // asked for every transaction that comes in, and the answer takes a read of the database
    if (this.#next?.parent !== hash || this.#next.timestamp !== timestamp)
      this.#next = { parent: hash, timestamp, rules: this.#rulesAt(timestamp) };
    return this.#next.rules;
  }

  #rulesAt(timestamp: bigint): Rules {
    const { header, hash } = this.#chain.head;
    const { forks, terminalTotalDifficulty } = this.#chain.config;
    const total = this.#chain.totalDifficulty(hash) ?? 0n;
    const merged = terminalTotalDifficulty !== undefined && total >= terminalTotalDifficulty;
    return forks.rules({
      number: header.number + 1n,
      timestamp,
      difficulty: merged ? 0n : 1n,
    });
  }

  get gasLimit(): bigint {
    return this.#chain.head.header.gasLimit;
  }

  get baseFee(): bigint | undefined {
    if (!this.rules.has("london")) return undefined;
    const { head } = this.#chain;
    if (this.#slotFee === undefined) return baseFeeOfChild(head.header);
    // asked for every transaction that comes in, and the answer takes reads of the database
    if (this.#fee?.parent !== head.hash)
      this.#fee = { parent: head.hash, baseFee: this.#slotFee(head) };
    return this.#fee.baseFee;
  }

  get blobBaseFee(): bigint | undefined {
    const { rules } = this;
    return blobBaseFee(excessBlobGasOfChild(this.#chain.head.header, rules), rules);
  }

  inclusion(hash: Hash) {
    const position = this.#chain.transaction(hash);
    if (position === undefined) return undefined;
    const { block } = position;
    const blockNumber = block.header.number;
    const finalized = blockNumber <= this.#chain.finalized.header.number;
    return { blockNumber, blockHash: block.hash, finalized };
  }
}
