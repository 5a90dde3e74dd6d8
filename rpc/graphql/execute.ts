/** Queries of EIP-1767: parsed, checked, measured, then answered by way of the JSON-RPC methods. Loaded with the first query. */
import { buildSchema, execute, GraphQLError, parse, specifiedRules, validate } from "graphql";
import type { Json, JsonObject } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { knownError, RpcError } from "../errors.ts";
import type { Charge } from "../rateLimit.ts";
import { Asker, asObject, quantityText } from "./ask.ts";
import { queryLimits, sizeProblem } from "./limits.ts";
import {
  blockByHash,
  blockByNumber,
  logsOfRange,
  pendingNode,
  transactionByHash,
} from "./nodes.ts";
import { SCHEMA } from "./schema.ts";

/** Blocks of one `blocks(from, to)`. */
const MAX_BLOCKS = 128n;
/** Errors of validation that are told. */
const MAX_ERRORS = 10;

const schema = buildSchema(SCHEMA);

/** An answer: 400 where anything of it failed, as geth says it. */
export interface GraphQlReply {
  readonly status: 200 | 400;
  readonly body: object;
}

/** Where queries run. */
export interface GraphQlDeps {
  readonly context: RpcContext;
  readonly charge: Charge;
  /** Told of failures that are the node's own. */
  readonly onFault: (error: unknown) => void;
}

type Args = JsonObject;

function rootOf(asker: Asker) {
  return {
    block: ({ number, hash }: Args) => {
      if (hash !== undefined && hash !== null) {
        if (number === undefined || number === null) return blockByHash(asker, hash);
        throw new RpcError({
          code: "INVALID_PARAMS",
          text: "only one of number or hash must be given",
        });
      }
      const isHead = number === undefined || number === null;
      return blockByNumber(asker, isHead ? "latest" : quantityText(number, "number"));
    },
    blocks: (args: Args) => blocksOf(asker, args),
    pending: () => pendingNode(asker),
    transaction: ({ hash }: Args) => transactionByHash(asker, hash ?? null),
    logs: ({ filter }: Args) => logsOfRange(asker, filter),
    gasPrice: () => asker.ask("eth_gasPrice"),
    maxPriorityFeePerGas: () => asker.ask("eth_maxPriorityFeePerGas"),
    syncing: async () => asObject(await asker.ask("eth_syncing")) ?? null,
    chainID: () => asker.ask("eth_chainId"),
    sendRawTransaction: ({ data }: Args) => asker.ask("eth_sendRawTransaction", data ?? null),
  };
}

async function blocksOf(asker: Asker, { from, to }: Args): Promise<unknown[]> {
  const head = asker.context.node.chain.head.header.number;
  const end = (value: Json | undefined, where: string, fallback: bigint) =>
    value === undefined || value === null ? fallback : BigInt(quantityText(value, where));
  const [first, wanted] = [end(from, "from", 0n), end(to, "to", head)];
  if (first > wanted)
    throw new RpcError({ code: "INVALID_PARAMS", text: "invalid block range params" });
  const last = toBlockAtMost(head, wanted);
  if (last - first >= MAX_BLOCKS)
    throw new RpcError({
      code: "CLIENT_LIMIT",
      text: `too many blocks, want at most ${MAX_BLOCKS}`,
    });
  const found: unknown[] = [];
  for (let number = first; number <= last; number++) {
    const block = await blockByNumber(asker, quantityText(number, "number"));
    if (block !== undefined) found.push(block);
  }
  return found;
}

/** What is asked for beyond the head is not there yet, which is no mistake. */
function toBlockAtMost(head: bigint, wanted: bigint): bigint {
  return wanted > head ? head : wanted;
}

/** A failure as a query's sender sees it: the words and the code of JSON-RPC. */
function shownError(error: GraphQLError, onFault: GraphQlDeps["onFault"]): object {
  const { originalError: cause } = error;
  if (cause === undefined || cause instanceof GraphQLError) return error.toJSON();
  const known = knownError(cause);
  if (known === undefined) onFault(cause);
  const { code, message, data } = known ?? { code: -32603, message: "internal error" };
  const extensions = { code, ...(data !== undefined && { data }) };
  return { message, path: error.path, locations: error.locations, extensions };
}

/** Answers the body of a request: `{query, operationName?, variables?}`. */
export async function answerQuery(body: unknown, deps: GraphQlDeps): Promise<GraphQlReply> {
  const refuse = (errors: readonly GraphQLError[]): GraphQlReply => ({
    status: 400,
    body: { errors: errors.map((error) => error.toJSON()) },
  });
  const { query, operationName, variables } = Object(body);
  if (typeof query !== "string")
    return refuse([new GraphQLError('expected an object as {"query": "…"}')]);
  let document: ReturnType<typeof parse>;
  try {
    document = parse(query, { maxTokens: queryLimits.tokens });
  } catch (error) {
    if (error instanceof GraphQLError) return refuse([error]);
    throw error;
  }
  const errors = validate(schema, document, specifiedRules, { maxErrors: MAX_ERRORS });
  if (errors.length > 0) return refuse(errors);
  const problem = sizeProblem(document);
  if (problem !== undefined) return refuse([problem]);
  const result = await execute({
    schema,
    document,
    rootValue: rootOf(new Asker(deps.context, deps.charge)),
    operationName: typeof operationName === "string" ? operationName : null,
    variableValues: typeof variables === "object" ? variables : null,
  });
  if (result.errors === undefined) return { status: 200, body: result };
  const shown = result.errors.map((error) => shownError(error, deps.onFault));
  return { status: 400, body: { ...result, errors: shown } };
}
