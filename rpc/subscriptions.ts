/** Subscriptions over WebSocket: what happens is sent at once, each fact encoded once for all who asked. */
import { randomBytes } from "node:crypto";
import type { Chain } from "../src/chain/chain.ts";
import type { HeadEvent } from "../src/chain/chainEvents.ts";
import { type LogFilter, logMatches } from "../src/chain/logIndex.ts";
import type { EngineEvents } from "../src/consensus/engineEvents.ts";
import type { Hash } from "../src/primitives/hex.ts";
import type { TransactionEvent } from "../src/txpool/poolFacts.ts";
import type { Connection, PushChannel, RpcNode } from "./context.ts";
import { RpcError } from "./errors.ts";
import { logsOfBlock, logsOfChange, type PlacedLog, termsOf } from "./logs.ts";
import { macroHeaderView } from "./macroHeaderView.ts";
import { receiptsOfBlock } from "./receipts.ts";
import { type SyncStatus, syncStatusOf, syncStatusView } from "./syncStatus.ts";
import {
  headerView,
  logView,
  pendingTransactionOf,
  receiptView,
  transactionView,
} from "./views.ts";

/** Limits of one connection. */
export const subscriptionLimits = {
  /** Open at once. */
  subscriptions: 128,
  /** Addresses and topics of all of them: each new log is compared with them. */
  terms: 10_000,
  /** Messages held back until the reply to eth_subscribe is out, and their characters; more end the subscription. */
  heldBack: 10_000,
  heldBackCharacters: 16_000_000,
  /** Blocks that a new subscription may go back. */
  backlogBlocks: 1_000n,
} as const;

/** What can be subscribed to. */
export type Subscription =
  /** `fromBlock`: first the blocks from there to the head, so that a subscriber goes on without a gap. */
  | { readonly kind: "newHeads"; readonly fromBlock?: bigint | undefined }
  | {
      readonly kind: "logs";
      readonly filter: LogFilter;
      readonly fromBlock?: bigint | undefined;
    }
  | { readonly kind: "newPendingTransactions"; readonly full: boolean }
  /** Receipts of each new block in one message; of these transactions only, if they are named. */
  | { readonly kind: "transactionReceipts"; readonly hashes: ReadonlySet<Hash> | undefined }
  | { readonly kind: "syncing" }
  /** Macro headers that have become final. */
  | { readonly kind: "finalized" };

interface Open {
  readonly id: string;
  readonly what: Subscription;
  readonly push: PushChannel;
  /** Messages of the time before the reply; undefined once it is out. */
  held: string[] | undefined;
  heldCharacters: number;
}

/** All subscriptions of one server. */
export class Subscriptions {
  readonly #node: RpcNode;
  readonly #open = new Set<Open>();
  /** Addresses and topics by connection. */
  readonly #terms = new WeakMap<PushChannel, number>();
  readonly #ends: (() => void)[];
  #wasSyncing: boolean;

  constructor(node: RpcNode) {
    this.#node = node;
    this.#wasSyncing = syncStatusOf(node) !== undefined;
    this.#ends = [
      node.chain.on("head", (event) => this.#onHead(event)),
      node.pool.on("transaction", (event) => this.#onTransaction(event)),
    ];
    const { consensus } = node;
    if (consensus !== undefined)
      this.#ends.push(consensus.engine.on("finalized", (event) => this.#onFinalized(event)));
  }

  get size(): number {
    return this.#open.size;
  }

  /** Opens a subscription; its first message follows the reply. Throws where the connection cannot take it. */
  open(connection: Connection, what: Subscription): bigint {
    const { push } = connection;
    if (push === undefined) throw new RpcError({ code: "NOTIFICATIONS_UNSUPPORTED" });
    if (push.subscriptions.size >= subscriptionLimits.subscriptions) {
      throw new RpcError({ code: "REFUSED", text: "too many subscriptions on this connection" });
    }
    const terms = what.kind === "logs" ? termsOf(what.filter) : 0;
    const allTerms = terms + (this.#terms.get(push) ?? 0);
    if (allTerms > subscriptionLimits.terms) {
      throw new RpcError({ code: "REFUSED", text: "too many addresses and topics subscribed to" });
    }
    const number = BigInt(`0x${randomBytes(16).toString("hex")}`);
    const id = `0x${number.toString(16)}`;
    const subscription: Open = { id, what, push, held: [], heldCharacters: 0 };
    this.#goBack(subscription);
    this.#open.add(subscription);
    this.#terms.set(push, allTerms);
    push.subscriptions.set(id, () => {
      this.#open.delete(subscription);
      this.#terms.set(push, (this.#terms.get(push) ?? 0) - terms);
    });
    push.afterReply(() => {
      const held = subscription.held ?? [];
      subscription.held = undefined;
      for (const message of held) push.send(message);
      // geth tells the state of synchronisation first
      if (what.kind === "syncing") this.#send(subscription, syncText(syncStatusOf(this.#node)));
    });
    return number;
  }

  /** Ends a subscription of this connection; false when it has none of that id. */
  end(connection: Connection, number: bigint): boolean {
    const { push } = connection;
    if (push === undefined) throw new RpcError({ code: "NOTIFICATIONS_UNSUPPORTED" });
    const id = `0x${number.toString(16)}`;
    push.subscriptions.get(id)?.();
    return push.subscriptions.delete(id);
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#open.clear();
  }

  /** Sends what has happened since the block that the subscriber names. */
  #goBack(subscription: Open): void {
    const { what } = subscription;
    if (!("fromBlock" in what) || what.fromBlock === undefined) return;
    const { chain } = this.#node;
    const head = chain.head.header.number;
    if (head - what.fromBlock >= subscriptionLimits.backlogBlocks) {
      const text = `fromBlock is too old, want at least block ${head - subscriptionLimits.backlogBlocks + 1n}`;
      throw new RpcError({ code: "INVALID_PARAMS", text });
    }
    for (let number = what.fromBlock; number <= head; number++) {
      const block = chain.blockByNumber(number);
      if (block === undefined) continue;
      if (!hasRoom(subscription)) {
        const text = `too many logs since fromBlock, want at most ${subscriptionLimits.heldBack} or ${subscriptionLimits.heldBackCharacters} characters`;
        throw new RpcError({ code: "INVALID_PARAMS", text });
      }
      if (what.kind === "newHeads") {
        this.#send(subscription, JSON.stringify(headerView.encode(block)));
        continue;
      }
      for (const log of logsOfBlock(chain, block, what.filter, false))
        this.#send(subscription, JSON.stringify(logView.encode(log)));
    }
  }

  #send(subscription: Open, result: string): void {
    const space = subscription.what.kind === "finalized" ? "qnet" : "eth";
    const message = `{"jsonrpc":"2.0","method":"${space}_subscription","params":{"subscription":"${subscription.id}","result":${result}}}`;
    if (subscription.held === undefined) {
      subscription.push.send(message);
      return;
    }
    if (hasRoom(subscription)) {
      subscription.held.push(message);
      subscription.heldCharacters += message.length;
    } else this.#open.delete(subscription);
  }

  #onHead(event: HeadEvent): undefined {
    if (this.#open.size === 0) {
      this.#syncTurn();
      return;
    }
    const news = newsOf(this.#node.chain, event, this.#syncTurn());
    for (const subscription of this.#open) this.#tell(subscription, news);
  }

  #tell(subscription: Open, news: News): void {
    const { what } = subscription;
    switch (what.kind) {
      case "newHeads":
        for (const head of news.heads()) this.#send(subscription, head);
        return;
      case "syncing":
        if (news.syncTurn !== undefined) this.#send(subscription, news.syncTurn);
        return;
      case "transactionReceipts":
        for (const block of news.receipts()) this.#sendReceipts(subscription, block, what.hashes);
        return;
      case "logs":
        for (const { placed, text } of news.logs()) {
          if (logMatches(placed.log, what.filter)) this.#send(subscription, text());
        }
        return;
      case "newPendingTransactions":
      case "finalized":
        return;
    }
  }

  /** The receipts of one block that a subscriber follows, in one message as geth sends them. */
  #sendReceipts(
    subscription: Open,
    block: readonly ReceiptText[],
    hashes: ReadonlySet<Hash> | undefined,
  ): void {
    const texts = block
      .filter(({ hash }) => hashes === undefined || hashes.has(hash))
      .map(({ text }) => text());
    if (texts.length > 0) this.#send(subscription, `[${texts.join(",")}]`);
  }

  /** What to tell where synchronisation has begun or ended with this block. */
  #syncTurn(): string | undefined {
    const status = syncStatusOf(this.#node);
    const isSyncing = status !== undefined;
    if (isSyncing === this.#wasSyncing) return undefined;
    this.#wasSyncing = isSyncing;
    return syncText(status);
  }

  #onFinalized({ checkpoint }: EngineEvents["finalized"]): undefined {
    const text = lazy(() => JSON.stringify(macroHeaderView.encode(checkpoint)));
    for (const subscription of this.#open)
      if (subscription.what.kind === "finalized") this.#send(subscription, text());
  }

  #onTransaction({ transaction }: TransactionEvent): undefined {
    const full = lazy(() =>
      JSON.stringify(transactionView.encode(pendingTransactionOf(transaction))),
    );
    const short = JSON.stringify(transaction.hash);
    for (const subscription of this.#open) {
      const { what } = subscription;
      if (what.kind !== "newPendingTransactions") continue;
      this.#send(subscription, what.full ? full() : short);
    }
  }
}

interface ReceiptText {
  readonly hash: Hash;
  readonly text: () => string;
}

/** What a change of the head brings, each written once and only if somebody wants it. */
interface News {
  readonly heads: () => readonly string[];
  readonly logs: () => readonly { readonly placed: PlacedLog; readonly text: () => string }[];
  /** By block. */
  readonly receipts: () => readonly (readonly ReceiptText[])[];
  readonly syncTurn: string | undefined;
}

function newsOf(chain: Chain, event: HeadEvent, syncTurn: string | undefined): News {
  return {
    heads: lazy(() => event.added.map((block) => JSON.stringify(headerView.encode(block)))),
    logs: lazy(() =>
      logsOfChange(chain, event).map((placed) => ({
        placed,
        text: lazy(() => JSON.stringify(logView.encode(placed))),
      })),
    ),
    receipts: lazy(() =>
      event.added.map((block) =>
        receiptsOfBlock(chain, block).map((placed) => ({
          hash: placed.transaction.hash,
          text: lazy(() => JSON.stringify(receiptView.encode(placed))),
        })),
      ),
    ),
    syncTurn,
  };
}

/** geth's message: false, or that synchronisation runs and how far it is. */
function syncText(status: SyncStatus | undefined): string {
  if (status === undefined) return "false";
  return JSON.stringify({ syncing: true, status: syncStatusView.encode(status) });
}

/** Whether one more message can wait for the reply. */
function hasRoom({ held, heldCharacters }: Open): boolean {
  const { heldBack, heldBackCharacters } = subscriptionLimits;
  return (held?.length ?? 0) < heldBack && heldCharacters < heldBackCharacters;
}

/** Computes at the first call and remembers. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
