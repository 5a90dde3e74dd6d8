/**
 * `qnet wallet send`: the node fills in nonce, gas and fees, the key signs here, in a token or at a remote signer, the node gets the signed
 * bytes. Receiver, value and data are the user's alone; the chain and the fee that the node names are held against --chain and --max-fee.
 */
import { readFile } from "node:fs/promises";
import { PqVerifier } from "../src/crypto/pqVerifier.ts";
import { type Address, bytesToHex, hexToBytes } from "../src/primitives/hex.ts";
import type { Transaction, TransactionFields } from "../src/types/transaction.ts";
import { keystoreFolder } from "./dataFolder.ts";
import type { walletDefinition } from "./definitions.ts";
import { CommandError, UsageError } from "./exit.ts";
import { type CommandIo, printLine } from "./io.ts";
import { jsonLine } from "./jsonLine.ts";
import { unlockKey } from "./keyAccess.ts";
import { findKeyFile } from "./keyFiles.ts";
import type { OptionValues } from "./options.ts";
import { existingPassword } from "./passwords.ts";
import { RpcEndpoint, RpcFailure } from "./rpcEndpoint.ts";
import { remoteOptions } from "./signerFiles.ts";
import {
  fillTransaction,
  keyOfFile,
  keyOfSigner,
  type TransactionKey,
  type TransactionWish,
} from "./transactionKey.ts";

type WalletValues = OptionValues<(typeof walletDefinition.options)[number]>;

/** Sends what the options say and prints the transaction's hash. Throws CommandError and UsageError. */
export async function send(values: WalletValues, io: CommandIo): Promise<void> {
  const wish = wishOf(values);
  const endpoint = new RpcEndpoint(values["rpc-url"]);
  const key = await openKey(values, wish.from, io);
  try {
    const fields = await fillTransaction(endpoint, wish, key);
    demandHonest(fields, values);
    const transaction = await key.sign(fields);
    await deliver(endpoint, transaction);
    await tell(endpoint, transaction.hash, { values, io });
  } finally {
    await key.close();
  }
}

/** What a node fills in is signed, so a false one could ask for another chain's transaction or for all coins as fee. */
function demandHonest(fields: TransactionFields, { chain, "max-fee": maxFee }: WalletValues): void {
  if (chain !== undefined && fields.chainId !== chain)
    refuse(`expected a node of chain ${chain}, got one of chain ${fields.chainId}`);
  const fee = fields.gasLimit * fields.maxFeePerGas;
  if (fee > maxFee)
    refuse(
      `the fee may be ${fee} wei (${fields.gasLimit} gas at ${fields.maxFeePerGas} wei), --max-fee allows ${maxFee}`,
    );
}

/** Throws CommandError naming the hash: without the node's reply the transaction may be on its way all the same. */
async function deliver(endpoint: RpcEndpoint, { raw, hash }: Transaction): Promise<void> {
  try {
    await endpoint.call("eth_sendRawTransaction", bytesToHex(raw));
  } catch (cause) {
    if (cause instanceof RpcFailure) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    refuse(`transaction ${hash} may have been sent, its reply was lost: ${reason}`);
  }
}

/** The hash stands in the output whatever becomes of the wait. */
async function tell(
  endpoint: RpcEndpoint,
  hash: string,
  { values, io }: { readonly values: WalletValues; readonly io: CommandIo },
): Promise<void> {
  if (!values.json) printLine(io, hash);
  if (!values.wait) {
    if (values.json) printLine(io, jsonLine({ hash }));
    return;
  }
  try {
    const { block, gasUsed } = await endpoint.included(hash);
    const shown = { hash, status: "success", block, gasUsed };
    printLine(io, values.json ? jsonLine(shown) : `success in block ${block}, ${gasUsed} gas`);
  } catch (error) {
    if (values.json) printLine(io, jsonLine({ hash }));
    throw error;
  }
}

function refuse(problem: string): never {
  throw new CommandError({ code: "FAILED", problem });
}

function wishOf({ from, to, value, data }: WalletValues): TransactionWish {
  if (from === undefined) throw new UsageError("--from ADDRESS is needed");
  if (!/^0x([0-9a-fA-F]{2})*$/.test(data))
    throw new UsageError(`--data: expected 0x and an even number of hex digits, got "${data}"`);
  if (to === undefined && data === "0x")
    throw new UsageError("--to ADDRESS is needed, or --data with the code of a new contract");
  return { from, to, value, data: hexToBytes(data) };
}

async function openKey(
  values: WalletValues,
  from: Address,
  io: CommandIo,
): Promise<TransactionKey> {
  if (values.signer !== undefined) {
    const { remoteSigner } = await import("../src/signer/remoteSigner.ts");
    const options = await remoteOptions(values, values.signer);
    return keyOfSigner(await remoteSigner(new PqVerifier(), from, options));
  }
  const found = await findKeyFile(values.keystore ?? keystoreFolder(values.datadir), from);
  const key = await unlockKey(await readFile(found.file), {
    module: values["pkcs11.module"],
    password: () => existingPassword({ file: values.password, option: "--password", io }),
  });
  return keyOfFile(key);
}
