/** The whole state of a development chain by its names, out and in. */
import type { Bytes } from "../primitives/bytes.ts";
import { type Address, bytesToAddress, bytesToHash, type Hash } from "../primitives/hex.ts";
import type { State } from "../state/state.ts";
import { EMPTY_ACCOUNT } from "../types/account.ts";
import { DevError } from "./devError.ts";

/** An account as a dump has it. */
export interface DumpedAccount {
  readonly nonce: bigint;
  /** wei */
  readonly balance: bigint;
  readonly code: Bytes;
  /** Values as numbers without leading zeros; zero is absent. */
  readonly storage: ReadonlyMap<Hash, Bytes>;
}

export type StateDump = ReadonlyMap<Address, DumpedAccount>;

/** What a dump reads. */
export interface DumpSource {
  readonly head: { readonly hash: Hash };
  stateAt(hash: Hash): State;
  readonly preimages: { find(hash: Hash): Bytes | undefined };
}

/** All accounts at the head. Throws DevError UNNAMED_STATE when a name was never noted. */
export function dumpState(chain: DumpSource): StateDump {
  const nameOf = (hash: Hash): Bytes => {
    const name = chain.preimages.find(hash);
    if (name === undefined) throw new DevError({ code: "UNNAMED_STATE", hash });
    return name;
  };
  const state = chain.stateAt(chain.head.hash);
  const dump = new Map<Address, DumpedAccount>();
  for (const [addressHash, { nonce, balance, codeHash, storageRoot }] of state.accounts()) {
    const storage = new Map<Hash, Bytes>();
    for (const [slotHash, value] of state.slots(storageRoot)) {
      storage.set(bytesToHash(nameOf(slotHash)), value);
    }
    const code = state.codeByHash(codeHash);
    dump.set(bytesToAddress(nameOf(addressHash)), { nonce, balance, code, storage });
  }
  return dump;
}

/** Puts the accounts of a dump into `state`; accounts that it does not name stay. */
export function loadState(state: State, dump: StateDump): void {
  for (const [address, { nonce, balance, code, storage }] of dump) {
    state.deleteAccount(address);
    state.setAccount(address, { ...EMPTY_ACCOUNT, nonce, balance });
    if (code.length > 0) state.setCode(address, code);
    for (const [slot, value] of storage) state.setSlot(address, slot, value);
  }
}
