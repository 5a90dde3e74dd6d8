/** What passes between the node and a recovery worker: one buffer each way, so that a batch costs one hop and no copy of objects. */
import type { PqAlgorithmName } from "../crypto/pqAlgorithms.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";

/** What a worker is started with. */
export interface RecoverSetup {
  /** Post-quantum signatures are verified by two back ends. */
  readonly paranoid: boolean;
}

export interface RecoverRequest {
  readonly id: number;
  /** `senders`: packed raw transactions. `sidecar`: one blob transaction in network form, whose proofs are checked. */
  readonly kind: "senders" | "sidecar";
  readonly packet: Uint8Array<ArrayBuffer>;
  /** Signature algorithms of the packet's transactions */
  readonly algorithms: readonly PqAlgorithmName[];
}

export interface RecoverReply {
  readonly id: number;
  /** 20 bytes a transaction, zeros where recovery failed */
  readonly packet: Uint8Array<ArrayBuffer>;
  /** Position → why there is no sender. */
  readonly failures: ReadonlyMap<number, string>;
}

export const SENDER_BYTES = 20;
const LENGTH_BYTES = 4;

/** Each transaction as 4 bytes of length (big-endian) and its bytes. */
export function packTransactions(raws: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const raw of raws) length += LENGTH_BYTES + raw.length;
  const packet = new Uint8Array(length);
  const view = new DataView(packet.buffer);
  let at = 0;
  for (const raw of raws) {
    view.setUint32(at, raw.length);
    packet.set(raw, at + LENGTH_BYTES);
    at += LENGTH_BYTES + raw.length;
  }
  return packet;
}

/** Inverse of `packTransactions`; the results are views. */
export function unpackTransactions(packet: Bytes): Bytes[] {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const raws: Bytes[] = [];
  let at = 0;
  while (at < packet.length) {
    const start = at + LENGTH_BYTES;
    const end = start + view.getUint32(at);
    assert(end <= packet.length, "a packet holds whole transactions");
    raws.push(packet.subarray(start, end));
    at = end;
  }
  return raws;
}

/** Senders of 20 bytes in a row, zeros for undefined. */
export function packSenders(senders: readonly (Bytes | undefined)[]): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(senders.length * SENDER_BYTES);
  senders.forEach((sender, index) => {
    if (sender !== undefined) packet.set(sender, index * SENDER_BYTES);
  });
  return packet;
}
