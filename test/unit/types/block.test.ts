import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { Bytes } from "../../../src/primitives/bytes.ts";
import { ZERO_ADDRESS } from "../../../src/primitives/hex.ts";
import {
  type Block,
  decodeBlock,
  decodeBody,
  encodeBlock,
  encodeBody,
  makeBlock,
  withdrawalFromItems,
  withdrawalToItems,
} from "../../../src/types/block.ts";
import { hashHeader, headerToItems } from "../../../src/types/header.ts";
import {
  decodeRlp,
  encodeRlp,
  type RlpInput,
  readList,
  rlpItemLength,
} from "../../../src/types/rlp.ts";
import { senderOf } from "../../../src/types/sender.ts";
import { codeOf } from "../../support/errors.ts";
import { describeFixtures, fixturesDir } from "../../support/fixtures.ts";

const HEAD = "0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7";

/** The blocks of a file of concatenated RLP. */
function readChain(file: string): Bytes[] {
  const raw = new Uint8Array(readFileSync(file));
  const blocks: Bytes[] = [];
  for (let at = 0; at < raw.length; ) {
    const { totalLength } = rlpItemLength(raw, at) ?? assert.fail("the file ends in a head");
    blocks.push(raw.subarray(at, at + totalLength));
    at += totalLength;
  }
  return blocks;
}

function parts({ header, transactions, ommers, withdrawals }: Block) {
  return { header, body: { transactions, ommers, withdrawals } };
}

describeFixtures("decodeBlock on a real chain", fixturesDir(), (directory) => {
  const raws = readChain(join(directory, "rpc-compat/chain.rlp"));

  it("reads 54 linked blocks up to the known head and writes each back byte for byte", () => {
    assert.equal(raws.length, 54);
    const blocks = raws.map(decodeBlock);
    blocks.forEach((block, i) => {
      assert.deepEqual(encodeBlock(block), raws[i]);
      assert.equal(block.sizeBytes, raws[i]?.length);
      if (i > 0) assert.equal(block.header.parentHash, blocks[i - 1]?.hash);
    });
    assert.equal(blocks.at(-1)?.hash, HEAD);
  });

  it("makes the same block of header and body", () => {
    for (const block of raws.map(decodeBlock)) {
      const { header, body } = parts(block);
      assert.deepEqual(makeBlock(header, body), block);
      assert.deepEqual(decodeBody(encodeBody(body)), body);
      assert.equal(hashHeader(header), block.hash);
    }
  });

  it("holds every type of transaction, each with a sender", () => {
    const types = new Set<number>();
    for (const { transactions } of raws.map(decodeBlock))
      for (const transaction of transactions) {
        types.add(transaction.type);
        assert.equal(senderOf(transaction).length, 42);
      }
    assert.deepEqual([...types].sort(), [0, 1, 2, 3, 4]);
  });

  it("throws nothing but DecodeError on changed bytes, and what it accepts it writes back the same", () => {
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(fc.constantFrom(...raws), edits, fc.nat(2), (raw, changes, cut) => {
        const changed = Uint8Array.from(raw.subarray(0, raw.length - cut));
        for (const [at, byte] of changes) changed[at % changed.length] = byte;
        if (codeOf(() => decodeBlock(changed)) === undefined)
          assert.deepEqual(encodeBlock(decodeBlock(changed)), changed);
      }),
      { numRuns: 1000 },
    );
  });

  it("throws nothing but DecodeError on items dropped, doubled or replaced anywhere in the tree", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...raws),
        fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }),
        fc.constantFrom("drop", "double", "empty", "list", "zero"),
        (raw, path, edit) => {
          const changed = encodeRlp(mutate(decodeRlp(raw), path, edit));
          if (codeOf(() => decodeBlock(changed)) === undefined)
            assert.deepEqual(encodeBlock(decodeBlock(changed)), changed);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it("refuses trailing bytes and a wrong number of items", () => {
    const raw = raws.at(-1) ?? assert.fail();
    const items = readList(decodeRlp(raw), "block");
    assert.equal(
      codeOf(() => decodeBlock(Buffer.concat([raw, Uint8Array.of(0)]))),
      "BAD_RLP",
    );
    for (const wrong of [[], items.slice(0, 1), items.slice(0, 2), [...items, []]])
      assert.equal(
        codeOf(() => decodeBlock(encodeRlp(wrong))),
        "BAD_FIELD",
      );
    assert.equal(
      codeOf(() => decodeBlock(new Uint8Array(0))),
      "BAD_RLP",
    );
  });

  it("reads ommers", () => {
    const { header, body } = parts(decodeBlock(raws[0] ?? assert.fail()));
    const block = makeBlock(header, { ...body, ommers: [header, header] });
    assert.deepEqual(decodeBlock(encodeBlock(block)), block);
    const bad = [headerToItems(header), [], [[new Uint8Array(0)]]];
    assert.equal(
      codeOf(() => decodeBlock(encodeRlp(bad))),
      "BAD_FIELD",
    );
  });
});

describe("withdrawalToItems", () => {
  it("is read back by withdrawalFromItems, 64-bit values included", () => {
    const withdrawal = {
      index: 0n,
      validatorIndex: 2n ** 64n - 1n,
      address: ZERO_ADDRESS,
      amount: 5n,
    };
    const item = decodeRlp(encodeRlp(withdrawalToItems(withdrawal)));
    assert.deepEqual(withdrawalFromItems(item), withdrawal);
    const items = withdrawalToItems(withdrawal);
    const bad = decodeRlp(encodeRlp(items.with(3, new Uint8Array(9).fill(1))));
    assert.equal(
      codeOf(() => withdrawalFromItems(bad)),
      "BAD_FIELD",
    );
  });
});

/** A copy of the tree with the item changed to which `path` leads (indexes modulo the length of each list). */
function mutate(item: RlpInput, path: readonly number[], edit: string): RlpInput {
  const [first, ...rest] = path;
  if (first === undefined || !Array.isArray(item) || item.length === 0) return replacement(edit);
  const at = first % item.length;
  if (rest.length > 0) return item.with(at, mutate(item[at], rest, edit));
  if (edit === "drop") return item.toSpliced(at, 1);
  return edit === "double" ? item.toSpliced(at, 0, item[at]) : item.with(at, replacement(edit));
}

function replacement(edit: string): RlpInput {
  if (edit === "list") return [Uint8Array.of(1)];
  return edit === "zero" ? Uint8Array.of(0) : new Uint8Array(0);
}
