/** A node's JSON-RPC as commands use it: one call at a time, with a deadline. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Bytes, bytesToBigInt } from "../src/primitives/bytes.ts";
import { bytesToHex, hexToBytes } from "../src/primitives/hex.ts";
import { CommandError } from "./exit.ts";

const CALL_TIMEOUT_MS = 30_000;
/** Characters of a strange answer that an error shows. */
const MAX_QUOTED = 200;
const RECEIPT_TIMEOUT_MS = 120_000;
const RECEIPT_POLL_MS = 500;
const receipt = z.object({ status: z.string(), blockNumber: z.string(), gasUsed: z.string() });
const hexText = z.string().regex(/^0x[0-9a-fA-F]*$/);
const reply = z.object({
  result: z.unknown().optional(),
  error: z.object({ message: z.string(), data: z.unknown().optional() }).optional(),
});

/** Why a node refused a call. */
export class RpcFailure extends CommandError {
  /** Returned by the contract that reverted */
  readonly data: string | undefined;

  constructor(problem: string, data: string | undefined) {
    super({ code: "FAILED", problem });
    this.data = data;
  }
}

/** One node. */
export class RpcEndpoint {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Result of a method. Throws RpcFailure for an error reply, CommandError for a node that cannot be reached. */
  async call(method: string, ...params: readonly unknown[]): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const { result, error } = expect(reply, await this.#post(body), method);
    if (error === undefined) return result;
    const data = hexText.safeParse(error.data);
    throw new RpcFailure(`${method}: ${error.message}`, data.success ? data.data : undefined);
  }

  /** A method whose result is a number. */
  async quantity(method: string, ...params: readonly unknown[]): Promise<bigint> {
    return BigInt(expect(hexText, await this.call(method, ...params), method));
  }

  /** Words that a view returns, 32 bytes each. */
  async view(to: string, data: Bytes): Promise<readonly bigint[]> {
    const call = { to, data: bytesToHex(data) };
    const raw = hexToBytes(
      expect(hexText, await this.call("eth_call", call, "latest"), "eth_call"),
    );
    return Array.from({ length: Math.floor(raw.length / 32) }, (_, index) =>
      bytesToBigInt(raw.subarray(32 * index, 32 * index + 32)),
    );
  }

  /** Receipt of a transaction once it is in a block. Throws CommandError if it was reverted or does not come. */
  async included(hash: string): Promise<{ readonly block: bigint; readonly gasUsed: bigint }> {
    const deadline = AbortSignal.timeout(RECEIPT_TIMEOUT_MS);
    while (!deadline.aborted) {
      const method = "eth_getTransactionReceipt";
      const found = expect(receipt.nullable(), await this.call(method, hash), method);
      if (found?.status === "0x1")
        return { block: BigInt(found.blockNumber), gasUsed: BigInt(found.gasUsed) };
      if (found !== null)
        throw new CommandError({ code: "FAILED", problem: `transaction ${hash} was reverted` });
      await sleep(RECEIPT_POLL_MS);
    }
    const problem = `transaction ${hash} is in no block after ${RECEIPT_TIMEOUT_MS / 1000} s; it may still come`;
    throw new CommandError({ code: "FAILED", problem });
  }

  async #post(body: string): Promise<unknown> {
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
        signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      });
      return await response.json();
    } catch (cause) {
      const problem = `no JSON-RPC at ${this.#url}: ${cause instanceof Error ? cause.message : cause}`;
      throw new CommandError({ code: "FAILED", problem }, { cause });
    }
  }
}

/** What the node said, if it has the shape of an answer. Throws CommandError: something else may stand in front of the node. */
function expect<T>(shape: z.ZodType<T>, said: unknown, method: string): T {
  const read = shape.safeParse(said);
  if (read.success) return read.data;
  const problem = `${method}: expected an answer of a node, got ${JSON.stringify(said)?.slice(0, MAX_QUOTED)}`;
  throw new CommandError({ code: "FAILED", problem });
}
