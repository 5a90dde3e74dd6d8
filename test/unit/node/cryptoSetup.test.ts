import assert from "node:assert/strict";
import { nativeBackend, nobleBackend, type PqBackend } from "../../../src/crypto/pqBackends.ts";
import { PqError, PqVerifier, pqVerifier } from "../../../src/crypto/pqVerifier.ts";
import {
  CryptoError,
  demandFastVerifier,
  makeVerifier,
  prepareVerifier,
  usedAlgorithms,
} from "../../../src/node/cryptoSetup.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { devnetGenesis, plainGenesis } from "../../support/chains.ts";

const { config } = devnetGenesis();
const log = silentLogger;

describe("usedAlgorithms", () => {
  it("names what the genesis' map lists, and nothing for a plain chain", () => {
    assert.deepEqual(
      [...usedAlgorithms(config)],
      [
        "ML-DSA-44",
        "ML-DSA-65",
        "ML-DSA-87",
        "SLH-DSA-SHA2-128s",
        "SLH-DSA-SHA2-256s",
        "Falcon-512",
      ],
    );
    assert.equal(usedAlgorithms(plainGenesis().config).size, 0);
  });
});

describe("makeVerifier", () => {
  it("gives the common verifier, or a paranoid one that reports a disagreement", async () => {
    const options = { genesis: devnetGenesis(), clientVersion: "test", log };
    assert.equal(makeVerifier(options), pqVerifier);
    const paranoid = makeVerifier({ ...options, paranoid: true });
    await paranoid.prepare("ML-DSA-44");
    assert.equal(paranoid.describe("ML-DSA-44"), "native checked by wasm");
  });
});

describe("prepareVerifier", () => {
  it("has ML-DSA ready when it returns, and tests the others at their first use", async () => {
    const verifier = new PqVerifier();
    await prepareVerifier(verifier, config, { log });
    assert.equal(verifier.isPrepared("ML-DSA-87"), true);
    await verifier.prepare("Falcon-512");
    assert.equal(verifier.describe("Falcon-512"), "noble");
  });

  it("fails where ML-DSA cannot be trusted, and reports the others", async () => {
    const wrong: PqBackend = { name: "native", load: async () => () => false };
    await assert.rejects(
      prepareVerifier(new PqVerifier({ backends: [wrong] }), config, { log }),
      PqError,
    );
    const failure = new Promise<Error>((onFatal) => {
      // OpenSSL alone has no Falcon
      const verifier = new PqVerifier({ backends: [nativeBackend] });
      prepareVerifier(verifier, config, { log, onFatal }).catch(onFatal);
    });
    const error = await failure;
    assert.ok(error instanceof PqError && error.reason.algorithm === "Falcon-512");
  });
});

describe("demandFastVerifier", () => {
  it("refuses production where JavaScript alone verifies ML-DSA", async () => {
    const slow = new PqVerifier({ backends: [nobleBackend] });
    await slow.prepare("ML-DSA-44");
    assert.throws(
      () => demandFastVerifier(slow, config),
      (error) => error instanceof CryptoError && error.reason.code === "SLOW_CRYPTO",
    );
    demandFastVerifier(slow, plainGenesis().config);
    demandFastVerifier(pqVerifier, config);
  });
});
