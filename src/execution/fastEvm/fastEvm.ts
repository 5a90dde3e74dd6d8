/**
 * The EVM that does not await: frames of contracts on an explicit stack, one loop over blocks of code, state read and
 * written synchronously. It gives a promise only when something must be waited for: a `pause`, or a precompile that still
 * loads. Path of a message: open the outermost frame -> advance (run blocks, open and close frames) -> result.
 * Equal to @ethereumjs/evm in status, gas, logs, output and state: test/unit/execution/fastEvm proves it.
 */
import { type Bytes, EMPTY_BYTES } from "../../primitives/bytes.ts";
import type { Address } from "../../primitives/hex.ts";
import type { State } from "../../state/state.ts";
import { type Account, EMPTY_ACCOUNT, EMPTY_CODE_HASH } from "../../types/account.ts";
import type { Rules } from "../../types/forks.ts";
import { delegateOf } from "../authorizations.ts";
import { contractAddress } from "../contractAddress.ts";
import type { Evm, EvmMessage, EvmResult } from "../evmMessage.ts";
import type { CallWatch } from "../observer.ts";
import type { PrecompileAnswer, PrecompileSet } from "../precompiles/active.ts";
import { type BlockWords, Environment } from "./environment.ts";
import {
  CALLING,
  FAILED,
  Frame,
  type FrameRequest,
  type FrameWorld,
  JUMPED,
  NEXT,
  REVERTED,
  type Signal,
} from "./frame.ts";
import { type ForkCode, forkCode } from "./instructionSet.ts";
import { type CodeBlock, Program } from "./program.ts";
import { type AddressSet, NO_ADDRESSES, Substate } from "./substate.ts";
import { hexToWord, toBig, toWord } from "./word.ts";

/** What a FastEvm runs in. */
export interface FastEvmOptions {
  readonly rules: Rules;
  readonly block: BlockWords;
  readonly precompiles: PrecompileSet;
  /** Addresses that are warm as precompiles */
  readonly precompileAddresses: AddressSet;
  /** Asked now and then: throws to end the execution, or gives a promise to wait for. */
  readonly pause?: (() => Promise<void> | undefined) | undefined;
  readonly watch?: CallWatch | undefined;
}

/** Most gas a message may have: gas is counted in a double, and memory beyond what this pays for cannot be had. */
export const MAX_FAST_GAS = 2n ** 40n;

/** Gas between two questions whether to pause: at 100 Mgas/s 0.2 ms. */
const PAUSE_GAS = 20_000;
const CODE_BYTE_GAS = 200;
const EF = 0xef;
const OUT_OF_GAS = "out of gas";

/** How a frame ended. */
interface Ending {
  readonly gasLeft: number;
  readonly output: Bytes;
  readonly failure: string;
}

/** Runs messages one after the other on one State. */
export class FastEvm implements Evm {
  readonly #world: FrameWorld;
  readonly #substate: Substate;
  readonly #fork: ForkCode;
  readonly #precompiles: PrecompileSet;
  readonly #precompileAddresses: AddressSet;
  readonly #pause: (() => Promise<void> | undefined) | undefined;
  readonly #watch: CallWatch | undefined;
  /** One per depth, reused within a message; those up to #depth run. */
  readonly #frames: Frame[] = [];
  #depth = -1;
  #ending: Ending | undefined;
  #waiting: Promise<void> | undefined;

  constructor(state: State, options: FastEvmOptions) {
    const { rules, block, precompiles, precompileAddresses, pause, watch } = options;
    this.#fork = forkCode(rules);
    this.#substate = new Substate(state);
    const environment = new Environment(block);
    this.#world = { substate: this.#substate, environment, prices: this.#fork.prices };
    this.#precompiles = precompiles;
    this.#precompileAddresses = precompileAddresses;
    this.#pause = pause;
    this.#watch = watch;
  }

  run(message: EvmMessage): EvmResult | Promise<EvmResult> {
    this.#start(message);
    const ending = this.#advance();
    return ending === undefined ? this.#wait(message) : this.#resultOf(message, ending);
  }

  #start(message: EvmMessage): void {
    const substate = this.#substate;
    const { prices } = this.#fork;
    substate.begin(message.warmPrecompiles ? this.#precompileAddresses : NO_ADDRESSES);
    this.#world.environment.begin(message);
    substate.warmFromStart(message.warmAddresses);
    for (const { address, storageKeys } of message.accessList) {
      substate.warm(address);
      const slots = substate.slotsOf(address);
      for (const key of storageKeys)
        substate.warmSlot(substate.slot(slots, address, hexToWord(key)));
    }
    const request = outermostRequest(message, substate.state);
    if (request.kind === "create" && prices.hasAccessLists) substate.warm(request.address);
    this.#depth = -1;
    this.#ending = undefined;
    this.#open(request);
  }

  /** Runs to the end, or to where something must be waited for: undefined. */
  #advance(): Ending | undefined {
    while (this.#ending === undefined && this.#waiting === undefined) {
      const frame = this.#frames[this.#depth];
      if (frame === undefined) throw new TypeError("no frame runs, but the message has not ended");
      const signal = this.#execute(frame);
      if (signal === CALLING) this.#open(frame.wanted);
      else if (signal !== NEXT) this.#end(frame, signal);
    }
    return this.#waiting === undefined ? this.#ending : undefined;
  }

  async #wait(message: EvmMessage): Promise<EvmResult> {
    for (;;) {
      await this.#waiting;
      this.#waiting = undefined;
      const ending = this.#advance();
      if (ending !== undefined) return this.#resultOf(message, ending);
    }
  }

  /** Runs blocks of the frame until it ends or calls, or, answering NEXT, until it must wait. */
  #execute(frame: Frame): Signal {
    const { program } = frame;
    for (;;) {
      if (frame.gas < frame.pauseBelow && this.#mustWait(frame)) return NEXT;
      const block = program.blockAt(frame.pc);
      if (!frame.enter(block)) return FAILED;
      const signal = runBlock(frame, block);
      if (signal > JUMPED) return signal;
    }
  }

  #mustWait(frame: Frame): boolean {
    frame.pauseBelow = frame.gas - PAUSE_GAS;
    this.#waiting = this.#pause?.();
    return this.#waiting !== undefined;
  }

  // ---------------------------------------------------------------------------------------------- frames

  #open(request: FrameRequest): void {
    const mark = this.#substate.checkpoint();
    const ending =
      request.kind === "create" ? this.#openCreation(request, mark) : this.#openCall(request, mark);
    if (ending !== undefined) this.#close(request, mark, ending);
  }

  /** Gives the ending of a call that runs no code; undefined when a frame runs, or something is waited for. */
  #openCall(request: FrameRequest, mark: number): Ending | undefined {
    if (request.address === this.#watch?.address) this.#watch.called(request.input);
    const refusal = request.transfers ? this.#transfer(request) : undefined;
    if (refusal !== undefined) return undone(request, refusal);
    const precompile = this.#precompiles.get(request.codeAddress);
    if (precompile !== undefined) {
      const answer = precompile(request.input, request.gas);
      if (!(answer instanceof Promise)) return answered(request, answer);
      this.#waiting = answer.then((known) => this.#close(request, mark, answered(request, known)));
      return undefined;
    }
    const account = this.#codeAccount(request);
    if (account === undefined || account.codeHash === EMPTY_CODE_HASH) return finished(request);
    const { codeHash } = account;
    const code = this.#substate.state.codeByHash(codeHash);
    this.#enter(request, this.#fork.programs.get(codeHash, code), mark);
    return undefined;
  }

  /** The account whose code runs: that at the code address, or the one it delegates to (EIP-7702). */
  #codeAccount({ codeAddress, depth }: FrameRequest): Account | undefined {
    const { state } = this.#substate;
    const account = state.account(codeAddress);
    if (account === undefined || !this.#fork.prices.hasDelegations) return account;
    const delegate = delegateOf(state.codeByHash(account.codeHash));
    if (delegate === undefined) return account;
    if (depth === 0) this.#substate.warm(delegate);
    return state.account(delegate);
  }

  /** Moves the value; gives the failure when it cannot be moved. */
  #transfer({ caller, address, value }: FrameRequest): string | undefined {
    const substate = this.#substate;
    if (value === 0) {
      const account = substate.state.account(address);
      if (this.#fork.prices.deletesEmpty) substate.touch(address, account);
      else if (account === undefined) substate.setBalance(address, 0n);
      return undefined;
    }
    const wei = toBig(value);
    if (substate.balance(caller) < wei) return "insufficient balance";
    return substate.transfer(caller, address, wei) ? undefined : "value overflow";
  }

  /** Gives the ending of a creation that runs no code; undefined when a frame runs. */
  #openCreation(request: FrameRequest, mark: number): Ending | undefined {
    const { prices, instructions } = this.#fork;
    const { state } = this.#substate;
    const { address, caller, input } = request;
    const value = toBig(request.value);
    const left = this.#substate.balance(caller) - value;
    if (left < 0n) return halted("insufficient balance");
    if (input.length > prices.maxInitCodeBytes) return halted("initcode exceeds max initcode size");
    this.#substate.setBalance(caller, left);
    const held = state.account(address) ?? EMPTY_ACCOUNT;
    if (held.nonce > 0n || held.codeHash !== EMPTY_CODE_HASH || state.hasStorage(address)) {
      return halted("create collision");
    }
    this.#substate.noteCreated(address);
    state.setAccount(address, { ...held, nonce: prices.firstNonce });
    this.#substate.setBalance(address, held.balance + value);
    if (input.length === 0) return finished(request);
    this.#enter(request, new Program(input, instructions), mark);
    return undefined;
  }

  #enter(request: FrameRequest, program: Program, mark: number): void {
    this.#depth = request.depth;
    let frame = this.#frames[this.#depth];
    if (frame === undefined) {
      frame = Frame.take(this.#world, program);
      this.#frames[this.#depth] = frame;
    }
    frame.open(request, program, mark);
    // the first block asks at once: chains of calls with little gas each must give way too
    frame.pauseBelow = this.#pause === undefined ? Number.NEGATIVE_INFINITY : request.gas + 1;
  }

  /** The running frame is done. */
  #end(frame: Frame, signal: Signal): void {
    const { request, mark } = frame;
    this.#depth = request.depth - 1;
    this.#close(request, mark, this.#endingOf(frame, signal));
  }

  #endingOf(frame: Frame, signal: Signal): Ending {
    const { gas, output } = frame;
    if (signal === FAILED) return halted(frame.failure);
    if (signal === REVERTED) return { gasLeft: gas, output, failure: "revert" };
    if (frame.request.kind === "create") return this.#deposit(frame);
    return { gasLeft: gas, output, failure: "" };
  }

  /** Gives the new contract the code that its creation returned. */
  #deposit({ request, gas, output }: Frame): Ending {
    const { prices } = this.#fork;
    if (prices.refusesEf && output[0] === EF) return halted("invalid bytecode deployed");
    if (output.length > prices.maxCodeBytes) {
      return halted("code size to deposit exceeds maximum code size");
    }
    const gasLeft = gas - CODE_BYTE_GAS * output.length;
    if (gasLeft >= 0 && output.length > 0) this.#substate.state.setCode(request.address, output);
    if (gasLeft >= 0) return { gasLeft, output, failure: "" };
    // Frontier: the contract stays, without code
    return prices.depositMustBePaid ? halted(OUT_OF_GAS) : { ...finished(request), gasLeft: gas };
  }

  /** Keeps or undoes what the frame did and tells its caller. */
  #close(request: FrameRequest, mark: number, ending: Ending): void {
    const isDone = ending.failure === "";
    if (isDone) this.#substate.commit();
    else this.#substate.revert(mark);
    const caller = this.#frames[request.depth - 1];
    if (request.depth === 0 || caller === undefined) {
      this.#ending = ending;
      return;
    }
    caller.gas += ending.gasLeft;
    if (request.kind === "create") {
      caller.returnData = isDone ? EMPTY_BYTES : ending.output;
      caller.push(isDone ? hexToWord(request.address) : 0);
      return;
    }
    const { output } = ending;
    caller.returnData = output;
    const copied = Math.min(output.length, request.outputLength);
    if (copied > 0) caller.memory.fill(request.outputOffset, output, 0, copied);
    caller.push(isDone ? 1 : 0);
  }

  #resultOf(message: EvmMessage, { gasLeft, output, failure }: Ending): EvmResult {
    const substate = this.#substate;
    const { deletesEmpty, onlyNewDie } = this.#fork.prices;
    if (deletesEmpty) substate.deleteEmpty();
    const isDone = failure === "";
    for (const frame of this.#frames) frame.giveBack();
    this.#frames.length = 0;
    return {
      gasUsed: message.gas - BigInt(gasLeft),
      refund: isDone ? BigInt(substate.refund) : 0n,
      returnData: output,
      failure: isDone ? undefined : failure,
      logs: substate.logs.slice(),
      destroyed: substate.destroyed(onlyNewDie),
      accessList: undefined,
    };
  }
}

/** Runs the instructions up to the first that is not followed by its neighbour. */
function runBlock(frame: Frame, { handlers, args }: CodeBlock): Signal {
  for (let i = 0; i < handlers.length; i++) {
    const signal = handlers[i]?.(frame, args[i] ?? 0) ?? NEXT;
    if (signal !== NEXT) return signal;
  }
  return NEXT;
}

function outermostRequest(message: EvmMessage, state: State): FrameRequest {
  const { sender, to, value, data, gas } = message;
  const address = to ?? createdAddress(sender, state);
  return {
    kind: to === undefined ? "create" : "call",
    depth: 0,
    caller: sender,
    address,
    codeAddress: address,
    value: toWord(value),
    transfers: true,
    input: data,
    gas: Number(gas),
    isStatic: false,
    outputOffset: 0,
    outputLength: 0,
  };
}

function createdAddress(sender: Address, state: State): Address {
  return contractAddress(sender, BigInt.asUintN(64, (state.account(sender)?.nonce ?? 1n) - 1n));
}

function finished({ gas }: FrameRequest): Ending {
  return { gasLeft: gas, output: EMPTY_BYTES, failure: "" };
}

/** Nothing ran: the gas comes back. */
function undone({ gas }: FrameRequest, failure: string): Ending {
  return { gasLeft: gas, output: EMPTY_BYTES, failure };
}

/** An exceptional halt: the gas is gone. */
function halted(failure: string): Ending {
  return { gasLeft: 0, output: EMPTY_BYTES, failure };
}

function answered({ gas }: FrameRequest, { gasUsed, output, failure }: PrecompileAnswer): Ending {
  if (failure !== undefined) return { ...halted(failure), gasLeft: gas - gasUsed };
  return { gasLeft: gas - gasUsed, output, failure: "" };
}
