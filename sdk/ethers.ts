/** `qnet-node/sdk/ethers`: a signer for ethers 6 whose key is ML-DSA. */
import {
  AbstractSigner,
  getAddress,
  hashMessage,
  type JsonRpcApiProvider,
  resolveAddress,
  resolveProperties,
  type TransactionRequest,
  type TransactionResponse,
  type TypedDataDomain,
  TypedDataEncoder,
  type TypedDataField,
  toQuantity,
} from "ethers";
import { bytesToHex, concatHex, type Hex, hexToBytes } from "viem";
import { addressOfKey, MESSAGE_CONTEXT, type MlDsaSigner } from "./keyPair.ts";
import {
  fillQuantumTransaction,
  type Request,
  sendQuantumTransaction,
  type TransactionRequestJson,
} from "./send.ts";
import { signQuantumTransaction } from "./transaction.ts";

/** Polls for a sent transaction; a node may answer a moment after it took it. */
const LOOK_UPS = 20;
const LOOK_UP_MS = 100;

/**
 * Signs with ML-DSA. Works with contracts and factories as every signer does. ethers' own `Transaction` does not know type 0x51, so raw transactions
 * go past it.
 */
export class QuantumSigner extends AbstractSigner<JsonRpcApiProvider | null> {
  readonly #signer: MlDsaSigner;
  readonly address: string;

  constructor(signer: MlDsaSigner, provider: JsonRpcApiProvider | null = null) {
    super(provider);
    this.#signer = signer;
    this.address = getAddress(addressOfKey(signer.algorithm, signer.publicKey));
  }

  override getAddress(): Promise<string> {
    return Promise.resolve(this.address);
  }

  override connect(provider: JsonRpcApiProvider): QuantumSigner {
    return new QuantumSigner(this.#signer, provider);
  }

  override async estimateGas(transaction: TransactionRequest): Promise<bigint> {
    const filled = await fillQuantumTransaction(
      this.#request(),
      this.#signer,
      await this.#toJson(transaction),
    );
    return filled.gas;
  }

  /** The raw transaction, filled in where it has gaps. */
  override async signTransaction(transaction: TransactionRequest): Promise<string> {
    const json = await this.#toJson(transaction);
    const filled = await fillQuantumTransaction(this.#request(), this.#signer, json);
    return signQuantumTransaction(filled, this.#signer);
  }

  override async sendTransaction(transaction: TransactionRequest): Promise<TransactionResponse> {
    const request = this.#request();
    const hash = await sendQuantumTransaction(
      request,
      this.#signer,
      await this.#toJson(transaction),
    );
    for (let tried = 0; tried < LOOK_UPS; tried++) {
      const sent = await this.#connected().getTransaction(hash);
      if (sent !== null) return sent;
      await new Promise((resolve) => setTimeout(resolve, LOOK_UP_MS));
    }
    throw new Error(`the node took transaction ${hash} but does not show it`);
  }

  /** public key ‖ signature over the EIP-191 digest. */
  override signMessage(message: string | Uint8Array): Promise<string> {
    return this.#prove(hashMessage(message) as Hex);
  }

  /** public key ‖ signature over the EIP-712 digest. */
  override async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    return this.#prove(TypedDataEncoder.hash(domain, types, value) as Hex);
  }

  async #prove(digest: Hex): Promise<string> {
    const signature = await this.#signer.sign(hexToBytes(digest), MESSAGE_CONTEXT);
    return concatHex([bytesToHex(this.#signer.publicKey), bytesToHex(signature)]);
  }

  #connected(): JsonRpcApiProvider {
    if (this.provider === null)
      throw new Error("expected a signer with a provider: connect it first");
    return this.provider;
  }

  #request(): Request {
    const provider = this.#connected();
    return (method, params) => provider.send(method, [...params]);
  }

  async #toJson(transaction: TransactionRequest): Promise<TransactionRequestJson> {
    const { to, from, type, blobs, authorizationList, gasLimit, ...rest } =
      await resolveProperties(transaction);
    if (blobs !== undefined && blobs !== null)
      throw new Error("transactions of type 0x51 carry no blobs");
    if (authorizationList !== undefined && authorizationList !== null)
      throw new Error("transactions of type 0x51 carry no authorizations: those are secp256k1's");
    const sender =
      from === undefined || from === null ? undefined : await resolveAddress(from, this.provider);
    if (sender !== undefined && getAddress(sender) !== this.address)
      throw new Error(`expected from ${this.address}, got ${sender}`);
    const target =
      to === undefined || to === null ? undefined : await resolveAddress(to, this.provider);
    const quantities = [
      "nonce",
      "value",
      "maxFeePerGas",
      "maxPriorityFeePerGas",
      "gasPrice",
    ] as const;
    return {
      ...(target !== undefined && { to: target }),
      ...(rest.data !== undefined && rest.data !== null && { data: rest.data }),
      ...(gasLimit !== undefined && gasLimit !== null && { gas: toQuantity(gasLimit) }),
      ...Object.fromEntries(
        quantities.flatMap((name) => {
          const value = rest[name];
          return value === undefined || value === null ? [] : [[name, toQuantity(value)]];
        }),
      ),
    };
  }
}
