/** Verbs of `qnet validator` and `qnet rewards` that make keys or talk to the staking contract. */
import { readFile } from "node:fs/promises";
import type { PqKey } from "../src/crypto/pqAccounts.ts";
import type { StoredKey } from "../src/crypto/storedKey.ts";
import { addressOfKey } from "../src/crypto/storedKey.ts";
import { bytesToHex } from "../src/primitives/hex.ts";
import { DEFAULT_STAKING } from "../src/types/qnetConfig.ts";
import { keystoreFolder, requireDataFolder } from "./dataFolder.ts";
import type { rewardsDefinition } from "./definitions.ts";
import { CommandError, UsageError } from "./exit.ts";
import { readTemplate, termsOf } from "./genesisLaunch.ts";
import { type CommandIo, printLine } from "./io.ts";
import { jsonLine } from "./jsonLine.ts";
import { unlockKey } from "./keyAccess.ts";
import { findKeyFile } from "./keyFiles.ts";
import type { OptionValues } from "./options.ts";
import { existingPassword, newPassword } from "./passwords.ts";
import { RpcEndpoint } from "./rpcEndpoint.ts";
import { type ShownValidator, type StakingCall, StakingClient } from "./stakingClient.ts";
import {
  createValidatorKey,
  newestValidatorKey,
  openValidatorKey,
  proveKey,
  type ValidatorKeyFile,
  validatorEntry,
} from "./validatorKeys.ts";

/** One call of such a verb. */
export interface StakingRequest {
  readonly values: OptionValues<(typeof rewardsDefinition.options)[number]>;
  readonly operands: readonly string[];
  readonly io: CommandIo;
}

const WEI_PER_GWEI = 1_000_000_000n;

/** Makes an encrypted key of a validator in the data directory. */
export async function createKey({ values, io }: StakingRequest): Promise<void> {
  const datadir = requireDataFolder(values.datadir);
  const password = await newPassword({ ...validatorPassword(values), io });
  const strength = values.lightkdf ? "light" : "standard";
  const { file, keyHash, key } = await createValidatorKey(datadir, { password, strength });
  const publicKey = bytesToHex(key.publicKey);
  printLine(io, values.json ? jsonLine({ keyHash, file, publicKey }) : `${keyHash}  ${file}`);
}

/** Prints the entry of the newest key in the genesis of a network to be. */
export async function printEntry(request: StakingRequest): Promise<void> {
  const { values, io } = request;
  const owner = values.from ?? missing("--from ADDRESS, the owner's account,");
  const { domain, staking, minStake } = termsOf(readTemplate(values.template));
  const stakeGwei = values.stake === undefined ? minStake : wholeGwei(values.stake);
  const accounts = {
    owner,
    withdrawal: values.withdrawal ?? owner,
    feeRecipient: values["fee-recipient"] ?? owner,
  };
  const { key } = await openNewest(request);
  const entry = await validatorEntry(key, accounts, { domain, staking, stakeGwei });
  printLine(io, JSON.stringify(entry, undefined, 2));
}

/** Registers the newest key with a stake. */
export async function register(request: StakingRequest): Promise<void> {
  const { values, io } = request;
  const stake = values.stake ?? missing("--stake COINS");
  const client = clientOf(request);
  const domain = await client.domain();
  const ownerKey = await openOwner(request);
  const owner = await addressOfKey(ownerKey);
  const { key, keyHash } = await openNewest(request);
  const proof = await proveKey(key, owner, { domain, staking: client.address });
  const transactionHash = await client.send(ownerKey, {
    signature: "register(bytes,bytes,address,address)",
    args: [
      key.publicKey,
      proof,
      BigInt(values.withdrawal ?? owner),
      BigInt(values["fee-recipient"] ?? owner),
    ],
    value: wholeGwei(stake) * WEI_PER_GWEI,
  });
  const id = await client.idOfKey(keyHash);
  printLine(io, jsonLine({ id, keyHash, transactionHash }));
}

/** Replaces the validator's key by the newest one of the data directory. */
export async function rotateKey(request: StakingRequest): Promise<void> {
  const { values, io } = request;
  const id = values.id ?? missing("--id N");
  const client = clientOf(request);
  const domain = await client.domain();
  const ownerKey = await openOwner(request);
  const { key, keyHash } = await openNewest(request);
  const owner = await addressOfKey(ownerKey);
  const proof = await proveKey(key, owner, { domain, staking: client.address });
  const transactionHash = await client.send(ownerKey, {
    signature: "rotateKey(uint32,bytes,bytes)",
    args: [BigInt(id), key.publicKey, proof],
  });
  printLine(io, jsonLine({ id, keyHash, transactionHash }));
}

/** A verb that calls a function of the owner's with nothing but the id. */
export function ownerCall(name: "requestExit" | "withdraw" | "claim" | "unjail") {
  return async (request: StakingRequest): Promise<void> => {
    const client = clientOf(request);
    await client.domain();
    const id = await idOf(request, client);
    const call: StakingCall = { signature: `${name}(uint32)`, args: [BigInt(id)] };
    const transactionHash = await client.send(await openOwner(request), call);
    printLine(request.io, jsonLine({ id, transactionHash }));
  };
}

/** Adds to the stake. */
export async function topUp(request: StakingRequest): Promise<void> {
  const stake = request.values.stake ?? missing("--stake COINS");
  const client = clientOf(request);
  await client.domain();
  const id = await idOf(request, client);
  const value = wholeGwei(stake) * WEI_PER_GWEI;
  const call: StakingCall = { signature: "topUp(uint32)", args: [BigInt(id)], value };
  const transactionHash = await client.send(await openOwner(request), call);
  printLine(request.io, jsonLine({ id, transactionHash }));
}

/** Prints what the contract says about a validator. */
export async function showStatus(request: StakingRequest): Promise<void> {
  const client = clientOf(request);
  await client.domain();
  const validator = await client.validator(await idOf(request, client));
  const { values, io } = request;
  if (values.json) printLine(io, jsonLine(validator));
  else
    for (const [name, value] of Object.entries(shown(validator)))
      printLine(io, `${name}: ${value}`);
}

/** Prints rewards that were not claimed, in gwei. */
export async function checkRewards(request: StakingRequest): Promise<void> {
  const client = clientOf(request);
  await client.domain();
  const { id, rewards, withdrawal } = await client.validator(await idOf(request, client));
  printLine(request.io, jsonLine({ id, rewardsGwei: rewards, withdrawal }));
}

function shown(validator: ShownValidator): Readonly<Record<string, unknown>> {
  const { stake, rewards, ...rest } = validator;
  return { ...rest, stakeGwei: stake, rewardsGwei: rewards };
}

function clientOf({ values }: StakingRequest): StakingClient {
  return new StakingClient(new RpcEndpoint(values["rpc-url"]), values.staking ?? DEFAULT_STAKING);
}

async function idOf({ values }: StakingRequest, client: StakingClient): Promise<number> {
  if (values.id !== undefined) return values.id;
  if (values.datadir === undefined) missing("--id N, or --datadir with the validator's key,");
  return client.idOfKey((await newestValidatorKey(values.datadir)).keyHash);
}

async function openOwner({ values, io }: StakingRequest): Promise<StoredKey> {
  const from = values.from ?? missing("--from ADDRESS, the owner's account,");
  const { file } = await findKeyFile(values.keystore ?? keystoreFolder(values.datadir), from);
  const source = { file: values.password, option: "--password", io };
  return unlockKey(await readFile(file), {
    module: undefined,
    password: () => existingPassword(source),
  });
}

async function openNewest({
  values,
  io,
}: StakingRequest): Promise<ValidatorKeyFile & { readonly key: PqKey }> {
  const found = await newestValidatorKey(requireDataFolder(values.datadir));
  const source = { ...validatorPassword(values), io };
  return { ...found, key: await openValidatorKey(found.file, () => existingPassword(source)) };
}

/** The validator's key may have a password of its own: it stands on the machine that signs, the owner's need not. */
function validatorPassword(values: StakingRequest["values"]) {
  const own = values["validator-password"];
  return own === undefined
    ? { file: values.password, option: "--password" }
    : { file: own, option: "--validator-password" };
}

function wholeGwei(wei: bigint): bigint {
  if (wei % WEI_PER_GWEI === 0n) return wei / WEI_PER_GWEI;
  throw new CommandError({ code: "FAILED", problem: "a stake counts in whole gwei" });
}

function missing(what: string): never {
  throw new UsageError(`${what} is needed`);
}
