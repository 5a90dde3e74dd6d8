import assert from "node:assert/strict";
import { json, list, quantity } from "../../../rpc/codec.ts";
import { createContext } from "../../../rpc/createContext.ts";
import { createDispatcher, type Dispatcher } from "../../../rpc/dispatch.ts";
import { RpcError } from "../../../rpc/errors.ts";
import { defineMethod, type Method, optional, param } from "../../../rpc/method.ts";
import type { LogFields } from "../../../src/runtime/logText.ts";
import { plainGenesis } from "../../support/chains.ts";
import { startTestNode, type TestNode } from "../../support/rpcNode.ts";

const order: string[] = [];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const methods: readonly Method[] = [
  defineMethod({
    name: "test_slow",
    summary: "Waits.",
    params: [param("ms", quantity)],
    result: quantity,
    handler: async (_context, ms) => {
      order.push(`start ${ms}`);
      await pause(Number(ms));
      order.push(`end ${ms}`);
      return ms;
    },
  }),
  defineMethod({
    name: "test_overlapping",
    summary: "Waits, and lets the next of its kind start meanwhile.",
    params: [param("ms", quantity)],
    result: quantity,
    overlaps: true,
    handler: async (_context, ms) => {
      order.push(`start ${ms}`);
      await pause(Number(ms));
      order.push(`end ${ms}`);
      return ms;
    },
  }),
  defineMethod({
    name: "test_never",
    summary: "Never answers.",
    params: [],
    result: quantity,
    handler: () => new Promise<bigint>(() => {}),
  }),
  defineMethod({
    name: "test_fault",
    summary: "Throws what no caller may see.",
    params: [],
    result: quantity,
    handler: () => {
      throw new Error("secret path /home");
    },
  }),
  defineMethod({
    name: "test_unencodable",
    summary: "Returns what its codec cannot write.",
    params: [],
    result: { schema: {}, encode: () => JSON.parse("[1") },
    handler: () => 1,
  }),
  defineMethod({
    name: "test_revert",
    summary: "Throws with data.",
    params: [],
    result: quantity,
    handler: () => {
      throw new RpcError({ code: "REVERTED", data: Uint8Array.of(1, 2), reason: "no" });
    },
  }),
  defineMethod({
    name: "test_defaults",
    summary: "Returns its arguments.",
    params: [param("a", quantity, 7n), optional("b", quantity)],
    result: list(json),
    handler: (_context, a, b) => [String(a), b === undefined ? "none" : String(b)],
  }),
];

for (const way of ["answer", "answerPlain"] as const)
  describe(`createDispatcher, ${way}`, () => {
    let node: TestNode;
    let dispatcher: Dispatcher;
    const logged: [string, LogFields | undefined][] = [];
    before(async () => {
      node = await startTestNode(plainGenesis());
      const context = createContext(node, { limits: {}, methods });
      const log = {
        ...node.log,
        error: (text: string, fields?: LogFields) => void logged.push([text, fields]),
      };
      const open = new Map(methods.map((method) => [method.name, method]));
      dispatcher = createDispatcher(
        { all: methods, open, context, log },
        { batchCalls: 10, batchReplyBytes: 1_000, requestTimeoutMs: 500 },
      );
    });
    after(() => node[Symbol.asyncDispose]());

    const caller = { id: "test", isTrusted: true };
    const ask = async (body: unknown) =>
      JSON.parse((await dispatcher[way](body, { caller })) ?? "null");
    const call = (method: string, params: unknown = [], id = 1) => ({
      jsonrpc: "2.0",
      id,
      method,
      params,
    });

    it("runs the calls of a batch one after the other", async () => {
      order.length = 0;
      const replies = await ask([call("test_slow", ["0xa"], 1), call("test_slow", ["0x1"], 2)]);
      assert.deepEqual(order, ["start 10", "end 10", "start 1", "end 1"]);
      assert.deepEqual(
        replies.map((reply: { result: string }) => reply.result),
        ["0xa", "0x1"],
      );
    });

    it("starts calls of a method that overlaps together, and no other call beside them", async () => {
      order.length = 0;
      const replies = await ask([
        call("test_overlapping", ["0x28"], 1),
        call("test_overlapping", ["0x5"], 2),
        call("test_slow", ["0x1"], 3),
        call("test_overlapping", ["0x2"], 4),
      ]);
      const together = ["start 40", "start 5", "end 5", "end 40"];
      assert.deepEqual(order, [...together, "start 1", "end 1", "start 2", "end 2"]);
      assert.deepEqual(
        replies.map(({ id, result }: { id: number; result: string }) => [id, result]),
        [
          [1, "0x28"],
          [2, "0x5"],
          [3, "0x1"],
          [4, "0x2"],
        ],
      );
    });

    it("ends a request at its deadline, the rest of a batch too", async () => {
      const replies = await ask([call("test_never"), call("test_defaults", [], 2)]);
      const late = (id: number) => ({
        jsonrpc: "2.0",
        id,
        error: { code: -32002, message: "request timed out" },
      });
      assert.deepEqual(replies, [late(1), late(2)]);
    });

    it("shows nothing of a fault and logs it", async () => {
      logged.length = 0;
      for (const method of ["test_fault", "test_unencodable"]) {
        const reply = await ask(call(method));
        assert.deepEqual(reply.error, { code: -32603, message: "internal error" });
      }
      assert.equal(logged.length, 2);
      assert.equal(logged[0]?.[1]?.["method"], "test_fault");
    });

    it("keeps code, text and data of an error", async () => {
      const { error } = await ask(call("test_revert"));
      assert.deepEqual(error, { code: 3, message: "execution reverted: no", data: "0x0102" });
    });

    it("fills in defaults for absent and null arguments", async () => {
      const forms: readonly [unknown, unknown][] = [
        [[], ["7", "none"]],
        [
          [null, null],
          ["7", "none"],
        ],
        [["0x1"], ["1", "none"]],
        [
          [null, "0x2"],
          ["7", "2"],
        ],
      ];
      for (const [params, result] of forms) {
        assert.deepEqual((await ask(call("test_defaults", params))).result, result);
      }
    });
  });
