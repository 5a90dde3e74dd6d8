/**
 * Bytes of transactions of type 0x51, which an ML-DSA key signs:
 * `0x51 ‖ rlp([chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gas, to, value, data, accessList, sender, algorithm,
 * publicKey, signature])`. What is signed is keccak256 of the same without the last item, key included, so no other key or algorithm can
 * claim a signature.
 */
import {
  type AccessList,
  type Address,
  bytesToHex,
  concatBytes,
  fromRlp,
  type Hex,
  hexToBigInt,
  hexToBytes,
  hexToNumber,
  isAddress,
  isHex,
  keccak256,
  toHex,
  toRlp,
} from "viem";
import { algorithmById, algorithmRow, type MlDsaAlgorithm } from "./algorithms.ts";
import { addressOfKey, type MlDsaSigner, TRANSACTION_CONTEXT } from "./keyPair.ts";

/** Type byte. */
export const QUANTUM_TYPE = 0x51;
/** Longest transaction that nodes take. */
export const MAX_TRANSACTION_BYTES = 131_072;

const ITEMS = 13;

/** What a transaction of type 0x51 says; amounts in wei. */
export interface QuantumTransaction {
  readonly chainId: number;
  readonly nonce: number;
  readonly maxPriorityFeePerGas: bigint;
  readonly maxFeePerGas: bigint;
  /** Gas limit. */
  readonly gas: bigint;
  /** Left out or null: creates a contract. */
  readonly to?: Address | null | undefined;
  readonly value?: bigint | undefined;
  readonly data?: Hex | undefined;
  readonly accessList?: AccessList | undefined;
}

/** A transaction with its signature, as `parseQuantumTransaction` reads it. */
export interface SignedQuantumTransaction extends QuantumTransaction {
  readonly hash: Hex;
  /** Address of the key. Whether the signature is right is another question: `verifyDigest`. */
  readonly from: Address;
  readonly algorithm: MlDsaAlgorithm;
  readonly publicKey: Hex;
  readonly signature: Hex;
  /** What the key signed. */
  readonly digest: Hex;
}

type Key = Pick<MlDsaSigner, "algorithm" | "publicKey">;

/** keccak256 of the payload: the 32 bytes that the key signs, in the context "QNet/tx/1". Throws RangeError. */
export function transactionDigest(transaction: QuantumTransaction, key: Key): Uint8Array {
  return keccak256(encode(payloadItems(transaction, key)), "bytes");
}

/** Signs a transaction; the result goes to eth_sendRawTransaction. Throws RangeError. */
export async function signQuantumTransaction(
  transaction: QuantumTransaction,
  signer: MlDsaSigner,
): Promise<Hex> {
  const items = payloadItems(transaction, signer);
  const signature = await signer.sign(keccak256(encode(items), "bytes"), TRANSACTION_CONTEXT);
  const { signatureBytes } = algorithmRow(signer.algorithm);
  if (signature.length !== signatureBytes)
    throw new RangeError(
      `expected a signature of ${signatureBytes} bytes (${signer.algorithm}), got ${signature.length}`,
    );
  const bytes = encode([...items, signature]);
  if (bytes.length > MAX_TRANSACTION_BYTES)
    throw new RangeError(
      `expected at most ${MAX_TRANSACTION_BYTES} bytes of transaction, got ${bytes.length}`,
    );
  return bytesToHex(bytes);
}

/** Reads a signed transaction of type 0x51. Throws RangeError for anything else; does not verify the signature. */
export function parseQuantumTransaction(raw: Hex): SignedQuantumTransaction {
  const bytes = hexToBytes(raw);
  if (bytes[0] !== QUANTUM_TYPE)
    throw new RangeError(`expected type 0x51, got 0x${(bytes[0] ?? 0).toString(16)}`);
  const items = fromRlp(bytes.subarray(1), "hex");
  if (!Array.isArray(items) || items.length !== ITEMS)
    throw new RangeError(`expected ${ITEMS} items, got ${items.length}`);
  const text = (index: number): Hex => {
    const item: unknown = items[index];
    if (!isHex(item)) throw new RangeError(`expected bytes in item ${index}`);
    return item;
  };
  const quantity = (index: number) => (text(index) === "0x" ? 0n : hexToBigInt(text(index)));
  const algorithm = algorithmById(text(10) === "0x" ? 0 : hexToNumber(text(10)));
  if (algorithm === undefined) throw new RangeError(`unknown algorithm id ${text(10)}`);
  const publicKey = hexToBytes(text(11));
  return {
    chainId: Number(quantity(0)),
    nonce: Number(quantity(1)),
    maxPriorityFeePerGas: quantity(2),
    maxFeePerGas: quantity(3),
    gas: quantity(4),
    to: text(5) === "0x" ? null : bytesToHex(addressBytes(text(5))),
    value: quantity(6),
    data: text(7),
    accessList: readAccessList(items[8]),
    hash: keccak256(bytes),
    from: addressOfKey(algorithm, publicKey),
    algorithm,
    publicKey: text(11),
    signature: text(12),
    digest: keccak256(
      concatBytes([Uint8Array.of(QUANTUM_TYPE), toRlp(items.slice(0, -1), "bytes")]),
    ),
  };
}

type Item = Uint8Array | readonly Item[];

function payloadItems(transaction: QuantumTransaction, { algorithm, publicKey }: Key): Item[] {
  const { id, publicKeyBytes } = algorithmRow(algorithm);
  if (publicKey.length !== publicKeyBytes)
    throw new RangeError(
      `expected a public key of ${publicKeyBytes} bytes (${algorithm}), got ${publicKey.length}`,
    );
  const { to, value = 0n, data = "0x", accessList = [] } = transaction;
  const tip = transaction.maxPriorityFeePerGas;
  if (tip > transaction.maxFeePerGas)
    throw new RangeError(
      `expected maxPriorityFeePerGas up to maxFeePerGas ${transaction.maxFeePerGas}, got ${tip}`,
    );
  return [
    quantityBytes(transaction.chainId, "chainId"),
    quantityBytes(transaction.nonce, "nonce"),
    quantityBytes(tip, "maxPriorityFeePerGas"),
    quantityBytes(transaction.maxFeePerGas, "maxFeePerGas"),
    quantityBytes(transaction.gas, "gas"),
    to === undefined || to === null ? new Uint8Array() : addressBytes(to),
    quantityBytes(value, "value"),
    hexToBytes(data),
    accessList.map(({ address, storageKeys }) => [
      addressBytes(address),
      storageKeys.map((key) => hexToBytes(key, { size: 32 })),
    ]),
    new Uint8Array(), // sender: reserved until accounts may change their key
    Uint8Array.of(id),
    publicKey,
  ];
}

function encode(items: readonly Item[]): Uint8Array {
  // viem's type wants a mutable list
  return concatBytes([Uint8Array.of(QUANTUM_TYPE), toRlp(items as Uint8Array[], "bytes")]);
}

/** Shortest big-endian bytes; zero is empty. */
function quantityBytes(value: bigint | number, name: string): Uint8Array {
  const number =
    typeof value === "bigint" ? value : Number.isSafeInteger(value) ? BigInt(value) : -1n;
  if (number < 0n || number >= 2n ** 256n)
    throw new RangeError(`expected ${name} as an integer from 0 below 2^256, got ${value}`);
  return number === 0n ? new Uint8Array() : hexToBytes(toHex(number));
}

function addressBytes(address: string): Uint8Array {
  if (!isAddress(address, { strict: false }))
    throw new RangeError(`expected an address of 20 bytes, got ${address}`);
  return hexToBytes(address);
}

function readAccessList(item: unknown): AccessList {
  if (!Array.isArray(item)) throw new RangeError("expected a list as access list");
  return item.map((entry: unknown) => {
    if (!Array.isArray(entry) || entry.length !== 2 || !Array.isArray(entry[1]))
      throw new RangeError("expected [address, storage keys] in the access list");
    return { address: entry[0], storageKeys: entry[1] };
  });
}
