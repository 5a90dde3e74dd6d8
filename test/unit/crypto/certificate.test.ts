import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import fc from "fast-check";
import { type CertificateContent, selfSignedCertificate } from "../../../src/crypto/certificate.ts";
import { derOid, derTime } from "../../../src/crypto/der.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";

const content: CertificateContent = {
  commonName: "signer-1",
  hosts: ["localhost", "signer.example", "127.0.0.1"],
  notBefore: 1_790_000_000,
  notAfter: 1_821_536_000,
  serial: new Uint8Array(16).fill(0xff),
};
const seed = new Uint8Array(32).fill(4);

describe("selfSignedCertificate", () => {
  for (const [name, type] of [
    ["ML-DSA-44", "ml-dsa-44"],
    ["ML-DSA-65", "ml-dsa-65"],
    ["ML-DSA-87", "ml-dsa-87"],
  ] as const) {
    it(`is read and verified by OpenSSL: ${name}`, () => {
      const { certificate } = selfSignedCertificate(name, seed, content);
      const read = new X509Certificate(certificate);
      assert.equal(read.publicKey.asymmetricKeyType, type);
      assert.equal(read.verify(read.publicKey), true);
      assert.equal(read.subject, "CN=signer-1");
      assert.equal(read.issuer, read.subject);
      assert.equal(read.checkIP("127.0.0.1"), "127.0.0.1");
      assert.equal(read.checkHost("signer.example"), "signer.example");
      assert.equal(read.checkHost("other.example"), undefined);
      assert.equal(read.ca, false);
      assert.equal(read.validFromDate.getTime(), content.notBefore * 1000);
      assert.equal(read.validToDate.getTime(), content.notAfter * 1000);
      assert.equal(read.serialNumber, `01${"FF".repeat(15)}`);
    });
  }

  it("is still read when it ends after 2049", () => {
    const { certificate } = selfSignedCertificate("ML-DSA-44", seed, {
      ...content,
      notAfter: 4_000_000_000,
    });
    const read = new X509Certificate(certificate);
    assert.equal(read.validToDate.getTime(), 4_000_000_000_000);
  });

  it("refuses names that cannot stand in it", () => {
    const refuse = (change: Partial<CertificateContent>) =>
      assert.throws(
        () => selfSignedCertificate("ML-DSA-44", seed, { ...content, ...change }),
        RangeError,
      );
    refuse({ commonName: "" });
    refuse({ commonName: "x".repeat(65) });
    refuse({ hosts: ["256.0.0.1"] });
    refuse({ hosts: ["-x"] });
    refuse({ hosts: ["a b"] });
    refuse({ hosts: ["::1"] });
  });

  it("is a certificate whatever the name, the hosts and the times", () => {
    const names = fc.string({ minLength: 1, maxLength: 16, unit: fc.constantFrom("a", "Z", "é") });
    const time = fc.integer({ min: 0, max: 7_000_000_000 });
    fc.assert(
      fc.property(
        names,
        fc.array(fc.domain(), { maxLength: 30 }),
        time,
        (commonName, hosts, at) => {
          const times = { notBefore: at, notAfter: at + 60 };
          const own = { ...content, ...times, commonName, hosts };
          const read = new X509Certificate(
            selfSignedCertificate("ML-DSA-44", seed, own).certificate,
          );
          assert.equal(read.verify(read.publicKey), true);
          assert.equal(read.validFromDate.getTime(), at * 1000);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("der", () => {
  it("writes object identifiers with large arcs", () => {
    assert.equal(bytesToHex(derOid("1.2.840.113549.1.1.11")), "0x06092a864886f70d01010b");
    assert.equal(bytesToHex(derOid("2.16.840.1.101.3.4.3.17")), "0x0609608648016503040311");
  });

  it("writes two digits of a year before 2050 and four from then on", () => {
    assert.equal(Buffer.from(derTime(0)).subarray(2).toString(), "700101000000Z");
    assert.equal(Buffer.from(derTime(2_524_608_000)).subarray(2).toString(), "20500101000000Z");
  });
});
