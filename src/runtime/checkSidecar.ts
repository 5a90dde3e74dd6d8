/** The proofs of a blob transaction, checked on the thread that calls: about 1 s of work. */
import { loadKzg } from "../crypto/kzg.ts";
import { type NetworkTransaction, verifyBlobSidecar } from "../types/blobSidecar.ts";
import { DecodeError } from "../types/rlp.ts";
import { WorkerError } from "./workerError.ts";

/** Rejects with WorkerError INVALID_SIDECAR. */
export async function checkSidecar({ sidecar }: NetworkTransaction): Promise<void> {
  if (sidecar === undefined) return;
  const kzg = await loadKzg();
  try {
    verifyBlobSidecar(sidecar, kzg);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new WorkerError({ code: "INVALID_SIDECAR", problem: error.message }, { cause: error });
  }
}
