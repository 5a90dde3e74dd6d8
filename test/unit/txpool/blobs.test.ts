import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeError } from "../../../src/primitives/errors.ts";
import { hexToBytes, parseHash } from "../../../src/primitives/hex.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { WorkerError } from "../../../src/runtime/workerError.ts";
import { WorkerPool } from "../../../src/runtime/workers.ts";
import { checkReplacement, decodeForPool } from "../../../src/txpool/admit.ts";
import type { NetworkTransaction } from "../../../src/types/blobSidecar.ts";
import { testPool, transactionOf, type Wanted } from "../../support/testPool.ts";

const FIXTURES =
  process.env["QNET_FIXTURES"] ?? join(import.meta.dirname, "../../../../shared/fixtures");

/** A point of the curve that proves nothing: the generator of BLS12-381's G1. */
const GENERATOR = hexToBytes(
  "0x97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
);

/** The public blob transaction in Osaka's network form, 275 KB. */
function publicBlobTransaction(): NetworkTransaction {
  const folder = join(FIXTURES, "rpc-compat/eth_sendRawTransaction");
  const text = readFileSync(join(folder, "send-blob-tx.io"), "utf8");
  const request = text.split("\n").find((line) => line.startsWith(">> "));
  return decodeForPool(hexToBytes(JSON.parse(request?.slice(3) ?? "").params[0]));
}

function withBrokenProof({ transaction, sidecar }: NetworkTransaction): NetworkTransaction {
  assert.ok(sidecar);
  const [, ...rest] = sidecar.proofs;
  return { transaction, sidecar: { ...sidecar, proofs: [GENERATOR, ...rest] } };
}

for (const threads of [0, 1])
  describe(`WorkerPool.verifySidecar with ${threads} threads`, () => {
    it("accepts a public blob transaction and refuses it with a wrong proof", async function () {
      this.timeout(30_000);
      const workers = new WorkerPool({ log: silentLogger }, { threads });
      const network = publicBlobTransaction();
      await workers.verifySidecar(network);
      await assert.rejects(
        workers.verifySidecar(withBrokenProof(network)),
        (error) => error instanceof WorkerError && error.reason.code === "INVALID_SIDECAR",
      );
      await workers.stop();
    });
  });

describe("blob transactions in the pool", () => {
  const blobs: Wanted = {
    type: 3,
    maxFeePerBlobGas: 10n,
    blobVersionedHashes: [parseHash(`0x01${"ab".repeat(31)}`)],
  };

  it("need their blobs", async () => {
    const { pool } = testPool();
    await assert.rejects(
      pool.addTransaction(transactionOf(blobs), "local"),
      (error: NodeError) => error.reason.code === "INVALID_SIDECAR",
    );
  });

  it("are replaced at twice each fee only, that of the blobs too", () => {
    const old = transactionOf({ ...blobs, price: 100n });
    const offer = (price: bigint, maxFeePerBlobGas: bigint) => () =>
      checkReplacement(old, transactionOf({ ...blobs, price, maxFeePerBlobGas }), 10n);
    assert.throws(offer(199n, 20n));
    assert.throws(offer(200n, 19n));
    assert.doesNotThrow(offer(200n, 20n));
  });
});
