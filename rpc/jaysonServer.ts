/**
 * The general way of a call: through jayson's server, which checks the request, finds the method and answers once. What jayson gets wrong
 * (ids of null, null params, nested and concurrent batches, the message of an Error) never reaches it: dispatch.ts has judged the
 * envelope, ids stay outside, and failures travel beside the reply.
 */
import jayson from "jayson";
import type { RpcContext } from "./context.ts";
import type { Result } from "./method.ts";

/** jayson wants a code; the failure itself travels in the journey. */
const JAYSON_FAILURE = -32603;

/** A judged call as far as running it goes. */
export interface RunnableCall {
  readonly method: string;
  readonly params: unknown;
}

/** Runs a call; throws or rejects with its failure. */
export type RunCall<C extends RunnableCall> = (
  call: C,
  context: RpcContext,
) => Result | Promise<Result>;

/** What travels through jayson beside the parameters, and back: the failure as it was thrown. */
class Journey<C extends RunnableCall> {
  readonly call: C;
  readonly context: RpcContext;
  failure: unknown;

  constructor(call: C, context: RpcContext) {
    this.call = call;
    this.context = context;
  }
}

/** The same `run`, behind a jayson server. */
export function throughJayson<C extends RunnableCall>(
  run: RunCall<C>,
): (call: C, context: RpcContext) => Promise<Result> {
  const method = new jayson.Method({
    useContext: true,
    handler: (_params: unknown, carried: object, done: jayson.JSONRPCCallbackTypePlain) => {
      const journey = carried as Journey<C>;
      const started = async () => run(journey.call, journey.context);
      started().then(
        (result) => done(null, result),
        (error: unknown) => {
          journey.failure = error;
          done({ code: JAYSON_FAILURE, message: "failed" });
        },
      );
    },
  });
  const server = new jayson.Server({}, { useContext: true, router: () => method });
  return (call, context) =>
    new Promise((resolve, reject) => {
      const journey = new Journey(call, context);
      // id 0 inside, the caller's outside: jayson takes an id of null for a notification
      const request: jayson.JSONRPCVersionTwoRequest = {
        jsonrpc: "2.0",
        id: 0,
        method: call.method,
        params: Object(call.params),
      };
      server.call(request, journey, (refused, reply) => {
        const answer: object = refused ?? reply ?? {};
        if ("result" in answer) resolve(answer.result as Result);
        else reject(journey.failure ?? new TypeError("jayson refused a request that was judged"));
      });
    });
}
