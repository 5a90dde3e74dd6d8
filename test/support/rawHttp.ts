/** Bytes over TCP as a test wants them, and what an HTTP server says to them. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** One response, as it came. */
export interface RawResponse {
  readonly status: number;
  /** By lower-case name */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface RawExchange {
  readonly responses: readonly RawResponse[];
  /** The server ended the connection. */
  readonly isClosed: boolean;
}

const END = Buffer.from("\r\n\r\n");
/** How long a server may stay silent before a test takes it that nothing more comes. */
const SILENCE_MS = 150;

/** Text of a plain POST; `headers` replace or add to the usual ones, undefined leaves one out. */
export function postText(
  body: string,
  headers: Readonly<Record<string, string | undefined>> = {},
  start = "POST / HTTP/1.1",
): string {
  const all: Record<string, string | undefined> = {
    Host: "127.0.0.1",
    "Content-Type": "application/json",
    "Content-Length": String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `${[start, ...lines].join("\r\n")}\r\n\r\n${body}`;
}

/** Connects to a port of this machine. */
export async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** Resolves when the connection is gone; `once` would reject when it is reset. */
export function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
  });
}

/** Sends `parts` one after the other and reads until the server is silent or hangs up. */
export async function exchange(
  port: number,
  parts: readonly (string | Buffer)[],
  options: { readonly end?: boolean; readonly silenceMs?: number } = {},
): Promise<RawExchange> {
  const socket = await open(port);
  const read = reader(socket, options.silenceMs ?? SILENCE_MS);
  for (const [index, part] of parts.entries()) {
    // each part a packet of its own
    if (index > 0) await new Promise((resolve) => setTimeout(resolve, 15));
    socket.write(part);
  }
  if (options.end === true) socket.end();
  const all = await read;
  const isClosed = socket.readableEnded || socket.destroyed;
  socket.destroy();
  return { responses: parseResponses(all), isClosed };
}

function reader(socket: Socket, silenceMs: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  return new Promise((resolve) => {
    const done = () => resolve(Buffer.concat(chunks));
    let timer = setTimeout(done, silenceMs * 4);
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      clearTimeout(timer);
      timer = setTimeout(done, silenceMs);
    });
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        clearTimeout(timer);
        done();
      });
    }
  });
}

/** The whole responses in `bytes`: with a length, or without a body. */
export function parseResponses(bytes: Buffer): RawResponse[] {
  const responses: RawResponse[] = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf(END, at);
    if (end < 0) return responses;
    const [first = "", ...lines] = bytes.toString("latin1", at, end).split("\r\n");
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const start = end + END.length;
    const length = Number(headers.get("content-length") ?? 0);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? Number.NaN);
    responses.push({ status, headers, body: bytes.subarray(start, start + length) });
    at = start + length;
  }
}
