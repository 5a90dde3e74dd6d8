/** The text of log lines: geth's terminal form and plain values for JSON. */
import { NodeError } from "../primitives/errors.ts";

/** What a log line tells besides its sentence. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Levels that lines have; verbosity 1 to 4 in this order. */
export type LogLevel = "error" | "warn" | "info" | "debug";

/** geth's column of the first field. */
const MESSAGE_WIDTH = 40;
/** Longer values are cut: a log line is read by people. */
const MAX_VALUE_LENGTH = 2_000;
const MAX_DEPTH = 4;

const COLOURS: Readonly<Record<LogLevel, number>> = { error: 31, warn: 33, info: 32, debug: 36 };
const LABELS: Readonly<Record<LogLevel, string>> = {
  error: "ERROR",
  warn: "WARN ",
  info: "INFO ",
  debug: "DEBUG",
};

const HASH = /^0x[0-9a-f]{64}$/;
const MS_SUFFIX = /Ms$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
const NEEDS_QUOTES = /[\s"=]|^$/;

/** One terminal line without its end, e.g. `INFO [11-20|11:10:26.123] Imported block   number=1,234 elapsed=12ms`. */
export function formatLine(
  line: { readonly level: LogLevel; readonly timeMs: number; readonly message: string },
  fields: string,
  colour: boolean,
): string {
  const label = colour
    ? `\u001b[${COLOURS[line.level]}m${LABELS[line.level]}\u001b[0m`
    : LABELS[line.level];
  const message = escapeControls(line.message);
  const text = fields === "" ? message : `${message.padEnd(MESSAGE_WIDTH)} ${fields}`;
  return `${label}[${formatTime(line.timeMs)}] ${text}`;
}

/** `key=value` pairs; keys in colour when asked. A number under a key `…Ms` is shown as a duration without the suffix. */
export function formatFields(fields: LogFields, colour?: LogLevel): string {
  const parts: string[] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const duration = typeof value === "number" && MS_SUFFIX.test(key);
    const name = duration ? key.replace(MS_SUFFIX, "") : key;
    const shown = colour === undefined ? name : `\u001b[${COLOURS[colour]}m${name}\u001b[0m`;
    parts.push(`${shown}=${duration ? formatDuration(value) : formatValue(value)}`);
  }
  return parts.join(" ");
}

/** Milliseconds as people read them: 850µs, 12ms, 3.456s, 4m3s. */
export function formatDuration(ms: number): string {
  if (ms < 1) return `${Math.round(ms * 1000)}µs`;
  if (ms < 1000) return `${ms < 10 ? Number(ms.toFixed(2)) : Math.round(ms)}ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${Number(seconds.toFixed(3))}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${Math.floor(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}

function formatTime(timeMs: number): string {
  const time = new Date(timeMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const date = `${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return `${date}|${clock}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

function formatValue(value: unknown): string {
  if (typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value)))
    return groupDigits(value.toString());
  if (typeof value === "number") return String(Number(value.toFixed(3)));
  if (typeof value === "string" && HASH.test(value))
    return `${value.slice(2, 8)}..${value.slice(-6)}`;
  const text = typeof value === "string" ? value : plainText(value);
  const short = text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
  return NEEDS_QUOTES.test(short) || short.search(UNSAFE) >= 0
    ? escapeControls(JSON.stringify(short))
    : short;
}

function plainText(value: unknown): string {
  if (value instanceof Error) return value.message;
  const plain = plainValue(value);
  return typeof plain === "string" ? plain : (JSON.stringify(plain) ?? String(value));
}

/** Thousands apart by commas, as geth does. */
function groupDigits(digits: string): string {
  return digits.length <= 3 ? digits : digits.replace(/\B(?=(?:\d{3})+(?!\d))/g, ",");
}

function escapeControls(text: string): string {
  return text.replace(UNSAFE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The same value as JSON can carry it: bigints as text, bytes as hex, errors as objects; bounded in depth. */
export function plainValue(value: unknown, depth = 0): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString("hex")}`;
  if (depth >= MAX_DEPTH) return "…";
  if (value instanceof Error) return plainError(value, depth);
  if (Array.isArray(value)) return value.map((item) => plainValue(item, depth + 1));
  const entries = value instanceof Map ? value : Object.entries(value);
  return Object.fromEntries(
    Array.from(entries, ([key, item]) => [String(key), plainValue(item, depth + 1)]),
  );
}

function plainError(error: Error, depth: number): object {
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    ...(error instanceof NodeError ? { reason: plainValue(error.reason, depth + 1) } : {}),
    ...(error.cause === undefined ? {} : { cause: plainValue(error.cause, depth + 1) }),
  };
}
