import assert from "node:assert/strict";
import { BlockError } from "../../../src/chain/blockError.ts";
import { EXEMPTIBLE_FIELDS } from "../../../src/chain/overrides.ts";
import { verifyHeader, verifyMergePoint } from "../../../src/chain/verifyHeader.ts";
import { ZERO_HASH } from "../../../src/primitives/hex.ts";
import type { Header } from "../../../src/types/header.ts";
import {
  buildTestBlock,
  openTestChain,
  plainGenesis,
  readFixtureChain,
} from "../../support/chains.ts";

async function validPair() {
  await using test = await openTestChain(plainGenesis());
  const { chain } = test;
  const { block } = await buildTestBlock(chain);
  return { header: block.header, parent: chain.head.header, rules: chain.rulesFor(block.header) };
}

function fieldOf(action: () => void): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof BlockError);
    assert.equal(error.reason.code, "INVALID_HEADER");
    return error.reason.field;
  }
  return "none";
}

describe("verifyHeader", () => {
  const cases: readonly (readonly [name: string, field: string, changes: Partial<Header>])[] = [
    ["a gap in numbers", "number", { number: 2n }],
    ["the parent's timestamp", "timestamp", { timestamp: 0n }],
    ["33 bytes of extraData", "extraData", { extraData: new Uint8Array(33) }],
    ["more gas used than the limit", "gasUsed", { gasUsed: 30_000_001n }],
    ["a gas limit that jumps", "gasLimit", { gasLimit: 30_029_297n }],
    ["a gas limit below 5000", "gasLimit", { gasLimit: 4_999n }],
    ["another base fee", "baseFeePerGas", { baseFeePerGas: 1n }],
    ["a difficulty after the merge", "difficulty", { difficulty: 1n }],
    ["a nonce after the merge", "nonce", { nonce: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1) }],
    ["ommers after the merge", "sha3Uncles", { sha3Uncles: ZERO_HASH }],
    ["no base fee", "baseFeePerGas", { baseFeePerGas: undefined }],
    ["no withdrawals root", "withdrawalsRoot", { withdrawalsRoot: undefined }],
    ["no parentBeaconBlockRoot", "parentBeaconBlockRoot", { parentBeaconBlockRoot: undefined }],
    ["no requestsHash", "requestsHash", { requestsHash: undefined }],
    ["blob gas that is no multiple", "blobGasUsed", { blobGasUsed: 1n }],
    ["too much blob gas", "blobGasUsed", { blobGasUsed: 131_072n * 10n }],
    ["another excess blob gas", "excessBlobGas", { excessBlobGas: 131_072n }],
  ];
  for (const [name, field, changes] of cases)
    it(`refuses ${name}`, async () => {
      const { header, parent, rules } = await validPair();
      assert.equal(
        fieldOf(() => verifyHeader(header, parent, rules)),
        "none",
      );
      assert.equal(
        fieldOf(() => verifyHeader({ ...header, ...changes }, parent, rules)),
        field,
      );
    });

  it("lets fields pass that a developer set by hand", async () => {
    const { header, parent, rules } = await validPair();
    const edited = { ...header, baseFeePerGas: 1n, gasLimit: 1_000_000n, excessBlobGas: 131_072n };
    const exempt = new Set<keyof Header>(EXEMPTIBLE_FIELDS);
    assert.equal(
      fieldOf(() => verifyHeader(edited, parent, rules, { exempt })),
      "none",
    );
  });

  it("accepts the parent's timestamp where a second has several blocks", async () => {
    const { header, parent, rules } = await validPair();
    const same = { ...header, timestamp: parent.timestamp };
    assert.equal(
      fieldOf(() => verifyHeader(same, parent, rules, { equalTimestamps: true })),
      "none",
    );
  });

  it("accepts every header of the public chain, proof of work and stake, and refuses each with another difficulty", () => {
    const { genesis, blocks } = readFixtureChain();
    for (const [index, { header }] of blocks.entries()) {
      const parent = blocks[index - 1]?.header;
      if (parent === undefined) continue;
      const rules = genesis.config.forks.rules(header);
      assert.equal(
        fieldOf(() => verifyHeader(header, parent, rules)),
        "none",
      );
      if (rules.has("paris")) continue;
      const harder = { ...header, difficulty: header.difficulty + 1n };
      assert.equal(
        fieldOf(() => verifyHeader(harder, parent, rules)),
        "difficulty",
      );
    }
  });
});

describe("verifyMergePoint", () => {
  const work = { difficulty: 5n } as Header;
  const stake = { difficulty: 0n } as Header;

  it("ends work exactly at the terminal total difficulty", () => {
    assert.equal(
      fieldOf(() => verifyMergePoint(work, 9n, 10n)),
      "none",
    );
    assert.equal(
      fieldOf(() => verifyMergePoint(work, 10n, 10n)),
      "difficulty",
    );
    assert.equal(
      fieldOf(() => verifyMergePoint(stake, 9n, 10n)),
      "difficulty",
    );
    assert.equal(
      fieldOf(() => verifyMergePoint(stake, 10n, 10n)),
      "none",
    );
  });

  it("says nothing about chains that never merge", () => {
    assert.equal(
      fieldOf(() => verifyMergePoint(work, 10n, undefined)),
      "none",
    );
  });
});
