/**
 * Verification of contracts: sources are compiled and compared with the code on chain. Jobs wait in line, since each takes a
 * processor for seconds; what was verified is kept by verifiedStore.ts and holds only while the address has that code.
 */
import { randomUUID } from "node:crypto";
import { keccak256 } from "../../src/crypto/keccak.ts";
import { contractAddress } from "../../src/execution/contractAddress.ts";
import { type Address, bytesToHex, type Hash } from "../../src/primitives/hex.ts";
import { BoundedCache } from "../../src/runtime/cache.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { SerialQueue } from "../../src/runtime/queue.ts";
import { storedSender } from "../../src/types/sender.ts";
import type { RpcNode } from "../context.ts";
import {
  type CompiledContract,
  type CompileRequest,
  CompilerError,
  compileContract,
} from "./compiler.ts";
import { type Match, matchCreation, matchRuntime } from "./match.ts";
import { type Verified, VerifiedStore } from "./verifiedStore.ts";

const MAX_WAITING = 16;
const MAX_JOBS = 1_000;

/** A failure as Sourcify's API says it. */
export interface VerifyFailure {
  readonly customCode: string;
  readonly message: string;
}

/** One request to verify. */
export interface Job {
  readonly id: string;
  readonly address: Address;
  readonly startedMs: number;
  finishedMs: number | undefined;
  failure: VerifyFailure | undefined;
}

/** What is to be verified. */
export interface VerifyRequest extends CompileRequest {
  readonly address: Address;
  /** Transaction that made the contract, if it is known. */
  readonly creationTransaction: Hash | undefined;
}

class Refusal extends Error {
  readonly failure: VerifyFailure;
  constructor(customCode: string, message: string) {
    super(message);
    this.failure = { customCode, message };
  }
}

/** Verifies contracts of one node. */
export class Verifier {
  readonly #node: RpcNode;
  readonly #stop = new AbortController();
  readonly #queue = new SerialQueue({ name: "verification", limit: MAX_WAITING });
  readonly #jobs = new BoundedCache<string, Job>({ entries: MAX_JOBS });
  readonly #verified: VerifiedStore;

  constructor(node: RpcNode) {
    this.#node = node;
    this.#verified = new VerifiedStore(node.database);
  }

  job(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** The sources of the code that the address has now. */
  verified(address: Address): Verified | undefined {
    const found = this.#verified.get(address);
    return found?.codeHash === this.#codeHash(address) ? found : undefined;
  }

  /** Puts a request in line; undefined: too many wait. */
  start(request: VerifyRequest): Job | undefined {
    if (this.#queue.length >= MAX_WAITING) return undefined;
    const { address } = request;
    const startedMs = systemClock.nowMs();
    const job: Job = {
      id: randomUUID(),
      address,
      startedMs,
      finishedMs: undefined,
      failure: undefined,
    };
    this.#jobs.set(job.id, job);
    this.#queue
      .run(() => this.#run(job, request))
      .catch((error: unknown) => {
        // only the queue itself refuses: it was closed
        job.failure = failureOf(error);
        job.finishedMs = systemClock.nowMs();
      });
    return job;
  }

  /** Ends what runs and refuses what waits. */
  close(): Promise<void> {
    this.#stop.abort();
    return this.#queue.close();
  }

  #code(address: Address): Uint8Array {
    return this.#node.chain.stateAt(this.#node.chain.head.hash).code(address);
  }

  #codeHash(address: Address): string {
    return bytesToHex(keccak256(this.#code(address)));
  }

  async #run(job: Job, request: VerifyRequest): Promise<void> {
    try {
      await this.#verify(request);
    } catch (error) {
      job.failure = failureOf(error);
      if (job.failure.customCode === "internal_error")
        this.#node.log.error("Verification of a contract failed", { error });
    } finally {
      job.finishedMs = systemClock.nowMs();
    }
  }

  async #verify(request: VerifyRequest): Promise<void> {
    const { address, creationTransaction, ...compile } = request;
    const code = this.#code(address);
    if (code.length === 0)
      throw new Refusal("contract_not_deployed", `there is no contract at ${address}`);
    const contract = await compileContract(compile, this.#stop.signal);
    const runtimeMatch = matchRuntime(code, contract.evm.deployedBytecode);
    const creationMatch = this.#creationMatch(creationTransaction, address, contract);
    const match = runtimeMatch ?? creationMatch;
    if (match === undefined) {
      throw new Refusal("no_match", "the onchain and recompiled bytecodes do not match");
    }
    await this.#verified.set(address, {
      match: creationMatch === "exact_match" ? creationMatch : match,
      runtimeMatch,
      creationMatch,
      verifiedAtMs: systemClock.nowMs(),
      request: compile,
      contract,
      codeHash: bytesToHex(keccak256(code)),
    });
  }

  #creationMatch(
    hash: Hash | undefined,
    address: Address,
    contract: CompiledContract,
  ): Match | undefined {
    const found = hash && this.#node.chain.transaction(hash);
    if (found === undefined) return undefined;
    const transaction = found.block.transactions[found.index];
    const receipt = this.#node.chain.receipts(found.block.hash)?.[found.index];
    if (transaction === undefined || transaction.to !== undefined || receipt?.outcome === 0)
      return undefined;
    const made = contractAddress(storedSender(transaction), transaction.nonce);
    return made === address ? matchCreation(transaction.data, contract.evm.bytecode) : undefined;
  }
}

function failureOf(error: unknown): VerifyFailure {
  if (error instanceof Refusal) return error.failure;
  if (!(error instanceof CompilerError))
    return { customCode: "internal_error", message: "internal error" };
  const { reason } = error;
  switch (reason.code) {
    case "NO_COMPILER":
      return {
        customCode: "unsupported_compiler_version",
        message: "no compiler is installed here: npm install solc",
      };
    case "OTHER_VERSION":
      return {
        customCode: "unsupported_compiler_version",
        message: `only solc ${reason.version} is installed here`,
      };
    case "COMPILER_FAILED":
      return { customCode: "compiler_error", message: `the compiler failed: ${reason.detail}` };
    case "BAD_SOURCES":
      return { customCode: "compiler_error", message: reason.messages.join("\n") };
  }
}
