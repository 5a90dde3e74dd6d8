import assert from "node:assert/strict";
import {
  baseFeeOfChild,
  blobBaseFee,
  excessBlobGasOfChild,
  floorDataGas,
  GAS_PER_BLOB,
  intrinsicGas,
} from "../../../src/execution/gas.ts";
import { hashOf, rulesOf } from "../../support/execution.ts";
import { PLAIN_FIELDS } from "../../support/transactions.ts";

describe("intrinsicGas", () => {
  const data = Uint8Array.of(0, 1, 2, 0);

  it("is 21,000 for a transfer on every fork", () => {
    for (const fork of ["Frontier", "Istanbul", "Osaka"]) {
      assert.equal(intrinsicGas(PLAIN_FIELDS, rulesOf(fork)), 21_000n);
    }
  });

  it("prices data by 4 and 68, from Istanbul on by 4 and 16 (EIP-2028)", () => {
    const fields = { ...PLAIN_FIELDS, data };
    assert.equal(intrinsicGas(fields, rulesOf("Byzantium")), 21_000n + 8n + 136n);
    assert.equal(intrinsicGas(fields, rulesOf("Istanbul")), 21_000n + 8n + 32n);
  });

  it("adds creation gas from Homestead (EIP-2) and creation code words from Shanghai (EIP-3860)", () => {
    const fields = { ...PLAIN_FIELDS, to: undefined, data: new Uint8Array(33) };
    assert.equal(intrinsicGas(fields, rulesOf("Frontier")), 21_000n + 132n);
    assert.equal(intrinsicGas(fields, rulesOf("Homestead")), 53_000n + 132n);
    assert.equal(intrinsicGas(fields, rulesOf("Shanghai")), 53_000n + 132n + 4n);
  });

  it("adds access list entries (EIP-2930) and authorizations (EIP-7702)", () => {
    const address = PLAIN_FIELDS.to;
    assert(address !== undefined);
    const one = { chainId: 1n, address, nonce: 0n, yParity: 0n, r: 1n, s: 1n };
    const fields = {
      ...PLAIN_FIELDS,
      accessList: [{ address, storageKeys: [hashOf(1), hashOf(2)] }],
      authorizationList: [one, one],
    };
    assert.equal(intrinsicGas(fields, rulesOf("Prague")), 21_000n + 2_400n + 3_800n + 50_000n);
  });
});

describe("floorDataGas", () => {
  it("counts 10 per token from Prague on, four tokens for a byte that is not zero (EIP-7623)", () => {
    const fields = { ...PLAIN_FIELDS, data: Uint8Array.of(0, 1, 2) };
    assert.equal(floorDataGas(fields, rulesOf("Cancun")), 0n);
    assert.equal(floorDataGas(fields, rulesOf("Prague")), 21_000n + 90n);
  });
});

describe("baseFeeOfChild", () => {
  const parent = { baseFeePerGas: 1_000_000_000n, gasLimit: 30_000_000n, gasUsed: 15_000_000n };

  it("stays at the target, rises and falls by at most an eighth", () => {
    assert.equal(baseFeeOfChild(parent), 1_000_000_000n);
    assert.equal(baseFeeOfChild({ ...parent, gasUsed: 30_000_000n }), 1_125_000_000n);
    assert.equal(baseFeeOfChild({ ...parent, gasUsed: 0n }), 875_000_000n);
  });

  it("rises by at least one wei above the target", () => {
    assert.equal(baseFeeOfChild({ ...parent, baseFeePerGas: 7n, gasUsed: 15_000_001n }), 8n);
  });

  it("begins at one gwei", () => {
    assert.equal(baseFeeOfChild({ ...parent, baseFeePerGas: undefined }), 1_000_000_000n);
  });
});

describe("blobBaseFee", () => {
  it("is 1 wei without excess and grows with e per update fraction", () => {
    const cancun = rulesOf("Cancun");
    assert.equal(blobBaseFee(0n, cancun), 1n);
    assert.equal(blobBaseFee(10n * 3_338_477n, cancun), 22_026n);
    assert.equal(blobBaseFee(0n, rulesOf("Shanghai")), undefined);
  });
});

describe("excessBlobGasOfChild", () => {
  it("is what exceeds the target (EIP-4844)", () => {
    const parent = { excessBlobGas: 0n, blobGasUsed: 6n * GAS_PER_BLOB, baseFeePerGas: 7n };
    assert.equal(excessBlobGasOfChild(parent, rulesOf("Cancun")), 3n * GAS_PER_BLOB);
    const idle = { ...parent, blobGasUsed: 3n * GAS_PER_BLOB };
    assert.equal(excessBlobGasOfChild(idle, rulesOf("Cancun")), 0n);
  });

  it("does not fall while execution costs more than blobs (EIP-7918)", () => {
    const parent = {
      excessBlobGas: 10n * GAS_PER_BLOB,
      blobGasUsed: 6n * GAS_PER_BLOB,
      baseFeePerGas: 1_000_000_000n,
    };
    assert.equal(excessBlobGasOfChild(parent, rulesOf("Prague")), 10n * GAS_PER_BLOB);
    assert.equal(excessBlobGasOfChild(parent, rulesOf("Osaka")), 12n * GAS_PER_BLOB);
    const cheap = { ...parent, baseFeePerGas: 7n };
    assert.equal(excessBlobGasOfChild(cheap, rulesOf("Osaka")), 10n * GAS_PER_BLOB);
  });
});
