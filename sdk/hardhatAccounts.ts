/** What the Hardhat plugin does with JSON-RPC calls: lists its accounts first, signs what they send, passes on the rest. */
import type { JsonRpcRequest, JsonRpcResponse } from "hardhat/types/providers";
import { bytesToHex, concatHex, type Hex, hashMessage, hashTypedData, hexToBytes } from "viem";
import { addressOfKey, MESSAGE_CONTEXT, type MlDsaSigner } from "./keyPair.ts";
import { sendQuantumTransaction, type TransactionRequestJson } from "./send.ts";

/** The plugin's part of Hardhat's resolved configuration. */
export interface AccountsConfig {
  readonly networks: readonly string[];
  readonly signers: () => Promise<readonly MlDsaSigner[]>;
}

type Next = (call: JsonRpcRequest) => Promise<JsonRpcResponse>;

/** Accounts of one Hardhat runtime; keys are derived at the first use. */
export class HardhatAccounts {
  #signers: Promise<ReadonlyMap<string, MlDsaSigner>> | undefined;

  /** Answers a call or passes it on. Rejects with what the node says of a transaction. */
  async answer(
    config: AccountsConfig | undefined,
    network: string,
    call: JsonRpcRequest,
    next: Next,
  ): Promise<JsonRpcResponse> {
    if (config === undefined || !config.networks.includes(network)) return next(call);
    const run = handlers[call.method];
    if (run === undefined) return next(call);
    this.#signers ??= byAddress(config);
    const reply = await run(await this.#signers, call, next);
    if (reply === undefined) return next(call);
    return "result" in reply ? { jsonrpc: "2.0", id: call.id, result: reply.result } : reply.failed;
  }
}

/** A result, a node's refusal to pass on, or undefined: not ours. */
type Reply = { readonly result: unknown } | { readonly failed: JsonRpcResponse } | undefined;
type Handler = (
  signers: ReadonlyMap<string, MlDsaSigner>,
  call: JsonRpcRequest,
  next: Next,
) => Promise<Reply>;

/** A reply of the node that is an error: what asked it fails with the same one. */
class NodeRefused extends Error {
  readonly response: JsonRpcResponse;

  constructor(response: JsonRpcResponse) {
    super("the node refused");
    this.response = response;
  }
}

const handlers: Readonly<Record<string, Handler>> = {
  eth_accounts: listAccounts,
  eth_requestAccounts: listAccounts,
  eth_sendTransaction: async (signers, call, next) => {
    const [transaction] = listOf(call.params) as [TransactionRequestJson];
    const signer = signerOf(signers, transaction?.from);
    if (signer === undefined) return undefined;
    try {
      return { result: await sendQuantumTransaction(requestOf(call, next), signer, transaction) };
    } catch (error) {
      if (error instanceof NodeRefused) return { failed: { ...error.response, id: call.id } };
      throw error;
    }
  },
  personal_sign: async (signers, call) => {
    const [message, address] = listOf(call.params) as [Hex, string];
    return prove(signerOf(signers, address), () => hashMessage({ raw: message }));
  },
  eth_sign: async (signers, call) => {
    const [address, message] = listOf(call.params) as [string, Hex];
    return prove(signerOf(signers, address), () => hashMessage({ raw: message }));
  },
  eth_signTypedData_v4: async (signers, call) => {
    const [address, data] = listOf(call.params) as [string, string | object];
    return prove(signerOf(signers, address), () =>
      hashTypedData(typeof data === "string" ? JSON.parse(data) : data),
    );
  },
};

async function listAccounts(
  signers: ReadonlyMap<string, MlDsaSigner>,
  call: JsonRpcRequest,
  next: Next,
): Promise<Reply> {
  const reply = await next(call);
  if (!("result" in reply) || !Array.isArray(reply.result)) return { failed: reply };
  const others = reply.result.filter((address) => !signers.has(String(address).toLowerCase()));
  return { result: [...signers.keys(), ...others] };
}

async function prove(signer: MlDsaSigner | undefined, digest: () => Hex): Promise<Reply> {
  if (signer === undefined) return undefined;
  const signature = await signer.sign(hexToBytes(digest()), MESSAGE_CONTEXT);
  return { result: concatHex([bytesToHex(signer.publicKey), bytesToHex(signature)]) };
}

function requestOf(call: JsonRpcRequest, next: Next) {
  return async (method: string, params: readonly unknown[]) => {
    const reply = await next({ ...call, method, params: [...params] });
    if ("error" in reply) throw new NodeRefused(reply);
    return reply.result;
  };
}

function signerOf(signers: ReadonlyMap<string, MlDsaSigner>, address: unknown) {
  return typeof address === "string" ? signers.get(address.toLowerCase()) : undefined;
}

function listOf(params: JsonRpcRequest["params"]): readonly unknown[] {
  return Array.isArray(params) ? params : [];
}

async function byAddress(config: AccountsConfig): Promise<ReadonlyMap<string, MlDsaSigner>> {
  const signers = await config.signers();
  return new Map(
    signers.map((signer) => [addressOfKey(signer.algorithm, signer.publicKey), signer] as const),
  );
}
