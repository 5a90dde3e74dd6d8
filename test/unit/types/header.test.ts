import assert from "node:assert/strict";
import { parseHash, ZERO_ADDRESS, ZERO_HASH } from "../../../src/primitives/hex.ts";
import { EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import {
  decodeHeader,
  encodeHeader,
  type Header,
  hashHeader,
  headerToItems,
} from "../../../src/types/header.ts";
import { encodeRlp } from "../../../src/types/rlp.ts";
import { codeOf } from "../../support/errors.ts";

/** Ethereum's genesis block. */
const GENESIS: Header = {
  parentHash: ZERO_HASH,
  sha3Uncles: parseHash("0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"),
  miner: ZERO_ADDRESS,
  stateRoot: parseHash("0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544"),
  transactionsRoot: EMPTY_TRIE_ROOT,
  receiptsRoot: EMPTY_TRIE_ROOT,
  logsBloom: new Uint8Array(256),
  difficulty: 17_179_869_184n,
  number: 0n,
  gasLimit: 5000n,
  gasUsed: 0n,
  timestamp: 0n,
  extraData: Uint8Array.from(
    Buffer.from("11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa", "hex"),
  ),
  mixHash: ZERO_HASH,
  nonce: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x42),
  baseFeePerGas: undefined,
  withdrawalsRoot: undefined,
  blobGasUsed: undefined,
  excessBlobGas: undefined,
  parentBeaconBlockRoot: undefined,
  requestsHash: undefined,
};
const LONDON: Header = { ...GENESIS, baseFeePerGas: 7n };
const SHANGHAI: Header = { ...LONDON, withdrawalsRoot: EMPTY_TRIE_ROOT };
const CANCUN: Header = {
  ...SHANGHAI,
  blobGasUsed: 0n,
  excessBlobGas: 5n,
  parentBeaconBlockRoot: ZERO_HASH,
};
const PRAGUE: Header = { ...CANCUN, requestsHash: ZERO_HASH };

describe("hashHeader", () => {
  it("gives Ethereum's genesis hash", () => {
    assert.equal(
      hashHeader(GENESIS),
      "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
    );
  });
});

describe("decodeHeader", () => {
  it("reads the header of every fork", () => {
    for (const header of [GENESIS, LONDON, SHANGHAI, CANCUN, PRAGUE])
      assert.deepEqual(decodeHeader(encodeHeader(header)), header);
  });

  it("refuses a number of items that no fork has", () => {
    const items = headerToItems(PRAGUE);
    for (const count of [0, 14, 18, 19])
      assert.equal(
        codeOf(() => decodeHeader(encodeRlp(items.slice(0, count)))),
        "BAD_FIELD",
      );
    const more = encodeRlp([...items, new Uint8Array(32)]);
    assert.equal(
      codeOf(() => decodeHeader(more)),
      "BAD_FIELD",
    );
  });

  it("refuses fields of a wrong length and integers with leading zeros or too many bits", () => {
    const items = headerToItems(PRAGUE);
    const isLong = new Set([7, 15]); // difficulty, baseFeePerGas: 256 bits
    items.forEach((_, at) => {
      if (at === 12) return; // the length of extraData is a rule of validity
      const bad = isLong.has(at) ? new Uint8Array(33).fill(1) : new Uint8Array(9).fill(1);
      assert.equal(
        codeOf(() => decodeHeader(encodeRlp(items.with(at, bad)))),
        "BAD_FIELD",
      );
      assert.equal(
        codeOf(() => decodeHeader(encodeRlp(items.with(at, [])))),
        "BAD_FIELD",
      );
    });
    for (const at of [7, 8, 9, 10, 11, 15, 17, 18]) {
      const padded = items.with(at, Uint8Array.of(0));
      assert.equal(
        codeOf(() => decodeHeader(encodeRlp(padded))),
        "BAD_FIELD",
      );
    }
  });
});

describe("encodeHeader", () => {
  it("refuses a later fork's field behind a missing one", () => {
    const { parentBeaconBlockRoot } = CANCUN;
    assert.equal(
      codeOf(() => encodeHeader({ ...SHANGHAI, parentBeaconBlockRoot })),
      "BAD_FIELD",
    );
    assert.equal(
      codeOf(() => encodeHeader({ ...GENESIS, requestsHash: ZERO_HASH })),
      "BAD_FIELD",
    );
  });
});
