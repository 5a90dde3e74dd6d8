/** The opcodes of each fork, one row per instruction. Sources: Yellow Paper, appendix H, and the EIPs named in the rows. */
import type { ForkName, Rules } from "../../types/forks.ts";
import * as environment from "./environmentInstructions.ts";
import * as frames from "./frameInstructions.ts";
import * as memory from "./memoryInstructions.ts";
import { type Prices, pricesOf } from "./prices.ts";
import type { Handler, Instruction, InstructionSet } from "./program.ts";
import { ProgramCache } from "./programCache.ts";
import * as stack from "./stackInstructions.ts";
import * as storage from "./storageInstructions.ts";

/** opcode, name, gas, words taken, words left, what it does, and what else there is to know */
type Row = readonly [number, string, number, number, number, Handler, Traits?];

interface Traits {
  readonly since?: ForkName;
  readonly ends?: "block" | "path";
}

const ENDS_BLOCK: Traits = { ends: "block" };
const ENDS_PATH: Traits = { ends: "path" };
const OPCODES = 256;
const PUSH0 = 0x5f;
const DUP1 = 0x80;
const SWAP1 = 0x90;
const LOG0 = 0xa0;
const LOG_GAS = 375;
const MAX_TOPICS = 4;

/** Instructions and prices of one fork, and the programs made with them. */
export interface ForkCode {
  readonly prices: Prices;
  readonly instructions: InstructionSet;
  readonly programs: ProgramCache;
}

const known = new Map<ForkName, ForkCode>();

/** Instructions and prices under `rules`; they depend on the fork alone. */
export function forkCode(rules: Rules): ForkCode {
  let found = known.get(rules.fork);
  if (found === undefined) {
    const prices = pricesOf(rules);
    const instructions = instructionSet(rules, prices);
    found = { prices, instructions, programs: new ProgramCache(instructions) };
    known.set(rules.fork, found);
  }
  return found;
}

function instructionSet(rules: Rules, prices: Prices): InstructionSet {
  const set = new Array<Instruction | undefined>(OPCODES).fill(undefined);
  const rows = [
    ...arithmeticRows(prices),
    ...environmentRows(prices),
    ...blockRows(),
    ...memoryRows(prices),
    ...frameRows(prices),
    ...numberedRows(),
  ];
  for (const [opcode, name, gas, pops, pushes, run, { since, ends } = {}] of rows) {
    if (since === undefined || rules.has(since))
      set[opcode] = { name, gas, pops, pushes, run, ends };
  }
  return set;
}

function arithmeticRows(prices: Prices): Row[] {
  const shifts: Traits = { since: "constantinople" };
  return [
    [0x01, "ADD", 3, 2, 1, stack.addTop],
    [0x02, "MUL", 5, 2, 1, stack.multiplyTop],
    [0x03, "SUB", 3, 2, 1, stack.subtractTop],
    [0x04, "DIV", 5, 2, 1, stack.divideTop],
    [0x05, "SDIV", 5, 2, 1, stack.divideSignedTop],
    [0x06, "MOD", 5, 2, 1, stack.moduloTop],
    [0x07, "SMOD", 5, 2, 1, stack.moduloSignedTop],
    [0x08, "ADDMOD", 8, 3, 1, stack.addModuloTop],
    [0x09, "MULMOD", 8, 3, 1, stack.multiplyModuloTop],
    [0x0a, "EXP", 10, 2, 1, stack.powerTop(prices)],
    [0x0b, "SIGNEXTEND", 5, 2, 1, stack.signExtendTop],
    [0x10, "LT", 3, 2, 1, stack.isLessTop],
    [0x11, "GT", 3, 2, 1, stack.isGreaterTop],
    [0x12, "SLT", 3, 2, 1, stack.isLessSignedTop],
    [0x13, "SGT", 3, 2, 1, stack.isGreaterSignedTop],
    [0x14, "EQ", 3, 2, 1, stack.areTopEqual],
    [0x15, "ISZERO", 3, 1, 1, stack.isTopZero],
    [0x16, "AND", 3, 2, 1, stack.andTop],
    [0x17, "OR", 3, 2, 1, stack.orTop],
    [0x18, "XOR", 3, 2, 1, stack.xorTop],
    [0x19, "NOT", 3, 1, 1, stack.notTop],
    [0x1a, "BYTE", 3, 2, 1, stack.byteTop],
    [0x1b, "SHL", 3, 2, 1, stack.shiftLeftTop, shifts],
    [0x1c, "SHR", 3, 2, 1, stack.shiftRightTop, shifts],
    [0x1d, "SAR", 3, 2, 1, stack.shiftRightSignedTop, shifts],
    [0x1e, "CLZ", 5, 1, 1, stack.countLeadingZerosTop, { since: "osaka" }],
  ];
}

function environmentRows({ balance, extcode, extcodehash }: Prices): Row[] {
  return [
    [0x30, "ADDRESS", 2, 0, 1, environment.address],
    [0x31, "BALANCE", balance, 1, 1, environment.balance],
    [0x32, "ORIGIN", 2, 0, 1, environment.origin],
    [0x33, "CALLER", 2, 0, 1, environment.caller],
    [0x34, "CALLVALUE", 2, 0, 1, environment.callValue],
    [0x35, "CALLDATALOAD", 3, 1, 1, environment.callDataLoad],
    [0x36, "CALLDATASIZE", 2, 0, 1, environment.callDataSize],
    [0x37, "CALLDATACOPY", 3, 3, 0, environment.callDataCopy],
    [0x38, "CODESIZE", 2, 0, 1, environment.codeSize],
    [0x39, "CODECOPY", 3, 3, 0, environment.codeCopy],
    [0x3a, "GASPRICE", 2, 0, 1, environment.gasPrice],
    [0x3b, "EXTCODESIZE", extcode, 1, 1, environment.externalCodeSize],
    [0x3c, "EXTCODECOPY", extcode, 4, 0, environment.externalCodeCopy],
    [0x3d, "RETURNDATASIZE", 2, 0, 1, environment.returnDataSize, { since: "byzantium" }],
    [0x3e, "RETURNDATACOPY", 3, 3, 0, environment.returnDataCopy, { since: "byzantium" }],
    [
      0x3f,
      "EXTCODEHASH",
      extcodehash,
      1,
      1,
      environment.externalCodeHash,
      { since: "constantinople" },
    ],
  ];
}

function blockRows(): Row[] {
  return [
    [0x40, "BLOCKHASH", 20, 1, 1, environment.blockHash],
    [0x41, "COINBASE", 2, 0, 1, environment.coinbase],
    [0x42, "TIMESTAMP", 2, 0, 1, environment.timestamp],
    [0x43, "NUMBER", 2, 0, 1, environment.blockNumber],
    [0x44, "PREVRANDAO", 2, 0, 1, environment.randomness],
    [0x45, "GASLIMIT", 2, 0, 1, environment.gasLimit],
    [0x46, "CHAINID", 2, 0, 1, environment.chainId, { since: "istanbul" }],
    [0x47, "SELFBALANCE", 5, 0, 1, environment.selfBalance, { since: "istanbul" }],
    [0x48, "BASEFEE", 2, 0, 1, environment.baseFee, { since: "london" }],
    [0x49, "BLOBHASH", 3, 1, 1, environment.blobHash, { since: "cancun" }],
    [0x4a, "BLOBBASEFEE", 2, 0, 1, environment.blobBaseFee, { since: "cancun" }],
  ];
}

function memoryRows({ sload }: Prices): Row[] {
  return [
    [0x20, "KECCAK256", 30, 2, 1, memory.hashMemory],
    [0x50, "POP", 2, 1, 0, stack.pop],
    [0x51, "MLOAD", 3, 1, 1, memory.loadWord],
    [0x52, "MSTORE", 3, 2, 0, memory.storeWord],
    [0x53, "MSTORE8", 3, 2, 0, memory.storeByte],
    [0x54, "SLOAD", sload, 1, 1, storage.loadSlot],
    [0x55, "SSTORE", 0, 2, 0, storage.storeSlot, ENDS_BLOCK],
    [0x56, "JUMP", 8, 1, 0, memory.jump, ENDS_PATH],
    [0x57, "JUMPI", 10, 2, 0, memory.jumpConditionally, ENDS_BLOCK],
    [0x58, "PC", 2, 0, 1, environment.position],
    [0x59, "MSIZE", 2, 0, 1, environment.memorySize],
    [0x5a, "GAS", 2, 0, 1, environment.gasLeft, ENDS_BLOCK],
    [0x5b, "JUMPDEST", 1, 0, 0, memory.nothing],
    [0x5c, "TLOAD", 100, 1, 1, memory.loadTransient, { since: "cancun" }],
    [0x5d, "TSTORE", 100, 2, 0, memory.storeTransient, { since: "cancun" }],
    [0x5e, "MCOPY", 3, 3, 0, memory.copyMemory, { since: "cancun" }],
  ];
}

function frameRows({ call, selfdestruct }: Prices): Row[] {
  return [
    [0x00, "STOP", 0, 0, 0, frames.stop, ENDS_PATH],
    [0xf0, "CREATE", 32_000, 3, 1, frames.create, ENDS_BLOCK],
    [0xf1, "CALL", call, 7, 1, frames.call("call"), ENDS_BLOCK],
    [0xf2, "CALLCODE", call, 7, 1, frames.call("callcode"), ENDS_BLOCK],
    [0xf3, "RETURN", 0, 2, 0, frames.returnOutput, ENDS_PATH],
    [
      0xf4,
      "DELEGATECALL",
      call,
      6,
      1,
      frames.call("delegatecall"),
      { since: "homestead", ends: "block" },
    ],
    [
      0xf5,
      "CREATE2",
      32_000,
      4,
      1,
      frames.createSalted,
      { since: "constantinople", ends: "block" },
    ],
    [
      0xfa,
      "STATICCALL",
      call,
      6,
      1,
      frames.call("staticcall"),
      { since: "byzantium", ends: "block" },
    ],
    [0xfd, "REVERT", 0, 2, 0, frames.revert, { since: "byzantium", ends: "path" }],
    [0xfe, "INVALID", 0, 0, 0, frames.invalid, ENDS_PATH],
    [0xff, "SELFDESTRUCT", selfdestruct, 1, 0, frames.selfdestruct, ENDS_PATH],
  ];
}

/** PUSH, DUP, SWAP and LOG. */
function numberedRows(): Row[] {
  const rows: Row[] = [[PUSH0, "PUSH0", 2, 0, 1, stack.pushZero, { since: "shanghai" }]];
  for (let bytes = 1; bytes <= 32; bytes++) {
    rows.push([PUSH0 + bytes, `PUSH${bytes}`, 3, 0, 1, stack.push]);
  }
  for (let depth = 1; depth <= 16; depth++) {
    rows.push([DUP1 + depth - 1, `DUP${depth}`, 3, depth, depth + 1, stack.dup(depth)]);
    rows.push([SWAP1 + depth - 1, `SWAP${depth}`, 3, depth + 1, depth + 1, stack.swap(depth)]);
  }
  for (let topics = 0; topics <= MAX_TOPICS; topics++) {
    const gas = LOG_GAS * (topics + 1);
    rows.push([LOG0 + topics, `LOG${topics}`, gas, topics + 2, 0, memory.log(topics)]);
  }
  return rows;
}
