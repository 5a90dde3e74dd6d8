/** The file of anvil_dumpState: all accounts of one block. Source: anvil 1.x; our own mark of version beside it. */

import type { DumpedAccount, StateDump } from "../src/node/stateDump.ts";
import { type Bytes, bytesToBigInt, stripZeros } from "../src/primitives/bytes.ts";
import { bigIntToHash, bytesToHex, type Hash, hexToBytes } from "../src/primitives/hex.ts";
import type { Header } from "../src/types/header.ts";
import {
  address,
  data,
  type JsonObject,
  looseQuantity,
  looseQuantity64,
  quantity,
  refuseValue,
} from "./codec.ts";
import { objectOf, ownField } from "./objects.ts";

/** Version of what we write beside anvil's own keys. */
const DUMP_VERSION = 1;

function encodeAccount({ nonce, balance, code, storage }: DumpedAccount): JsonObject {
  return {
    nonce: Number(nonce),
    balance: quantity.encode(balance),
    code: bytesToHex(code),
    storage: Object.fromEntries(
      [...storage].map(([slot, value]) => [slot, bigIntToHash(bytesToBigInt(value))]),
    ),
  };
}

/** JSON of a dump taken at `header`. */
export function encodeStateDump(header: Header, dump: StateDump): JsonObject {
  return {
    block: {
      number: quantity.encode(header.number),
      beneficiary: header.miner,
      timestamp: quantity.encode(header.timestamp),
      gas_limit: Number(header.gasLimit),
      basefee: Number(header.baseFeePerGas ?? 0n),
      difficulty: quantity.encode(header.difficulty),
      prevrandao: header.mixHash,
      blob_excess_gas_and_price: null,
    },
    accounts: Object.fromEntries([...dump].map(([one, account]) => [one, encodeAccount(account)])),
    best_block_number: Number(header.number),
    blocks: [],
    transactions: [],
    historical_states: null,
    qnet: { version: DUMP_VERSION },
  };
}

function storageOf(json: unknown, where: string): ReadonlyMap<Hash, Bytes> {
  if (json === undefined) return new Map();
  return new Map(
    Object.entries(objectOf(json, where)).map(([slot, value]) => [
      bigIntToHash(looseQuantity.decode(slot, `${where} key`)),
      stripZeros(hexToBytes(bigIntToHash(looseQuantity.decode(value, `${where}.${slot}`)))),
    ]),
  );
}

function accountOf(json: unknown, where: string): DumpedAccount {
  const source = objectOf(json, where);
  return {
    nonce: looseQuantity64.decode(ownField(source, "nonce") ?? 0, `${where}.nonce`),
    balance: looseQuantity.decode(ownField(source, "balance") ?? 0, `${where}.balance`),
    code: data.decode(ownField(source, "code") ?? "0x", `${where}.code`),
    storage: storageOf(ownField(source, "storage"), `${where}.storage`),
  };
}

/** Accounts of a dump, ours or anvil's. Throws CodecError. */
export function decodeStateDump(json: unknown): StateDump {
  const source = objectOf(json, "state");
  const mark = ownField(source, "qnet");
  const version =
    mark === undefined ? undefined : ownField(objectOf(mark, "state.qnet"), "version");
  if (version !== undefined && version !== DUMP_VERSION) {
    return refuseValue("state.qnet.version", `version ${DUMP_VERSION}`, version);
  }
  const accounts = objectOf(ownField(source, "accounts") ?? {}, "state.accounts");
  return new Map(
    Object.entries(accounts).map(([key, account]) => [
      address.decode(key, "state.accounts key"),
      accountOf(account, `state.accounts.${key}`),
    ]),
  );
}
