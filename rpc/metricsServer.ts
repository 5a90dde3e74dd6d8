/** The page that Prometheus reads, on a port of its own: what it tells is for the operator, not for callers. */
import type { RequestListener } from "node:http";
import type { Logger } from "../src/runtime/log.ts";
import { closeServers, listenAll, urlOf } from "./listen.ts";

/** `/metrics`, and the path that geth's scrapers ask. */
const PATHS: ReadonlySet<string> = new Set(["/metrics", "/debug/metrics/prometheus"]);

/** Where the page is served. */
export interface MetricsOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/** What the page shows. */
export interface MetricsPage {
  readonly contentType: string;
  text(): Promise<string>;
}

/** A running server. */
export interface MetricsServer {
  /** `http://127.0.0.1:6060/metrics` */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts serving the page. Throws ServerError when the address cannot be had. */
export async function startMetricsServer(
  page: MetricsPage,
  options: MetricsOptions,
  log: Logger,
): Promise<MetricsServer> {
  const servers = await listenAll(
    listenerOf(page, log),
    { hosts: [options.host], port: options.port },
    log,
  );
  const [first] = servers;
  if (first === undefined) throw new RangeError("no address to listen on");
  return { url: `${urlOf("http", first)}/metrics`, close: () => closeServers(servers) };
}

function listenerOf(page: MetricsPage, log: Logger): RequestListener {
  return (request, response) => {
    const path = (request.url ?? "").split("?")[0] ?? "";
    const readable = request.method === "GET" || request.method === "HEAD";
    if (!PATHS.has(path) || !readable) {
      response.writeHead(PATHS.has(path) ? 405 : 404, { "content-type": "text/plain" });
      response.end("see /metrics\n");
      return;
    }
    page.text().then(
      (text) => {
        response.writeHead(200, { "content-type": page.contentType });
        response.end(request.method === "HEAD" ? undefined : text);
      },
      (error: unknown) => {
        log.error("The metrics could not be read", { error });
        response.writeHead(500, { "content-type": "text/plain" });
        response.end();
      },
    );
  };
}
