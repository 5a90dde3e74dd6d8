/**
 * Writes test/vectors/pqTransactions.json.gz: transactions of type 0x51, good ones and ways to be none, each with what a node
 * must say. Keys come from fixed seeds and signatures are deterministic, so every run writes the same bytes. Encoding,
 * hashing and signing are those of other libraries; what is expected is stated here by hand.
 *   node test/tools/makePqTransactions.ts
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { RLP } from "@ethereumjs/rlp";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js";

type Item = Uint8Array | Item[];

/** What a node says of a vector: hash and sender, or where it stops and why. */
export type Expected =
  | { readonly hash: string; readonly sender: string; readonly intrinsicGas: number }
  | {
      readonly stage: "decode" | "rules" | "signature";
      readonly code: string;
      /** The part at fault, of decoding errors */
      readonly where?: string;
    };

/** One transaction by its name. */
export interface PqTransactionVector {
  readonly name: string;
  readonly txbytes: string;
  readonly expected: Expected;
}

export const VECTOR_FILE: string = fileURLToPath(
  new URL("../vectors/pqTransactions.json.gz", import.meta.url),
);

const TYPE = 0x51;
const CONTEXT = new TextEncoder().encode("QNet/tx/1");
const [CHAIN_ID, NONCE, TIP, FEE, GAS, TO, VALUE, DATA, ACCESS_LIST] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const [SENDER, ALGORITHM, KEY, SIGNATURE] = [9, 10, 11, 12];
const NAMES = [
  "chainId",
  "nonce",
  "maxPriorityFeePerGas",
  "maxFeePerGas",
  "gasLimit",
  "to",
  "value",
  "data",
  "accessList",
  "sender",
  "pqAlgorithm",
  "pqPublicKey",
  "pqSignature",
];

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const filled = (length: number, value = 0x11) => new Uint8Array(length).fill(value);
const EMPTY = new Uint8Array(0);

/** Big-endian without leading zeros. */
function int(value: bigint): Uint8Array {
  if (value === 0n) return EMPTY;
  const hex = value.toString(16);
  return bytes(hex.length % 2 === 0 ? hex : `0${hex}`);
}

const SEEDS = [
  bytes("787f747b571a3511deac4d045a7876ae2349f45b9f9f4e3a6ee40342313a963f"),
  bytes("956ffb9fbc566009dc5017cf3ee850a9b59867ffe118762008c9af578f893ddf"),
] as const;

interface Key {
  readonly id: number;
  readonly publicKey: Uint8Array;
  readonly gas: number;
  sign(message: Uint8Array, context: Uint8Array): Uint8Array;
}

function keyOf(scheme: typeof ml_dsa44, id: number, gas: number, seed: Uint8Array): Key {
  const { publicKey, secretKey } = scheme.keygen(seed);
  const sign = (message: Uint8Array, context: Uint8Array) =>
    scheme.sign(message, secretKey, { context, extraEntropy: false });
  return { id, publicKey, gas, sign };
}

const first = keyOf(ml_dsa44, 0x11, 84_212, SEEDS[0]);
const other = keyOf(ml_dsa44, 0x11, 84_212, SEEDS[1]);
const larger = keyOf(ml_dsa65, 0x12, 111_176, SEEDS[0]);
const largest = keyOf(ml_dsa87, 0x13, 147_004, SEEDS[0]);

const hexOf = (raw: Uint8Array) => `0x${Buffer.from(raw).toString("hex")}`;

function addressOf({ id, publicKey }: Key): string {
  return hexOf(keccak_256(joined([id], publicKey)).subarray(12));
}

/** Fields of the known answer. */
function fieldsOf(key: Key): Item[] {
  return [
    int(31_337n),
    EMPTY,
    int(1_000_000_000n),
    int(3_000_000_000n),
    int(200_000n),
    bytes("70997970c51812dc3a010c7d01b50e0d17dc79c8"),
    int(10n ** 18n),
    EMPTY,
    [],
    EMPTY,
    Uint8Array.of(key.id),
    key.publicKey,
  ];
}

type Change = Readonly<Record<number, Item>>;

function apply(items: readonly Item[], change: Change): Item[] {
  return items.map((item, at) => change[at] ?? item);
}

function joined(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}

function enveloped(payload: Uint8Array): Uint8Array {
  return joined([TYPE], payload);
}

function rawOf(items: readonly Item[]): Uint8Array {
  return enveloped(RLP.encode([...items]));
}

/** The items with these changes, then signed: what is wrong with them is not the signature. */
function signed(change: Change = {}, key: Key = first, context: Uint8Array = CONTEXT): Item[] {
  const items = apply(fieldsOf(key), change);
  return [...items, key.sign(keccak_256(rawOf(items)), context)];
}

/** The good transaction with these changes after it was signed. */
function altered(change: Change): Item[] {
  return apply(signed(), change);
}

const vectors: PqTransactionVector[] = [];

function valid(name: string, items: readonly Item[], key: Key, intrinsicGas: number): void {
  const raw = rawOf(items);
  const expected = { hash: hexOf(keccak_256(raw)), sender: addressOf(key), intrinsicGas };
  vectors.push({ name: `valid/${name}`, txbytes: hexOf(raw), expected });
}

function undecodable(name: string, raw: Uint8Array, where: string, code = "BAD_FIELD"): void {
  const expected = { stage: "decode", code, where } as const;
  vectors.push({ name: `decode/${name}`, txbytes: hexOf(raw), expected });
}

function unlawful(name: string, items: readonly Item[], code: string): void {
  const expected = { stage: "rules", code } as const;
  vectors.push({ name: `rules/${name}`, txbytes: hexOf(rawOf(items)), expected });
}

function forged(name: string, items: readonly Item[]): void {
  const expected = { stage: "signature", code: "BAD_SIGNATURE" } as const;
  vectors.push({ name: `signature/${name}`, txbytes: hexOf(rawOf(items)), expected });
}

function field(at: number): string {
  return `transaction.${NAMES[at]}`;
}

function addValid(): void {
  const nothing = { [GAS]: int(84_212n) };
  valid("exactly its gas", signed(nothing), first, 84_212);
  valid("known answer", signed({ [GAS]: int(100_000n) }), first, 84_212);
  valid("another key", signed({}, other), other, 84_212);
  valid("ML-DSA-65", signed({}, larger), larger, 111_176);
  valid("ML-DSA-87", signed({}, largest), largest, 147_004);
  valid("nonce 2^64 - 2", signed({ [NONCE]: int(2n ** 64n - 2n) }), first, 84_212);
  valid("largest value", signed({ [VALUE]: int(2n ** 256n - 1n) }), first, 84_212);
  valid("no fees", signed({ [TIP]: EMPTY, [FEE]: EMPTY }), first, 84_212);
  valid("creation", signed({ [TO]: EMPTY, [DATA]: bytes("6001600055") }), first, 116_282);
  valid("data", signed({ [DATA]: bytes("00ff00ff") }), first, 84_252);
  valid("gas cap", signed({ [GAS]: int(16_777_216n) }), first, 84_212);
  const list = [[filled(20), [filled(32), filled(32, 0x22)]]];
  valid("access list", signed({ [ACCESS_LIST]: list }), first, 90_412);
}

function addShapes(): void {
  const items = signed();
  const raw = rawOf(items);
  undecodable("12 items", rawOf(items.slice(0, 12)), "transaction");
  undecodable("14 items", rawOf([...items, EMPTY]), "transaction");
  undecodable("no items", rawOf([]), "transaction");
  undecodable("without chain id", rawOf(items.slice(1)), "transaction");
  undecodable("a string", enveloped(RLP.encode(filled(100))), "transaction");
  undecodable("nothing behind the type", Uint8Array.of(TYPE), "transaction", "BAD_RLP");
  undecodable("a byte behind", joined(raw, [0]), "transaction", "BAD_RLP");
  undecodable("a byte short", raw.subarray(0, -1), "transaction", "BAD_RLP");
  const body = raw.subarray(4);
  const head = [TYPE, 0xfa, 0, body.length >> 8, body.length & 0xff];
  undecodable("list head too long", joined(head, body), "transaction", "BAD_RLP");
  // chain id 0x7a69 as a string with a long head
  const longString = joined([0xb8, 2, 0x7a, 0x69], body.subarray(3));
  undecodable("string head too long", inList(longString), "transaction", "BAD_RLP");
  const wrapped = joined(body.subarray(0, 3), [0x81, 0x01], body.subarray(4));
  undecodable("a small byte in a string", inList(wrapped), "transaction", "BAD_RLP");
  undecodable("more than 131,072 bytes", rawOf(signed({ [DATA]: filled(131_072) })), "transaction");
  undecodable("inside a string", RLP.encode(raw), "transaction", "UNKNOWN_TYPE");
}

function inList(body: Uint8Array): Uint8Array {
  return joined([TYPE, 0xf9, body.length >> 8, body.length & 0xff], body);
}

function addIntegers(): void {
  const limits = { [NONCE]: 64n, [GAS]: 64n } as const;
  for (const at of [CHAIN_ID, NONCE, TIP, FEE, GAS, VALUE]) {
    const name = NAMES[at];
    const bits = limits[at as keyof typeof limits] ?? 256n;
    undecodable(`${name} with a leading zero`, rawOf(signed({ [at]: bytes("0001") })), field(at));
    undecodable(`${name} of a zero byte`, rawOf(signed({ [at]: bytes("00") })), field(at));
    undecodable(`${name} of 2^${bits}`, rawOf(signed({ [at]: int(2n ** bits) })), field(at));
    undecodable(`${name} as a list`, rawOf(signed({ [at]: [] })), field(at));
  }
}

function addOthers(): void {
  for (const length of [1, 19, 21, 32])
    undecodable(`to of ${length} bytes`, rawOf(signed({ [TO]: filled(length) })), field(TO));
  for (const at of [TO, DATA, SENDER, ALGORITHM, KEY])
    undecodable(`${NAMES[at]} as a list`, rawOf(signed({ [at]: [] })), field(at));
  undecodable("signature as a list", rawOf(altered({ [SIGNATURE]: [] })), field(SIGNATURE));
  const lists: readonly (readonly [name: string, list: Item, where: string])[] = [
    ["as a string", filled(20), ""],
    ["of an address alone", [filled(20)], ""],
    ["of an entry without keys", [[filled(20)]], ""],
    ["of an entry of three", [[filled(20), [], []]], ""],
    ["with an address of 19 bytes", [[filled(19), []]], ".address"],
    ["with a key of 31 bytes", [[filled(20), [filled(31)]]], ".storageKeys"],
    ["with keys as a string", [[filled(20), filled(32)]], ".storageKeys"],
  ];
  for (const [name, list, where] of lists) {
    const raw = rawOf(signed({ [ACCESS_LIST]: list }));
    undecodable(`access list ${name}`, raw, `${field(ACCESS_LIST)}${where}`);
  }
  for (const length of [1, 20])
    undecodable(`sender of ${length} bytes`, rawOf(signed({ [SENDER]: filled(length) })), field(SENDER));
  const ids = { "none": "", "secp256k1": "00", "0x10": "10", "0x20": "20", "hybrid": "61", "two bytes": "0011" };
  for (const [name, id] of Object.entries(ids))
    undecodable(`algorithm ${name}`, rawOf(signed({ [ALGORITHM]: bytes(id) })), field(ALGORITHM));
  const as65 = rawOf(signed({ [ALGORITHM]: bytes("12") }));
  undecodable("another algorithm's lengths", as65, field(KEY));
  for (const length of [0, 32, 1_311, 1_313, 1_334])
    undecodable(`key of ${length} bytes`, rawOf(signed({ [KEY]: filled(length) })), field(KEY));
  for (const length of [0, 64, 2_419, 2_421])
    undecodable(`signature of ${length} bytes`, rawOf(altered({ [SIGNATURE]: filled(length) })), field(SIGNATURE));
}

function addRules(): void {
  unlawful("chain id 1", signed({ [CHAIN_ID]: int(1n) }), "WRONG_CHAIN_ID");
  unlawful("chain id 0", signed({ [CHAIN_ID]: EMPTY }), "WRONG_CHAIN_ID");
  unlawful("nonce 2^64 - 1", signed({ [NONCE]: int(2n ** 64n - 1n) }), "NONCE_MAX");
  unlawful("tip above fee", signed({ [TIP]: int(3_000_000_001n) }), "TIP_ABOVE_MAX_FEE");
  unlawful("fees beyond 256 bits", signed({ [FEE]: int(2n ** 255n) }), "FEE_OVERFLOW");
  unlawful("gas above the cap", signed({ [GAS]: int(16_777_217n) }), "TX_GAS_LIMIT_TOO_HIGH");
  unlawful("one gas short", signed({ [GAS]: int(84_211n) }), "INTRINSIC_GAS");
  unlawful("gas of an ordinary transfer", signed({ [GAS]: int(21_000n) }), "INTRINSIC_GAS");
  unlawful("ML-DSA-65 with the gas of 44", signed({ [GAS]: int(84_212n) }, larger), "INTRINSIC_GAS");
  const data = { [DATA]: filled(100), [GAS]: int(88_211n) };
  unlawful("one gas short of the floor", signed(data), "FLOOR_DATA_GAS");
  const code = { [TO]: EMPTY, [DATA]: filled(49_153), [GAS]: int(10_000_000n) };
  unlawful("creation code too long", signed(code), "INIT_CODE_TOO_LARGE");
  const disabled = [
    ["Falcon-512", 0x70, 897, 666],
    ["SLH-DSA-SHA2-128f", 0x15, 32, 17_088],
    ["SLH-DSA-SHAKE-128s", 0x1a, 32, 7_856],
  ] as const;
  for (const [name, id, keyBytes, signatureBytes] of disabled) {
    const change = { [ALGORITHM]: Uint8Array.of(id), [KEY]: filled(keyBytes) };
    unlawful(
      `${name} is not enabled`,
      altered({ ...change, [SIGNATURE]: filled(signatureBytes) }),
      "ALGORITHM_NOT_ENABLED",
    );
  }
}

function addForgeries(): void {
  const text = new TextEncoder();
  for (const context of ["", "QNet/msg/1", "QNet/tx/2", "QNet/tx/1\0", "QNet/peer/1"])
    forged(`context ${JSON.stringify(context)}`, signed({}, first, text.encode(context)));
  const good = signed();
  const signature = good[SIGNATURE];
  if (!(signature instanceof Uint8Array)) throw new TypeError("a signature is a string");
  const flips = { "challenge": 0, "response": 1_000, "hint": 2_340, "number of hints": 2_419 };
  for (const [part, at] of Object.entries(flips)) {
    const copy = Uint8Array.from(signature);
    copy[at] = (copy[at] ?? 0) ^ 1;
    forged(`a bit of the ${part}`, altered({ [SIGNATURE]: copy }));
  }
  forged("zeros", altered({ [SIGNATURE]: filled(2_420, 0) }));
  forged("ones", altered({ [SIGNATURE]: filled(2_420, 0xff) }));
  forged("of another key", altered({ [KEY]: other.publicKey }));
  forged("of another nonce", altered({ [NONCE]: int(1n) }));
  forged("of another value", altered({ [VALUE]: int(1n) }));
  forged("of another recipient", altered({ [TO]: filled(20) }));
  forged("of a call, for a creation", altered({ [TO]: EMPTY, [DATA]: EMPTY }));
  const items = fieldsOf(first);
  const sign = (message: Uint8Array) => [...items, first.sign(message, CONTEXT)];
  forged("of the payload, not of its hash", sign(rawOf(items)));
  forged("without the type byte", sign(keccak_256(RLP.encode(items))));
  forged("without key and algorithm", sign(keccak_256(rawOf(items.slice(0, 9)))));
  forged("of type 2", sign(keccak_256(joined([2], RLP.encode(items.slice(0, 9))))));
  const elsewhere = apply(items, { [CHAIN_ID]: int(20_814n) });
  forged("for another chain", sign(keccak_256(rawOf(elsewhere))));
}

/** All vectors, in the order of the file. */
export function makeVectors(): readonly PqTransactionVector[] {
  vectors.length = 0;
  for (const add of [addValid, addShapes, addIntegers, addOthers, addRules, addForgeries]) add();
  return vectors;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(VECTOR_FILE, gzipSync(JSON.stringify(makeVectors()), { level: 9 }));
}
