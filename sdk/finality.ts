/**
 * Finality checked without trusting the node that was asked: a macro header with the acknowledgements of two thirds of the stake, and state or
 * blocks below it. Who knows one validator set for sure (from genesis, or from a macro header verified before) can follow the
 * chain from there: each macro header names the sets of its own and the next two epochs. Source: docs/consensus.md §2, §11
 */
import {
  type Address,
  concatBytes,
  fromRlp,
  type GetProofReturnType,
  type Hex,
  hexToBigInt,
  hexToBytes,
  isHex,
  keccak256,
  numberToBytes,
  stringToBytes,
  toRlp,
} from "viem";
import { algorithmRow } from "./algorithms.ts";
import { ProofError, readTrieProof } from "./trieProof.ts";

const ACK_KIND = 0x03;
const VERSION = 1n;
const HEADER_ITEMS = 16;
/** A hand-off between two sets of the largest size. */
const MAX_VALIDATORS = 20_000;
/** A macroblock may not have more blocks than this. */
const MAX_BRANCH = 20;
const ZERO_HASH: Hex = `0x${"00".repeat(32)}`;

/** Which network's signatures count. */
export interface QnetNetwork {
  readonly chainId: number;
  /** `config.qnet.consensus.salt` of the genesis file */
  readonly salt: Hex;
}

/** A validator of an epoch. Outside a hand-off both stakes are the same. */
export interface FinalityValidator {
  readonly id: number;
  /** gwei */
  readonly stakeOld: bigint;
  /** gwei */
  readonly stakeNew: bigint;
  readonly publicKey: Hex;
}

/** What a certified macro header says. */
export interface MacroHeader {
  readonly hash: Hex;
  readonly epoch: number;
  readonly parentMacroHash: Hex;
  readonly firstNumber: number;
  readonly lastNumber: number;
  readonly lastBlockHash: Hex;
  readonly stateRoot: Hex;
  readonly microRoot: Hex;
  readonly timeMs: number;
  /** Sets of this epoch and of the next two: what to trust from here on. */
  readonly validatorsHashes: readonly [Hex, Hex, Hex];
}

/** A macro header, who signed it, and whom to trust. */
export interface FinalityProof {
  readonly network: QnetNetwork;
  /** Hash of the set that must have signed, known from genesis or from an earlier header. */
  readonly validatorsHash: Hex;
  readonly validators: readonly FinalityValidator[];
  /** RLP */
  readonly header: Hex;
  /** RLP of the certificate: [epoch, macroHash, bitmap, signatures] */
  readonly certificate: Hex;
}

/** Verifies a macro header and its certificate. Throws ProofError. */
export function verifyFinality(proof: FinalityProof): MacroHeader {
  const known = hashValidators(proof.validators);
  if (known !== proof.validatorsHash)
    throw new ProofError(`expected validators with the hash ${proof.validatorsHash}, got ${known}`);
  const header = readMacroHeader(proof.header);
  if (header.validatorsHashes[0] !== known)
    throw new ProofError(`epoch ${header.epoch} has another validator set`);
  const { epoch, macroHash, bitmap, signatures } = readCertificate(proof.certificate);
  if (macroHash !== header.hash || epoch !== header.epoch)
    throw new ProofError(`expected a certificate of ${header.hash}, got one of ${macroHash}`);
  const signers = signersOf(proof.validators, bitmap);
  if (signers.length !== signatures.length)
    throw new ProofError(`expected ${signers.length} signatures, got ${signatures.length}`);
  requireQuorum(proof.validators, signers);
  for (const [index, validator] of signers.entries())
    requireAck(proof.network, { validator, header, signature: signatures[index] ?? "0x" });
  return header;
}

/** Merkle root over the validators of an epoch, by id. Throws ProofError unless ids ascend. */
export function hashValidators(validators: readonly FinalityValidator[]): Hex {
  if (validators.length === 0 || validators.length > MAX_VALIDATORS)
    throw new ProofError(`expected 1 to ${MAX_VALIDATORS} validators, got ${validators.length}`);
  const leaves = validators.map(({ id, stakeOld, stakeNew, publicKey }, index) => {
    if (index > 0 && id <= (validators[index - 1]?.id ?? 0))
      throw new ProofError("expected validators by ascending id");
    return keccak256(
      concatBytes([
        numberToBytes(id, { size: 4 }),
        numberToBytes(stakeOld, { size: 8 }),
        numberToBytes(stakeNew, { size: 8 }),
        keccak256(publicKey, "bytes"),
      ]),
    );
  });
  let level: Hex[] = leaves;
  while ((level.length & (level.length - 1)) !== 0) level = [...level, ZERO_HASH];
  while (level.length > 1)
    level = Array.from({ length: level.length / 2 }, (_, at) =>
      hashPair(level[2 * at] ?? ZERO_HASH, level[2 * at + 1] ?? ZERO_HASH),
    );
  return level[0] ?? ZERO_HASH;
}

/** A block's place in a macroblock, and the hashes beside its path. */
export interface BlockInclusion {
  readonly number: number;
  readonly hash: Hex;
  readonly siblings: readonly Hex[];
}

/** Checks that a block is one of the macroblock's. Throws ProofError. */
export function verifyBlock(header: MacroHeader, { number, hash, siblings }: BlockInclusion): void {
  const index = number - header.firstNumber;
  const isInside = number >= header.firstNumber && number <= header.lastNumber;
  if (!isInside || siblings.length > MAX_BRANCH || index >= 2 ** siblings.length)
    throw new ProofError(`block ${number} is none of epoch ${header.epoch}`);
  let node = hash;
  let at = index;
  for (const sibling of siblings) {
    node = at % 2 === 0 ? hashPair(node, sibling) : hashPair(sibling, node);
    at = Math.floor(at / 2);
  }
  if (node !== header.microRoot)
    throw new ProofError(`block ${number} with the hash ${hash} is not below ${header.microRoot}`);
}

/** An account that is proved; for one that does not exist all is zero. */
export interface ProvenAccount {
  readonly address: Address;
  readonly exists: boolean;
  readonly nonce: number;
  readonly balance: bigint;
  readonly codeHash: Hex;
  readonly storageHash: Hex;
  readonly storage: ReadonlyMap<Hex, bigint>;
}

/** Checks an answer of eth_getProof against a state root, such as the macro header's. Throws ProofError. */
export function verifyAccount(stateRoot: Hex, proof: GetProofReturnType): ProvenAccount {
  const leaf = readTrieProof(stateRoot, keccak256(proof.address, "bytes"), proof.accountProof);
  const account = leaf === undefined ? NO_ACCOUNT : readAccount(leaf);
  const storage = new Map<Hex, bigint>();
  for (const { key, proof: nodes } of proof.storageProof) {
    const slot = keccak256(numberToBytes(hexToBigInt(key), { size: 32 }), "bytes");
    const value = readTrieProof(account.storageHash, slot, nodes);
    storage.set(key, value === undefined ? 0n : quantity(decodeRlp(value, "slot")));
  }
  return { address: proof.address, ...account, storage };
}

const NO_ACCOUNT = {
  exists: false,
  nonce: 0,
  balance: 0n,
  codeHash: keccak256("0x"),
  storageHash: keccak256(toRlp("0x")),
} as const;

function readAccount(leaf: Hex) {
  const [nonce, balance, storageHash, codeHash] = itemsOf(leaf, 4, "account");
  return {
    exists: true,
    nonce: Number(quantity(nonce)),
    balance: quantity(balance),
    storageHash: hash(storageHash),
    codeHash: hash(codeHash),
  };
}

function readMacroHeader(raw: Hex): MacroHeader {
  const items = itemsOf(raw, HEADER_ITEMS, "macro header");
  if (quantity(items[0]) !== VERSION) throw new ProofError("expected a macro header of version 1");
  const number = (index: number) => Number(quantity(items[index]));
  return {
    hash: keccak256(raw),
    epoch: number(1),
    parentMacroHash: hash(items[2]),
    firstNumber: number(3),
    lastNumber: number(4),
    lastBlockHash: hash(items[5]),
    stateRoot: hash(items[6]),
    microRoot: hash(items[7]),
    timeMs: number(8),
    validatorsHashes: [hash(items[12]), hash(items[13]), hash(items[14])],
  };
}

function readCertificate(raw: Hex) {
  const [epoch, macroHash, bitmap, signatures] = itemsOf(raw, 4, "certificate");
  if (!isHex(bitmap) || !Array.isArray(signatures) || !signatures.every((item) => isHex(item)))
    throw new ProofError("expected a bitmap and signatures in the certificate");
  return {
    epoch: Number(quantity(epoch)),
    macroHash: hash(macroHash),
    bitmap: hexToBytes(bitmap),
    signatures: signatures as readonly Hex[],
  };
}

/** Bit i (from the lowest of the first byte) stands for the i-th validator. */
function signersOf(
  validators: readonly FinalityValidator[],
  bitmap: Uint8Array,
): FinalityValidator[] {
  if (bitmap.length !== Math.ceil(validators.length / 8))
    throw new ProofError(`expected a bitmap for ${validators.length} validators`);
  const isSet = (index: number) => (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
  for (let index = validators.length; index < bitmap.length * 8; index++)
    if (isSet(index)) throw new ProofError("expected no bit beyond the validators");
  return validators.filter((_, index) => isSet(index));
}

/** Two thirds of the stake, in the old set and in the new one. */
function requireQuorum(
  validators: readonly FinalityValidator[],
  signers: readonly FinalityValidator[],
) {
  for (const stake of ["stakeOld", "stakeNew"] as const) {
    const sum = (list: readonly FinalityValidator[]) =>
      list.reduce((total, one) => total + one[stake], 0n);
    const [weight, total] = [sum(signers), sum(validators)];
    if (total === 0n || 3n * weight < 2n * total)
      throw new ProofError(`expected two thirds of ${total} gwei, got ${weight}`);
  }
}

function requireAck(
  { chainId, salt }: QnetNetwork,
  ack: {
    readonly validator: FinalityValidator;
    readonly header: MacroHeader;
    readonly signature: Hex;
  },
): void {
  const { validator, header, signature } = ack;
  const message = keccak256(
    concatBytes([
      stringToBytes("QNET1"),
      Uint8Array.of(ACK_KIND),
      numberToBytes(chainId, { size: 8 }),
      hexToBytes(salt),
      numberToBytes(validator.id, { size: 4 }),
      numberToBytes(header.epoch, { size: 8 }),
      hexToBytes(header.hash),
    ]),
    "bytes",
  );
  const { scheme, publicKeyBytes, signatureBytes } = algorithmRow("ML-DSA-44");
  const key = hexToBytes(validator.publicKey);
  const bytes = hexToBytes(signature);
  const hasLengths = key.length === publicKeyBytes && bytes.length === signatureBytes;
  if (!hasLengths || !scheme.verify(bytes, message, key))
    throw new ProofError(`the signature of validator ${validator.id} is wrong`);
}

function itemsOf(raw: Hex, count: number, what: string): readonly unknown[] {
  const items = decodeRlp(raw, what);
  if (!Array.isArray(items) || items.length !== count)
    throw new ProofError(`expected a ${what} of ${count} items`);
  // the one encoding of these items: another would have another hash, or none that was signed
  if (toRlp(items) !== raw) throw new ProofError(`expected the ${what} in canonical RLP`);
  return items;
}

function decodeRlp(raw: Hex, what: string): unknown {
  try {
    return fromRlp(raw, "hex");
  } catch (cause) {
    throw new ProofError(`expected a ${what} in RLP`, { cause });
  }
}

function quantity(item: unknown): bigint {
  if (!isHex(item)) throw new ProofError("expected an integer");
  return item === "0x" ? 0n : hexToBigInt(item);
}

function hash(item: unknown): Hex {
  if (!isHex(item) || item.length !== 66) throw new ProofError("expected 32 bytes");
  return item;
}

function hashPair(left: Hex, right: Hex): Hex {
  return keccak256(concatBytes([hexToBytes(left), hexToBytes(right)]));
}
