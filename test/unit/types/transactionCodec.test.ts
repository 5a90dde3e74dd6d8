import assert from "node:assert/strict";
import { createCustomCommon, Hardfork, Mainnet } from "@ethereumjs/common";
import { createTxFromRLP } from "@ethereumjs/tx";
import { Transaction as EthersTransaction } from "ethers";
import fc from "fast-check";
import { loadKzg } from "../../../src/crypto/kzg.ts";
import { SECP256K1_ORDER } from "../../../src/crypto/secp256k1.ts";
import { type Bytes, bigIntToBytes, concatBytes } from "../../../src/primitives/bytes.ts";
import { bytesToHex, ZERO_ADDRESS, ZERO_HASH } from "../../../src/primitives/hex.ts";
import {
  DecodeError,
  decodeRlp,
  encodeRlp,
  hexItem,
  type RlpInput,
  readList,
} from "../../../src/types/rlp.ts";
import { senderOf } from "../../../src/types/sender.ts";
import type { Transaction, TransactionFields } from "../../../src/types/transaction.ts";
import {
  decodeTransaction,
  encodeTransaction,
  signingDigest,
  signTransaction,
  transactionFromItem,
  transactionToItem,
  typeRow,
  validateTransactionShape,
} from "../../../src/types/transactionCodec.ts";
import { PQ_TYPE, transactionTypes } from "../../../src/types/transactionTypes.ts";
import { codeOf } from "../../support/errors.ts";
import {
  anyFields,
  BLOB_HASH,
  fieldsOf,
  PLAIN_FIELDS,
  TEST_ADDRESS,
  TEST_KEY,
} from "../../support/transactions.ts";

const TYPES = [0, 1, 2, 3, 4];
const EMPTY = new Uint8Array(0);
const AUTHORIZATION = {
  chainId: 0n,
  address: ZERO_ADDRESS,
  nonce: 0n,
  yParity: 0n,
  r: 1n,
  s: 1n,
};

/** A minimal valid transaction of a type. */
function plain(type: number): TransactionFields {
  return {
    ...PLAIN_FIELDS,
    type,
    blobVersionedHashes: type === 3 ? [BLOB_HASH] : [],
    authorizationList: type === 4 ? [AUTHORIZATION] : [],
  };
}

/** Payload items of a signed transaction, to be changed. */
function itemsOf({ type, raw }: Transaction): RlpInput[] {
  return [...readList(decodeRlp(type === 0 ? raw : raw.subarray(1)), "payload")];
}

function rawOf(type: number, items: readonly RlpInput[]): Bytes {
  const payload = encodeRlp(items);
  return type === 0 ? payload : concatBytes(Uint8Array.of(type), payload);
}

/** Decodes the minimal transaction of a type with one item replaced: the error's code, or undefined. */
function replaced(type: number, name: string, item: RlpInput): string | undefined {
  const row = typeRow(type);
  const names = [...row.fields.map((field) => field.name), ...row.signature.itemNames];
  assert.ok(names.includes(name), name);
  const items = itemsOf(signTransaction(plain(type), TEST_KEY));
  items[names.indexOf(name)] = item;
  return codeOf(() => decodeTransaction(rawOf(type, items)));
}

/** What @ethereumjs/tx can represent: chain ids other than 0 that a double holds, no oversized init code. */
function withinTheLibrary(fields: TransactionFields): TransactionFields {
  const { chainId } = fields;
  const isSmall = chainId !== undefined && chainId > 0n && chainId < 2n ** 51n;
  return { ...fields, chainId: chainId === undefined || isSmall ? chainId : 1n };
}

/** An integer item takes everything below the limit, and no leading zeros. */
function checkBounds(type: number, name: string, limit: bigint): void {
  const label = `type ${type} ${name}`;
  assert.equal(replaced(type, name, number(limit - 1n)), undefined, label);
  for (const bad of [number(limit), Uint8Array.of(0), Uint8Array.of(0, 1), [EMPTY]])
    assert.equal(replaced(type, name, bad), "BAD_FIELD", label);
}

const number = (value: bigint) => bigIntToBytes(value);
const U64 = 2n ** 64n;
const U256 = 2n ** 256n;

describe("decodeTransaction", () => {
  it("reads what encodeTransaction wrote, for every type", () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const signed = signTransaction(fields, TEST_KEY);
        const { signature, raw, hash, ...got } = signed;
        assert.deepEqual(got, fields);
        assert.deepEqual(decodeTransaction(raw), signed);
        assert.deepEqual(encodeTransaction(fields, signature), signed);
        assert.equal(senderOf(signed), TEST_ADDRESS);
        validateTransactionShape(signed);
        assert.equal(hash.length, 66);
      }),
      { numRuns: 200 },
    );
  });

  for (const type of TYPES)
    it(`agrees with @ethereumjs/tx on type ${type}: fields, digest, hash, sender, bytes`, async () => {
      const customCrypto = { kzg: await loadKzg() };
      fc.assert(
        fc.property(fieldsOf(type), (fields) => {
          const ours = signTransaction(withinTheLibrary(fields), TEST_KEY);
          if (ours.gasLimit * ours.maxFeePerGas >= U256) return; // for us a rule of execution
          const chain = { chainId: String(ours.chainId ?? 1n) };
          const options = { hardfork: Hardfork.Prague, customCrypto };
          const common = createCustomCommon(chain, Mainnet, options);
          const theirs = createTxFromRLP(ours.raw, { common });
          assert.equal(bytesToHex(theirs.hash()), ours.hash);
          assert.deepEqual(theirs.getHashedMessageToSign(), signingDigest(ours));
          assert.equal(theirs.getSenderAddress().toString(), senderOf(ours));
          assert.deepEqual(theirs.serialize(), ours.raw);
          assert.deepEqual(
            [theirs.nonce, theirs.gasLimit, theirs.value, theirs.to?.toString()],
            [ours.nonce, ours.gasLimit, ours.value, ours.to],
          );
        }),
        { numRuns: 25 },
      );
    });

  it("agrees with ethers on chain ids that no double holds", () => {
    for (const chainId of [2n ** 53n + 1n, 11_534_099_920_358_377n, U64 + 1n]) {
      const ours = signTransaction({ ...PLAIN_FIELDS, chainId }, TEST_KEY);
      const theirs = EthersTransaction.from(bytesToHex(ours.raw));
      assert.deepEqual([theirs.chainId, theirs.hash], [chainId, ours.hash]);
      assert.equal(theirs.from?.toLowerCase(), senderOf(ours));
    }
  });

  it("throws nothing but DecodeError on changed bytes, and what it accepts it writes back the same", () => {
    fc.assert(
      fc.property(anyFields, fc.nat(), fc.nat(255), fc.nat(3), (fields, at, byte, cut) => {
        const { raw } = signTransaction(fields, TEST_KEY);
        const changed = Uint8Array.from(raw.subarray(0, raw.length - cut));
        changed[at % changed.length] = byte;
        if (codeOf(() => decodeTransaction(changed)) !== undefined) return;
        const decoded = decodeTransaction(changed);
        assert.deepEqual(encodeTransaction(decoded, decoded.signature).raw, changed);
      }),
      { numRuns: 1000 },
    );
  });

  it("refuses nothing, unknown types, an explicit type 0 and strings", () => {
    assert.equal(
      codeOf(() => decodeTransaction(EMPTY)),
      "BAD_RLP",
    );
    for (const first of [0x00, 0x05, 0x50, 0x7f, 0x80, 0xbf])
      assert.equal(
        codeOf(() => decodeTransaction(Uint8Array.of(first, 0xc0))),
        "UNKNOWN_TYPE",
      );
    assert.equal(
      codeOf(() => decodeTransaction(Uint8Array.of(2))),
      "BAD_RLP",
    );
    assert.equal(
      codeOf(() => decodeTransaction(Uint8Array.of(2, 0x80))),
      "BAD_FIELD",
    );
  });

  it("refuses trailing bytes and a wrong number of items", () => {
    for (const type of TYPES) {
      const signed = signTransaction(plain(type), TEST_KEY);
      const trailing = concatBytes(signed.raw, Uint8Array.of(0));
      assert.equal(
        codeOf(() => decodeTransaction(trailing)),
        "BAD_RLP",
      );
      const items = itemsOf(signed);
      const [fewer, more] = [items.slice(1), [...items, EMPTY]];
      assert.equal(
        codeOf(() => decodeTransaction(rawOf(type, fewer))),
        "BAD_FIELD",
      );
      assert.equal(
        codeOf(() => decodeTransaction(rawOf(type, more))),
        "BAD_FIELD",
      );
    }
  });

  it("bounds integers: nonce and gas 64 bits, the rest 256, none with leading zeros", () => {
    for (const type of TYPES) {
      const prices = type <= 1 ? ["gasPrice"] : ["maxFeePerGas", "maxPriorityFeePerGas"];
      for (const name of ["nonce", "gasLimit"]) checkBounds(type, name, U64);
      for (const name of ["value", "r", "s", ...prices]) checkBounds(type, name, U256);
    }
    checkBounds(0, "v", U256);
    for (const type of [1, 2, 3, 4]) checkBounds(type, "chainId", U256);
    assert.equal(replaced(3, "maxFeePerBlobGas", number(U256)), "BAD_FIELD");
  });

  it("takes 20 bytes for `to`, or none where the type may create", () => {
    for (const type of TYPES) {
      assert.equal(replaced(type, "to", EMPTY), type >= 3 ? "BAD_FIELD" : undefined);
      for (const length of [1, 19, 21, 32])
        assert.equal(replaced(type, "to", new Uint8Array(length).fill(1)), "BAD_FIELD");
    }
  });

  it("refuses zero r and s, and yParity beyond 1", () => {
    for (const type of TYPES) {
      assert.equal(replaced(type, "r", EMPTY), "BAD_SIGNATURE");
      assert.equal(replaced(type, "s", EMPTY), "BAD_SIGNATURE");
      if (type > 0) assert.equal(replaced(type, "yParity", number(2n)), "BAD_SIGNATURE");
    }
  });

  it("reads the chain id from a legacy v, also above 2^53", () => {
    for (const v of [0n, 1n, 26n, 29n, 34n])
      assert.equal(replaced(0, "v", number(v)), "BAD_SIGNATURE");
    for (const chainId of [0n, 1n, 3_503_995_874_084_926n, U64, 2n ** 254n]) {
      const signed = signTransaction({ ...PLAIN_FIELDS, chainId }, TEST_KEY);
      assert.equal(signed.chainId, chainId);
      assert.equal(signed.signature.v, 35n + 2n * chainId + BigInt(signed.signature.yParity));
      assert.equal(senderOf(signed), TEST_ADDRESS);
    }
    const unprotected = signTransaction({ ...PLAIN_FIELDS, chainId: undefined }, TEST_KEY);
    assert.ok([27n, 28n].includes(unprotected.signature.v));
    assert.equal(unprotected.chainId, undefined);
  });

  it("checks the shape of access lists", () => {
    const [address, key] = [hexItem(ZERO_ADDRESS), hexItem(ZERO_HASH)];
    for (const type of [1, 2, 3, 4]) {
      assert.equal(replaced(type, "accessList", [[address, [key, key]]]), undefined);
      for (const bad of [EMPTY, [address], [[address]], [[address, key]], [[address, [], []]]])
        assert.equal(replaced(type, "accessList", bad), "BAD_FIELD");
      for (const length of [19, 21])
        assert.equal(replaced(type, "accessList", [[new Uint8Array(length), []]]), "BAD_FIELD");
      for (const length of [0, 31, 33])
        assert.equal(
          replaced(type, "accessList", [[address, [new Uint8Array(length)]]]),
          "BAD_FIELD",
        );
    }
  });

  it("checks the shape of blob hashes", () => {
    assert.equal(replaced(3, "blobVersionedHashes", []), undefined);
    for (const length of [0, 31, 33])
      assert.equal(replaced(3, "blobVersionedHashes", [new Uint8Array(length)]), "BAD_FIELD");
    assert.equal(replaced(3, "blobVersionedHashes", EMPTY), "BAD_FIELD");
  });

  it("bounds the fields of authorizations", () => {
    const address = hexItem(ZERO_ADDRESS);
    const good = [
      number(U256 - 1n),
      address,
      number(U64 - 1n),
      number(255n),
      number(U256 - 1n),
      EMPTY,
    ];
    const bad = [
      number(U256),
      new Uint8Array(19),
      number(U64),
      number(256n),
      number(U256),
      number(U256),
    ];
    assert.equal(replaced(4, "authorizationList", [good]), undefined);
    bad.forEach((item, at) => {
      assert.equal(replaced(4, "authorizationList", [good.with(at, item)]), "BAD_FIELD");
      assert.equal(
        replaced(4, "authorizationList", [good.with(at, Uint8Array.of(0))]),
        "BAD_FIELD",
      );
    });
    assert.equal(replaced(4, "authorizationList", [good.slice(1)]), "BAD_FIELD");
  });
});

describe("transactionFromItem", () => {
  it("takes legacy transactions as lists and typed ones as byte strings, never the other way", () => {
    fc.assert(
      fc.property(anyFields, (fields) => {
        const signed = signTransaction(fields, TEST_KEY);
        const item = decodeRlp(encodeRlp(transactionToItem(signed)));
        assert.equal(Array.isArray(item), fields.type === 0);
        assert.deepEqual(transactionFromItem(item), signed);
      }),
      { numRuns: 50 },
    );
    const legacy = signTransaction(plain(0), TEST_KEY);
    assert.equal(
      codeOf(() => transactionFromItem(legacy.raw)),
      "BAD_FIELD",
    );
    const typed = signTransaction(plain(2), TEST_KEY);
    assert.equal(
      codeOf(() => transactionFromItem(decodeRlp(typed.raw.subarray(1)))),
      "BAD_FIELD",
    );
    assert.equal(
      codeOf(() => transactionFromItem(EMPTY)),
      "BAD_RLP",
    );
  });
});

describe("encodeTransaction", () => {
  const signature = { r: 1n, s: 1n, yParity: 0 } as const;

  it("refuses values that the type cannot carry", () => {
    const cases: readonly Partial<TransactionFields>[] = [
      { nonce: -1n },
      { nonce: U64 },
      { value: U256 },
      { type: 2, chainId: undefined },
      { type: 3, to: undefined },
      { type: 4, to: undefined },
      { type: 5 },
    ];
    for (const change of cases)
      assert.throws(
        () => encodeTransaction({ ...PLAIN_FIELDS, ...change }, signature),
        DecodeError,
      );
    assert.equal(
      codeOf(() => encodeTransaction(PLAIN_FIELDS, { ...signature, r: 0n })),
      "BAD_SIGNATURE",
    );
    assert.ok(encodeTransaction(PLAIN_FIELDS, { ...signature, s: SECP256K1_ORDER }));
  });
});

describe("validateTransactionShape", () => {
  const codeFor = (type: number, change: Partial<TransactionFields>) =>
    codeOf(() => validateTransactionShape({ ...plain(type), ...change }));

  it("refuses the last nonce, a tip above the fee, and empty or foreign lists", () => {
    for (const type of TYPES) assert.equal(codeFor(type, {}), undefined);
    assert.equal(codeFor(0, { nonce: U64 - 1n }), "BAD_TRANSACTION");
    assert.equal(codeFor(0, { nonce: U64 - 2n }), undefined);
    assert.equal(codeFor(2, { maxPriorityFeePerGas: 2n }), "BAD_TRANSACTION");
    assert.equal(codeFor(3, { blobVersionedHashes: [] }), "BAD_TRANSACTION");
    assert.equal(codeFor(3, { blobVersionedHashes: [BLOB_HASH, ZERO_HASH] }), "BAD_TRANSACTION");
    assert.equal(codeFor(4, { authorizationList: [] }), "BAD_TRANSACTION");
  });
});

describe("transactionTypes", () => {
  it("has one row per type, under its own number", () => {
    assert.deepEqual([...transactionTypes.keys()], [...TYPES, PQ_TYPE]);
    for (const [type, row] of transactionTypes) assert.equal(row.type, type);
  });
});
