/** viem accounts whose key is ML-DSA. They send with the chains of chain.ts; secp256k1 accounts stay as they are. */
import {
  type Address,
  bytesToHex,
  concatHex,
  type Hex,
  hashMessage,
  hashTypedData,
  hexToBytes,
  type LocalAccount,
  type SignableMessage,
  type TypedDataDefinition,
} from "viem";
import { toAccount } from "viem/accounts";
import { algorithmRow, type MlDsaAlgorithm } from "./algorithms.ts";
import { type DerivationOptions, seedFromMnemonic } from "./derive.ts";
import {
  addressOfKey,
  MESSAGE_CONTEXT,
  type MlDsaSigner,
  signerFromSeed,
  verifyDigest,
} from "./keyPair.ts";
import { type QuantumTransaction, signQuantumTransaction } from "./transaction.ts";

/** A viem account. What it says of messages is a proof: public key ‖ signature, as PostQuantumAccount.sol takes it. */
export interface QuantumAccount extends LocalAccount<"mlDsa"> {
  readonly algorithm: MlDsaAlgorithm;
}

/** The account of a seed of 32 bytes (hex or bytes). Throws RangeError. */
export function seedToAccount(
  seed: Hex | Uint8Array,
  algorithm: MlDsaAlgorithm = "ML-DSA-44",
): QuantumAccount {
  const bytes = typeof seed === "string" ? hexToBytes(seed) : seed;
  return signerToAccount(signerFromSeed(bytes, algorithm));
}

/** An account of a BIP-39 mnemonic. Throws RangeError. */
export function mnemonicToQuantumAccount(
  mnemonic: string,
  options: DerivationOptions = {},
): QuantumAccount {
  return seedToAccount(seedFromMnemonic(mnemonic, options), options.algorithm);
}

/** The account of a signer that may be anywhere. */
export function signerToAccount(signer: MlDsaSigner): QuantumAccount {
  const sign = async (digest: Hex): Promise<Hex> => {
    const signature = await signer.sign(hexToBytes(digest), MESSAGE_CONTEXT);
    return concatHex([bytesToHex(signer.publicKey), bytesToHex(signature)]);
  };
  const account = toAccount({
    address: addressOfKey(signer.algorithm, signer.publicKey),
    sign: ({ hash }) => sign(hash),
    signMessage: ({ message }) => sign(hashMessage(message)),
    signTypedData: (definition) => sign(hashTypedData(definition as TypedDataDefinition)),
    signTransaction: (transaction) => signQuantumTransaction(requireQuantum(transaction), signer),
  });
  const { algorithm } = signer;
  return { ...account, publicKey: bytesToHex(signer.publicKey), source: "mlDsa", algorithm };
}

/** Whether viem's account signs with ML-DSA. */
export function isQuantumAccount(account: unknown): account is QuantumAccount {
  return (
    typeof account === "object" &&
    account !== null &&
    "source" in account &&
    account.source === "mlDsa"
  );
}

/** A message (EIP-191) with what an account said of it. */
export interface SignedMessage {
  readonly address: Address;
  readonly message: SignableMessage;
  /** public key ‖ signature */
  readonly proof: Hex;
  readonly algorithm?: MlDsaAlgorithm;
}

/** Whether the account's key signed the message. False for malformed proofs. */
export function verifyQuantumMessage(signed: SignedMessage): boolean {
  return verifyQuantumDigest({ ...signed, digest: hashMessage(signed.message) });
}

/** The same for a digest, such as that of EIP-712 typed data. */
export function verifyQuantumDigest({
  address,
  digest,
  proof,
  algorithm = "ML-DSA-44",
}: Omit<SignedMessage, "message"> & { readonly digest: Hex }): boolean {
  const { publicKeyBytes, signatureBytes } = algorithmRow(algorithm);
  const bytes = hexToBytes(proof);
  if (bytes.length !== publicKeyBytes + signatureBytes) return false;
  const publicKey = bytes.subarray(0, publicKeyBytes);
  if (addressOfKey(algorithm, publicKey) !== address.toLowerCase()) return false;
  const signature = bytes.subarray(publicKeyBytes);
  return verifyDigest(
    { algorithm, publicKey },
    { digest: hexToBytes(digest), signature },
    MESSAGE_CONTEXT,
  );
}

/** What viem prepared, if all is there that a transaction of type 0x51 needs. Throws RangeError naming what is not. */
function requireQuantum(prepared: object): QuantumTransaction {
  const given: Partial<Record<keyof QuantumTransaction | "gasPrice", unknown>> = prepared;
  // beside the fees it is a node's note of what will be paid
  if (given.gasPrice !== undefined && given.maxFeePerGas === undefined)
    throw new RangeError("expected maxFeePerGas and maxPriorityFeePerGas, got gasPrice");
  for (const name of ["chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas"] as const)
    if (given[name] === undefined)
      throw new RangeError(
        `expected ${name}: prepare the transaction with a chain of this package`,
      );
  return prepared as QuantumTransaction;
}
