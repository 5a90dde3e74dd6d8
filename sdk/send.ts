/** Filling in, signing and sending for tools that speak plain JSON-RPC: ethers and Hardhat. */
import { type AccessList, type Address, type Hex, hexToBigInt, hexToNumber } from "viem";
import { addressOfKey, type MlDsaSigner } from "./keyPair.ts";
import { type QuantumTransaction, signQuantumTransaction } from "./transaction.ts";

/** One JSON-RPC call. */
export type Request = (method: string, params: readonly unknown[]) => Promise<unknown>;

/** A transaction as eth_sendTransaction takes it: quantities are hex, what is left out is filled in. */
export interface TransactionRequestJson {
  readonly from?: string | undefined;
  readonly to?: string | null | undefined;
  readonly value?: string | undefined;
  readonly data?: string | undefined;
  readonly input?: string | undefined;
  readonly nonce?: string | undefined;
  readonly gas?: string | undefined;
  readonly maxFeePerGas?: string | undefined;
  readonly maxPriorityFeePerGas?: string | undefined;
  readonly accessList?: AccessList | undefined;
}

/** What eth_fillTransaction says of a transaction. */
interface FilledJson {
  readonly chainId: Hex;
  readonly nonce: Hex;
  readonly gas: Hex;
  readonly maxFeePerGas: Hex;
  readonly maxPriorityFeePerGas: Hex;
  readonly to?: Address | null;
  readonly value: Hex;
  readonly input: Hex;
  readonly accessList?: AccessList;
}

/** The transaction with nonce, gas and fees of the node. Rejects as the node does, for instance when it reverts. */
export async function fillQuantumTransaction(
  request: Request,
  signer: Pick<MlDsaSigner, "algorithm" | "publicKey">,
  transaction: TransactionRequestJson,
): Promise<QuantumTransaction> {
  const { gasPrice, type, ...rest } = transaction as Record<string, unknown>;
  const wanted = {
    ...rest,
    // Hardhat and ethers may think in gas prices; a price paid is a fee cap and a tip of the same
    ...(gasPrice !== undefined && { maxFeePerGas: gasPrice, maxPriorityFeePerGas: gasPrice }),
    from: addressOfKey(signer.algorithm, signer.publicKey),
    type: "0x51",
    pqAlgorithm: signer.algorithm,
  };
  const reply = (await request("eth_fillTransaction", [wanted])) as { readonly tx: FilledJson };
  const { tx } = reply;
  return {
    chainId: hexToNumber(tx.chainId),
    nonce: hexToNumber(tx.nonce),
    gas: hexToBigInt(tx.gas),
    maxFeePerGas: hexToBigInt(tx.maxFeePerGas),
    maxPriorityFeePerGas: hexToBigInt(tx.maxPriorityFeePerGas),
    to: tx.to ?? null,
    value: hexToBigInt(tx.value),
    data: tx.input,
    accessList: tx.accessList ?? [],
  };
}

/** Fills in, signs and sends; the hash. Rejects as the node does. */
export async function sendQuantumTransaction(
  request: Request,
  signer: MlDsaSigner,
  transaction: TransactionRequestJson,
): Promise<Hex> {
  const filled = await fillQuantumTransaction(request, signer, transaction);
  const raw = await signQuantumTransaction(filled, signer);
  return (await request("eth_sendRawTransaction", [raw])) as Hex;
}
