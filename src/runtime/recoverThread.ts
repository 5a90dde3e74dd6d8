/** A worker for signatures and blob proofs: answers packed transactions. Started by workers.ts only. */
import { parentPort, workerData } from "node:worker_threads";
import { loadKzg } from "../crypto/kzg.ts";
import type { PqAlgorithmName } from "../crypto/pqAlgorithms.ts";
import { PqVerifier, pqVerifier } from "../crypto/pqVerifier.ts";
import type { Bytes } from "../primitives/bytes.ts";
import { assert } from "../primitives/errors.ts";
import { hexToBytes } from "../primitives/hex.ts";
import { decodeNetworkTransaction, verifyBlobSidecar } from "../types/blobSidecar.ts";
import { recoverFlatSender } from "../types/flatTransaction.ts";
import { senderOf } from "../types/sender.ts";
import { decodeTransaction } from "../types/transactionCodec.ts";
import {
  packSenders,
  type RecoverReply,
  type RecoverRequest,
  type RecoverSetup,
  unpackTransactions,
} from "./recoverPacket.ts";

const port = parentPort;
assert(port !== null, "recoverThread.ts runs as a worker thread");
const { paranoid }: RecoverSetup = workerData;
const verifier = paranoid ? new PqVerifier({}, { paranoid }) : pqVerifier;

port.on("message", ({ id, kind, packet, algorithms }: RecoverRequest) => {
  if (kind === "senders") {
    prepare(algorithms).then(
      () => {
        const reply = recoverSenders(id, packet);
        port.postMessage(reply, [reply.packet.buffer]);
      },
      (error: unknown) => port.postMessage(replyTo(id, failAll(packet, error))),
    );
    return;
  }
  checkSidecar(packet).then(
    () => port.postMessage(replyTo(id, new Map())),
    (error: unknown) => port.postMessage(replyTo(id, new Map([[0, messageOf(error)]]))),
  );
});
port.postMessage("ready");

async function prepare(algorithms: readonly PqAlgorithmName[]): Promise<void> {
  for (const name of algorithms) await verifier.prepare(name);
}

function failAll(packet: Bytes, error: unknown): ReadonlyMap<number, string> {
  const problem = messageOf(error);
  return new Map(unpackTransactions(packet).map((_raw, index) => [index, problem]));
}

function recoverSenders(id: number, packet: Bytes): RecoverReply {
  const failures = new Map<number, string>();
  const senders = unpackTransactions(packet).map((raw, index) => {
    try {
      return recoverFlatSender(raw) ?? hexToBytes(senderOf(decodeTransaction(raw), { verifier }));
    } catch (error) {
      failures.set(index, messageOf(error));
      return undefined;
    }
  });
  return { ...replyTo(id, failures), packet: packSenders(senders) };
}

async function checkSidecar(raw: Bytes): Promise<void> {
  const kzg = await loadKzg();
  const { sidecar } = decodeNetworkTransaction(raw);
  assert(sidecar !== undefined, "only transactions with a sidecar are sent here");
  verifyBlobSidecar(sidecar, kzg);
}

function replyTo(id: number, failures: ReadonlyMap<number, string>): RecoverReply {
  return { id, packet: new Uint8Array(0), failures };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
