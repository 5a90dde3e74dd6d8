/** The post-quantum keys of accounts, as far as this node has seen them: its own, those of the pool, those of the chain. */
import type { Address } from "../src/primitives/hex.ts";
import { BoundedCache } from "../src/runtime/cache.ts";
import type { PqSender, Transaction } from "../src/types/transaction.ts";
import { PQ_TYPE } from "../src/types/transactionTypes.ts";
import type { CallRequest } from "./callRequest.ts";
import type { RpcNode } from "./context.ts";
import { firstUse, pooledUse } from "./firstUse.ts";

/** Accounts whose answer is remembered, 1.5 KB each. */
const MAX_ACCOUNTS = 10_000;

/** "none": the account has signed something, and not with a post-quantum key. */
type Known = PqSender | "none";

/** Remembers keys: an address commits to its key, so what was found holds for ever. */
export class KnownKeys {
  readonly #node: RpcNode;
  readonly #found = new BoundedCache<Address, Known>({ entries: MAX_ACCOUNTS });

  constructor(node: RpcNode) {
    this.#node = node;
  }

  /** The account's post-quantum key; undefined: it has none, or has not shown it to this node. */
  find(account: Address): PqSender | undefined {
    const own = this.#node.dev?.pqSigner(account);
    if (own !== undefined) return own;
    const cached = this.#found.get(account);
    if (cached !== undefined) return cached === "none" ? undefined : cached;
    const shown = this.#shownBy(account);
    if (shown === undefined) return undefined;
    const known = shown.pqSender === undefined ? "none" : ownCopy(shown.pqSender);
    this.#found.set(account, known);
    return known === "none" ? undefined : known;
  }

  /**
   * The request as one of type 0x51 if its sender is known to have a post-quantum key; one that names another type, or
   * brings its key, stays as it is.
   */
  complete(request: CallRequest): CallRequest {
    const { from, pqSender, type } = request;
    const isOpen =
      type === undefined || (pqSender !== undefined && pqSender.publicKey.length === 0);
    const known = isOpen && from !== undefined && this.#isActive ? this.find(from) : undefined;
    if (known === undefined) return request;
    return { ...request, type: PQ_TYPE, pqSender: known };
  }

  get #isActive(): boolean {
    const { chain } = this.#node;
    return chain.rulesFor(chain.head.header).pqTransactions !== undefined;
  }

  #shownBy(account: Address): Transaction | undefined {
    const pooled = pooledUse(this.#node, account);
    if (pooled !== undefined) return pooled;
    const first = firstUse(this.#node, account);
    return first.kind === "transaction" ? first.transaction : undefined;
  }
}

/** Not a view of a transaction, which would be kept for it. */
function ownCopy({ algorithm, publicKey }: PqSender): PqSender {
  return { algorithm, publicKey: Uint8Array.from(publicKey) };
}
