import assert from "node:assert/strict";
import {
  advanceTo,
  type LightBlock,
  LightError,
  type TrustedHeader,
  verifyCertificate,
  verifyStep,
} from "../../../src/consensus/light.ts";
import { pqVerifier } from "../../../src/crypto/pqVerifier.ts";
import { decodeAckQC, encodeAckQC } from "../../../src/types/certificate.ts";
import type { MacroHeader } from "../../../src/types/macroHeader.ts";
import type { Members } from "../../../src/types/validatorSet.ts";
import { certify, headersOf, keyNumber, member, networkOf } from "../../support/lightChain.ts";

const network = networkOf(pqVerifier);
const four = [0, 1, 2, 3].map((id) => member(id));
const ids = (...list: number[]) => new Map(list.map((id) => [id, id]));

function headerAt(headers: readonly MacroHeader[], epoch: number): MacroHeader {
  const header = headers[epoch];
  assert.ok(header !== undefined);
  return header;
}

function reasonOf(error: unknown): string {
  assert.ok(error instanceof LightError, String(error));
  return error.reason.code;
}

function refuses(work: () => unknown, code: string): void {
  assert.throws(work, (error: unknown) => reasonOf(error) === code);
}

describe("verifyCertificate", () => {
  before(() => pqVerifier.prepare("ML-DSA-44"));
  const headers = headersOf(8, () => four);
  const header = headerAt(headers, 5);

  it("accepts two thirds, and refuses less", async () => {
    verifyCertificate(network, await certify(network, header, four, ids(0, 1, 3)));
    const half = await certify(network, header, four, ids(0, 1));
    refuses(() => verifyCertificate(network, half), "NO_QUORUM");
  });

  it("accepts what went over the wire", async () => {
    const block = await certify(network, header, four, ids(0, 1, 2, 3));
    const certificate = decodeAckQC(encodeAckQC(block.certificate));
    verifyCertificate(network, { ...block, certificate });
  });

  it("refuses a flipped bit in any part", async () => {
    const block = await certify(network, header, four, ids(0, 1, 2));
    const { certificate, validators } = block;
    const signatures = certificate.signatures.map((signature, index) => {
      const copy = Uint8Array.from(signature);
      if (index === 1) copy[100] = (copy[100] ?? 0) ^ 1;
      return copy;
    });
    const bad: readonly [Partial<LightBlock>, string][] = [
      [{ certificate: { ...certificate, signatures } }, "BAD_SIGNATURE"],
      [{ header: { ...header, stateRoot: header.mix } }, "OTHER_HEADER"],
      [{ certificate: { ...certificate, epoch: 6 } }, "OTHER_HEADER"],
      [{ certificate: { ...certificate, bitmap: Uint8Array.of(0xff) } }, "BAD_CERTIFICATE"],
      [{ certificate: { ...certificate, signatures: [] } }, "BAD_CERTIFICATE"],
      [
        { validators: { ...validators, members: [0, 1, 2].map((id) => member(id)) } },
        "OTHER_VALIDATORS",
      ],
      [{ validators: { members: four, keys: new Map() } }, "BAD_SIGNATURE"],
    ];
    for (const [change, code] of bad)
      refuses(() => verifyCertificate(network, { ...block, ...change }), code);
  });

  it("refuses another network's certificate", async () => {
    const block = await certify(network, header, four, ids(0, 1, 2));
    refuses(() => verifyCertificate({ ...network, chainId: 1n }, block), "BAD_SIGNATURE");
  });

  it("refuses a key put in place of the right one under its hash", async () => {
    const block = await certify(
      network,
      header,
      four,
      new Map([
        [0, 0],
        [1, 1],
        [2, 9],
      ]),
    );
    const keys = new Map(block.validators.keys);
    keys.set(keyNumber(2).keyHash, keyNumber(9).publicKey);
    const forged = { ...block, validators: { members: four, keys } };
    refuses(() => verifyCertificate(network, forged), "BAD_SIGNATURE");
  });

  it("asks both sets of a hand-off for a quorum", async () => {
    const joint: Members = [0, 1, 2, 3, 4, 5, 6, 7].map((id) => ({
      ...member(id),
      stakeOld: id < 4 ? 10n : 0n,
      stakeNew: id < 4 ? 0n : 10n,
    }));
    const during = headerAt(
      headersOf(8, () => joint),
      5,
    );
    verifyCertificate(network, await certify(network, during, joint, ids(0, 1, 2, 4, 5, 6)));
    const oldOnly = await certify(network, during, joint, ids(0, 1, 2, 3, 4));
    refuses(() => verifyCertificate(network, oldOnly), "NO_QUORUM");
  });
});

describe("verifyStep", () => {
  before(() => pqVerifier.prepare("ML-DSA-44"));
  const headers = headersOf(40, () => four);
  const trusted = (epoch: number, members: Members = four): TrustedHeader => ({
    header: headerAt(headers, epoch),
    members,
  });

  it("goes one, two and many epochs forward while validators stay", async () => {
    for (const epoch of [4, 5, 39]) {
      const block = await certify(network, headerAt(headers, epoch), four, ids(0, 1, 2));
      assert.equal(verifyStep(network, trusted(3), block, 0).header.epoch, epoch);
    }
  });

  it("refuses to go back, to stay, and to a child of another header", async () => {
    const same = await certify(network, headerAt(headers, 3), four, ids(0, 1, 2));
    refuses(() => verifyStep(network, trusted(3), same, 0), "NOT_A_SUCCESSOR");
    refuses(() => verifyStep(network, trusted(4), same, 0), "NOT_A_SUCCESSOR");
    const child = {
      ...headerAt(headers, 4),
      parentMacroHash: headerAt(headers, 1).parentMacroHash,
    };
    const stranger = await certify(network, child, four, ids(0, 1, 2));
    refuses(() => verifyStep(network, trusted(3), stranger, 0), "NOT_A_SUCCESSOR");
  });

  it("refuses adjacent validators that the trusted header does not name", async () => {
    const others = [10, 11, 12, 13].map((id) => member(id));
    const forged = headerAt(
      headersOf(8, () => others),
      5,
    );
    const block = await certify(network, forged, others, ids(10, 11, 12));
    refuses(() => verifyStep(network, trusted(3), block, 0), "OTHER_VALIDATORS");
  });

  it("refuses a far header by unknown keys under known ids", async () => {
    const impostors = [0, 1, 2, 3].map((id) => member(id, 10n, id + 20));
    const forged = headerAt(
      headersOf(40, () => impostors),
      30,
    );
    const signers = new Map([0, 1, 2, 3].map((id) => [id, id + 20]));
    const block = await certify(network, forged, impostors, signers);
    refuses(() => verifyStep(network, trusted(3), block, 0), "TOO_FAR");
  });

  it("needs more than a third of the known stake, not a third", async () => {
    const three = [0, 1, 2].map((id) => member(id));
    const later = [0, 5, 6].map((id) => member(id));
    const target = headerAt(
      headersOf(40, (epoch) => (epoch < 20 ? three : later)),
      30,
    );
    const block = await certify(network, target, later, ids(0, 5, 6));
    refuses(() => verifyStep(network, trusted(3, three), block, 0), "TOO_FAR");
  });

  it("refuses to start from a header older than the trust period", async () => {
    const limited = networkOf(pqVerifier, 1_000_000);
    const block = await certify(limited, headerAt(headers, 4), four, ids(0, 1, 2));
    const start = headerAt(headers, 3).timeMs;
    verifyStep(limited, trusted(3), block, start + 1_000_000);
    refuses(() => verifyStep(limited, trusted(3), block, start + 1_000_001), "TRUST_EXPIRED");
  });
});

describe("advanceTo", () => {
  before(() => pqVerifier.prepare("ML-DSA-44"));
  /** Every 8 epochs one validator leaves and another comes, joint for one epoch. */
  const setOf = (epoch: number): Members => {
    const round = Math.floor(epoch / 8);
    const list = (first: number) => [0, 1, 2, 3].map((n) => first + n);
    if (epoch % 8 !== 0 || epoch === 0) return list(round).map((id) => member(id));
    return [...new Set([...list(round - 1), ...list(round)])].map((id) => ({
      ...member(id),
      stakeOld: id < round + 3 ? 10n : 0n,
      stakeNew: id >= round ? 10n : 0n,
    }));
  };
  const headers = headersOf(101, setOf);

  async function blockAt(epoch: number): Promise<LightBlock> {
    const members = setOf(epoch);
    return certify(network, headerAt(headers, epoch), members, ids(...members.map(({ id }) => id)));
  }

  it("bisects where the sets have changed too much, and arrives", async () => {
    const asked: number[] = [];
    const start = { header: headerAt(headers, 0), members: setOf(0) };
    const end = await advanceTo(network, start, 100, {
      fetch: (epoch) => {
        asked.push(epoch);
        return blockAt(epoch);
      },
      nowMs: () => 0,
    });
    assert.equal(end.header.epoch, 100);
    assert.ok(asked.length > 3 && asked.length < 60, `${asked.length} headers`);
  });

  it("does not believe a forged target, however far it divides", async () => {
    const liars = [50, 51, 52, 53].map((id) => member(id));
    const forged = headersOf(101, (epoch) => (epoch < 60 ? setOf(epoch) : liars));
    const start = { header: headerAt(headers, 0), members: setOf(0) };
    const work = advanceTo(network, start, 100, {
      fetch: async (epoch) =>
        epoch < 60
          ? blockAt(epoch)
          : certify(network, headerAt(forged, epoch), liars, ids(50, 51, 52, 53)),
      nowMs: () => 0,
    });
    await assert.rejects(work, (error: unknown) =>
      ["OTHER_VALIDATORS", "NOT_A_SUCCESSOR"].includes(reasonOf(error)),
    );
  });
});
