/** The logs of one simulated call as they are written, those of frames that fail taken back. */
import {
  type Address,
  bigIntToHash,
  hexToBytes,
  parseAddress,
  parseHash,
} from "../primitives/hex.ts";
import type { Log } from "../types/receipt.ts";
import type { FrameEnd, FrameKind, FrameStart, Observer, Selfdestruct } from "./observer.ts";

/** A log and its position among all that were written in the block, taken back or not. */
export interface NumberedLog {
  readonly log: Log;
  readonly logIndex: number;
}

interface Entry {
  readonly logIndex: number;
  /** Made once the frame has ended: until then nobody knows where a contract will be created. */
  log: Log | undefined;
}

interface Frame {
  readonly entries: Entry[];
  /** The transfer that opened a creation. */
  readonly creation: { readonly entry: Entry; readonly start: FrameStart } | undefined;
}

/** Pretended emitter of the logs that stand for moved ether. Source: eth_simulateV1. */
const TRANSFER_EMITTER = parseAddress(`0x${"ee".repeat(20)}`);
/** Transfer(address,address,uint256) of ERC-20. */
const TRANSFER_EVENT = parseHash(
  "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
);
/** DELEGATECALL and CALLCODE name a value and leave it where it is. */
const MOVING: ReadonlySet<FrameKind> = new Set(["CALL", "CREATE", "CREATE2"]);

/** The ERC-20 event that ether moving from one account to another would be. */
function transferLog(from: Address, to: Address, value: bigint): Log {
  return {
    address: TRANSFER_EMITTER,
    topics: [TRANSFER_EVENT, bigIntToHash(BigInt(from)), bigIntToHash(BigInt(to))],
    data: hexToBytes(bigIntToHash(value)),
  };
}

/** Collects logs, and transfers of ether among them when asked to. One per block: it numbers what it sees. */
export class LogRecorder implements Observer {
  readonly #traceTransfers: boolean;
  #frames: Frame[] = [];
  #count = 0;

  constructor(options: { readonly traceTransfers: boolean }) {
    this.#traceTransfers = options.traceTransfers;
  }

  /** Forgets the logs of the call before; the numbers go on. */
  begin(): void {
    this.#frames = [{ entries: [], creation: undefined }];
  }

  /** The logs that are left of the call. */
  take(): NumberedLog[] {
    const entries = this.#frames[0]?.entries ?? [];
    return entries.flatMap(({ log, logIndex }) => (log === undefined ? [] : [{ log, logIndex }]));
  }

  enter(start: FrameStart): void {
    const { kind, from, to, value } = start;
    const entries: Entry[] = [];
    if (!this.#traceTransfers || value === 0n || !MOVING.has(kind)) {
      this.#frames.push({ entries, creation: undefined });
      return;
    }
    const log = to === undefined ? undefined : transferLog(from, to, value);
    const entry = { logIndex: this.#count++, log };
    entries.push(entry);
    this.#frames.push({ entries, creation: to === undefined ? { entry, start } : undefined });
  }

  exit({ failure, createdAddress }: FrameEnd): void {
    // system calls run before the first call begins
    if (this.#frames.length < 2) return;
    const ended = this.#frames.pop();
    if (ended === undefined || failure !== undefined) return;
    if (ended.creation !== undefined && createdAddress !== undefined) {
      const { entry, start } = ended.creation;
      entry.log = transferLog(start.from, createdAddress, start.value);
    }
    this.#frames.at(-1)?.entries.push(...ended.entries);
  }

  log(log: Log): void {
    this.#frames.at(-1)?.entries.push({ logIndex: this.#count++, log });
  }

  selfdestruct({ from, to, value }: Selfdestruct): void {
    if (this.#traceTransfers && value > 0n) this.log(transferLog(from, to, value));
  }
}
