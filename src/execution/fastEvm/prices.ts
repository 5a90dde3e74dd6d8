/** Prices and rules of instructions that forks have changed. One object per set of rules. */
import type { Rules } from "../../types/forks.ts";

/** Net gas metering of SSTORE, in gas. */
export interface NetStorage {
  /** Of a slot that keeps its value or was written before in the transaction */
  readonly read: number;
  /** Of a slot that was not zero */
  readonly reset: number;
  /** Given back for a slot that becomes zero */
  readonly clearRefund: number;
  /** It fails with no more than 2,300 gas left. */
  readonly hasSentry: boolean;
}

/** Gas, unless said otherwise. */
export interface Prices {
  /** BALANCE */
  readonly balance: number;
  readonly sload: number;
  /** EXTCODESIZE, EXTCODECOPY */
  readonly extcode: number;
  readonly extcodehash: number;
  /** CALL, CALLCODE, DELEGATECALL, STATICCALL */
  readonly call: number;
  readonly selfdestruct: number;
  /** EXP, per byte of the exponent */
  readonly expByte: number;
  /** Beyond the price of a warm one; 0 before Berlin */
  readonly coldAccount: number;
  /** Beyond the price of a warm one; 0 before Berlin */
  readonly coldSlot: number;
  /** SELFDESTRUCT of a cold beneficiary, which costs nothing when warm */
  readonly coldBeneficiary: number;
  readonly selfdestructRefund: number;
  /** undefined where every SSTORE pays for a write */
  readonly netStorage: NetStorage | undefined;
  /** SSTORE of a cold slot */
  readonly coldSlotWrite: number;
  /** Per 32 bytes of creation code */
  readonly initCodeWord: number;
  /** A frame keeps a 64th of its gas (EIP-150). */
  readonly keeps64th: boolean;
  /** Only value brings an account to life (EIP-161), else any call does. */
  readonly valueMakesAccount: boolean;
  /** SELFDESTRUCT pays for the account it brings to life. */
  readonly chargesBeneficiary: boolean;
  /** Addresses and slots are cold or warm (EIP-2929). */
  readonly hasAccessLists: boolean;
  /** A creation that cannot pay for its code fails (EIP-2), else it leaves none. */
  readonly depositMustBePaid: boolean;
  /** New contracts start with nonce 1 (EIP-161). */
  readonly firstNonce: bigint;
  /** bytes */
  readonly maxCodeBytes: number;
  /** bytes */
  readonly maxInitCodeBytes: number;
  /** Code may not begin with 0xef (EIP-3541). */
  readonly refusesEf: boolean;
  /** SELFDESTRUCT deletes only what its transaction created (EIP-6780). */
  readonly onlyNewDie: boolean;
  /** Accounts can lend themselves code (EIP-7702). */
  readonly hasDelegations: boolean;
  /** Opcode 0x44 is PREVRANDAO. */
  readonly hasRandao: boolean;
  /** Empty accounts are deleted when touched (EIP-161). */
  readonly deletesEmpty: boolean;
}

const MAX_CODE_BYTES = 24_576;
const MAX_INIT_CODE_BYTES = 49_152;
const WARM = 100;
const COLD_ACCOUNT = 2_600;
const COLD_SLOT = 2_100;

/** The prices under `rules`. Sources: EIPs 150, 160, 161, 170, 1283, 1884, 2200, 2929, 3529, 3541, 3860, 6780. */
export function pricesOf(rules: Rules): Prices {
  const { has } = rules;
  const [tangerine, spurious] = [has("tangerineWhistle"), has("spuriousDragon")];
  const [istanbul, berlin, london] = [has("istanbul"), has("berlin"), has("london")];
  const since = (active: boolean, now: number, before: number) => (active ? now : before);
  return {
    balance: since(berlin, WARM, since(istanbul, 700, since(tangerine, 400, 20))),
    sload: since(berlin, WARM, since(istanbul, 800, since(tangerine, 200, 50))),
    extcode: since(berlin, WARM, since(tangerine, 700, 20)),
    extcodehash: since(berlin, WARM, since(istanbul, 700, 400)),
    call: since(berlin, WARM, since(tangerine, 700, 40)),
    selfdestruct: since(tangerine, 5_000, 0),
    expByte: since(spurious, 50, 10),
    coldAccount: since(berlin, COLD_ACCOUNT - WARM, 0),
    coldSlot: since(berlin, COLD_SLOT - WARM, 0),
    coldBeneficiary: since(berlin, COLD_ACCOUNT, 0),
    selfdestructRefund: since(london, 0, 24_000),
    netStorage: netStorageOf(rules),
    coldSlotWrite: since(berlin, COLD_SLOT, 0),
    initCodeWord: since(has("shanghai"), 2, 0),
    keeps64th: tangerine,
    valueMakesAccount: spurious,
    chargesBeneficiary: tangerine,
    hasAccessLists: berlin,
    depositMustBePaid: has("homestead"),
    firstNonce: spurious ? 1n : 0n,
    maxCodeBytes: since(spurious, MAX_CODE_BYTES, Number.POSITIVE_INFINITY),
    maxInitCodeBytes: since(has("shanghai"), MAX_INIT_CODE_BYTES, Number.POSITIVE_INFINITY),
    refusesEf: london,
    onlyNewDie: has("cancun"),
    hasDelegations: has("prague"),
    hasRandao: has("paris"),
    deletesEmpty: spurious,
  };
}

function netStorageOf({ has }: Rules): NetStorage | undefined {
  if (has("berlin")) {
    const clearRefund = has("london") ? 4_800 : 15_000;
    return { read: WARM, reset: 5_000 - COLD_SLOT, clearRefund, hasSentry: true };
  }
  if (has("istanbul")) return { read: 800, reset: 5_000, clearRefund: 15_000, hasSentry: true };
  if (!has("constantinople") || has("petersburg")) return undefined;
  return { read: 200, reset: 5_000, clearRefund: 15_000, hasSentry: false };
}
