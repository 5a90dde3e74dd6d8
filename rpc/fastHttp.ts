/** The short way for plain requests that come through node:http: it costs a third of the way through express (decisions/0045). */
import type { RequestListener } from "node:http";
import type { PlainAnswerer } from "./plainRequest.ts";
import { sendOutgoing } from "./reply.ts";

/** A listener that has plain requests answered by `answerer` and gives all others to `app`. */
export function withFastPath(app: RequestListener, answerer: PlainAnswerer): RequestListener {
  return (request, response) => {
    const { headers } = request;
    const isPost = request.method === "POST" && request.url === "/";
    if (!isPost || !answerer.isPlain(headers)) return app(request, response);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [only] = chunks;
      const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
      const head = { ip: request.socket.remoteAddress ?? "", headers };
      const outgoing = answerer.answer(body.toString("utf8"), head);
      if (outgoing instanceof Promise) void outgoing.then((ready) => sendOutgoing(response, ready));
      else sendOutgoing(response, outgoing);
    });
  };
}
