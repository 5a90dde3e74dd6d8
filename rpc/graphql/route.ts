/** POST /graphql. The engine behind it is loaded with the first query: most nodes never get one. */
import express, { type Express, type Response } from "express";
import type { Logger } from "../../src/runtime/log.ts";
import type { Caller } from "../callers.ts";
import type { SharedContext } from "../createContext.ts";
import { refuseDeepJson } from "../jsonDepth.ts";
import type { Charge } from "../rateLimit.ts";
import { sendReply } from "../reply.ts";

/** Bytes of a query with its variables. */
const BODY_BYTES = 1 << 20;

export interface GraphQlRouteDeps {
  readonly context: SharedContext;
  readonly charge: Charge;
  readonly log: Logger;
}

/** Serves GraphQL beside JSON-RPC. */
export function addGraphQl(
  app: Express,
  callerOf: (response: Response) => Caller,
  { context, charge, log }: GraphQlRouteDeps,
): void {
  app.post(
    "/graphql",
    express.json({ limit: BODY_BYTES, verify: refuseDeepJson }),
    async (request, response) => {
      const { answerQuery } = await import("./execute.ts");
      const { status, body } = await answerQuery(request.body, {
        context: { ...context, connection: { caller: callerOf(response) } },
        charge,
        onFault: (error) => log.error("A GraphQL query failed", { error }),
      });
      await sendReply(request, response, { status, text: JSON.stringify(body) });
    },
  );
  app.all("/graphql", (_request, response) => {
    response.status(405).setHeader("Allow", "POST").type("text/plain").send("POST a query\n");
  });
}
