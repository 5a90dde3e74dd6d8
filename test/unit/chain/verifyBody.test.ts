import assert from "node:assert/strict";
import { BlockError } from "../../../src/chain/blockError.ts";
import { verifyBody, verifyOmmers } from "../../../src/chain/verifyBody.ts";
import type { Hash } from "../../../src/primitives/hex.ts";
import { type Block, makeBlock } from "../../../src/types/block.ts";
import { hashHeader } from "../../../src/types/header.ts";
import { readFixtureChain } from "../../support/chains.ts";

const { genesis, blocks } = readFixtureChain();
const rulesOf = (header: Block["header"]) => genesis.config.forks.rules(header);
const byHash = new Map<Hash, Block>(blocks.map((block) => [block.hash, block]));
const ancestry = {
  header: (hash: Hash) => byHash.get(hash)?.header,
  ommers: (hash: Hash) => byHash.get(hash)?.ommers,
};

function problemOf(block: Block): string {
  try {
    verifyBody(block, rulesOf(block.header));
    verifyOmmers(block, ancestry, rulesOf);
  } catch (error) {
    assert.ok(error instanceof BlockError);
    return `${error.reason.code} ${error.reason.field}`;
  }
  return "none";
}

function withOmmers(block: Block, ommers: Block["ommers"]): Block {
  return makeBlock(block.header, { ...block, ommers });
}

function ommersProblem(block: Block, ommers: Block["ommers"]): string {
  try {
    verifyOmmers(withOmmers(block, ommers), ancestry, rulesOf);
  } catch (error) {
    assert.ok(error instanceof BlockError);
    return `${error.reason.field}: ${error.reason.expected}`;
  }
  return "none";
}

describe("verifyBody and verifyOmmers", () => {
  const mother = blocks.findLast(({ ommers }) => ommers.length > 0);
  const [uncle] = mother?.ommers ?? [];
  if (mother === undefined || uncle === undefined) throw new RangeError("the fixture has ommers");

  it("accept every body of the public chain, 18 of them with ommers", () => {
    for (const block of blocks) assert.equal(problemOf(block), "none");
    assert.ok(blocks.filter(({ ommers }) => ommers.length > 0).length >= 18);
  });

  it("refuse a body that the header does not commit to", () => {
    const full = blocks.find(({ transactions }) => transactions.length > 1);
    assert.ok(full);
    const fewer = makeBlock(full.header, { ...full, transactions: full.transactions.slice(1) });
    assert.equal(problemOf(fewer), "INVALID_BODY transactionsRoot");
    assert.equal(problemOf(withOmmers(mother, [])), "INVALID_BODY sha3Uncles");
  });

  it("refuse a block above the size limit", () => {
    const last = blocks.at(-1);
    assert.ok(last);
    const limit = rulesOf(last.header).maxRlpBlockBytes;
    assert.ok(limit);
    assert.equal(problemOf({ ...last, sizeBytes: limit + 1 }), "INVALID_BODY size");
  });

  it("refuse an ommer that is used twice, is an ancestor, is too old or breaks the header rules", () => {
    assert.match(ommersProblem(mother, [uncle, uncle]), /^ommers\[1\]: a new ommer/);
    const parent = byHash.get(mother.header.parentHash);
    assert.ok(parent);
    assert.match(ommersProblem(mother, [parent.header]), /no ancestor/);
    const late = blocks.find(({ header }) => header.number === mother.header.number + 8n);
    if (late !== undefined) assert.match(ommersProblem(late, [uncle]), /generations up/);
    const next = blocks.find(({ header }) => header.parentHash === mother.hash);
    if (next !== undefined) assert.match(ommersProblem(next, [uncle]), /a new ommer/);
    const harder = { ...uncle, difficulty: uncle.difficulty + 1n };
    assert.notEqual(hashHeader(harder), hashHeader(uncle));
    assert.match(ommersProblem(mother, [harder]), /^ommers\[0\]\.difficulty/);
    const sibling = {
      ...uncle,
      parentHash: mother.header.parentHash,
      number: mother.header.number,
    };
    assert.match(ommersProblem(mother, [sibling]), /generations up/);
  });
});
