/** Logging: a constant sentence and an object, as geth's terminal lines or as JSON with geth's keys, to stderr. */
import { pino } from "pino";
import { formatFields, formatLine, type LogFields, type LogLevel, plainValue } from "./logText.ts";

/** Writes log lines; `child` adds fields to each of its lines. */
export interface Logger {
  /** What an operator must fix. */
  error(message: string, fields?: LogFields): void;
  /** What may become that. */
  warn(message: string, fields?: LogFields): void;
  /** A few lines a minute. */
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
  /** Sets the level, 0 to MAX_VERBOSITY, of this logger and of all that share its origin. */
  setVerbosity(verbosity: number): void;
}

/** Where lines go; process.stderr is one. */
export interface LogStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  hasColors?(): boolean;
}

export interface LogOptions {
  /** geth's numbers: 0 silent, 1 error, 2 warn, 3 info, 4 and 5 debug */
  readonly verbosity: number;
  readonly format: "terminal" | "json";
  /** default: the stream is a terminal with colours (Node honours NO_COLOR there) */
  readonly colour?: boolean;
  /** default: process.stderr */
  readonly stream?: LogStream;
}

const PINO_LEVELS = ["silent", "error", "warn", "info", "debug", "debug"] as const;
/** geth's most talkative level */
export const MAX_VERBOSITY = PINO_LEVELS.length - 1;

function levelOf(verbosity: number): (typeof PINO_LEVELS)[number] {
  return PINO_LEVELS[Math.min(Math.max(Math.trunc(verbosity), 0), MAX_VERBOSITY)] ?? "info";
}

/** A logger by `options`. */
export function createLogger(options: LogOptions): Logger {
  const stream = options.stream ?? process.stderr;
  const colour = options.colour ?? (stream.isTTY === true && (stream.hasColors?.() ?? false));
  const settings = {
    level: levelOf(options.verbosity),
    base: null,
    messageKey: "msg",
    timestamp: () => `,"t":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ lvl: label }) },
  };
  if (options.format === "json") {
    return jsonLogger(pino(settings, { write: (text) => stream.write(text) }), {});
  }
  // pino keeps levels and order; the line it hands over carries our text in one field
  const terminal = pino(settings, { write: (text) => stream.write(terminalLine(text, colour)) });
  return terminalLogger(terminal, {}, colour);
}

/** Throws every line away. */
export const silentLogger: Logger = {
  error: () => {},
  warn: () => {},
  info: () => {},
  debug: () => {},
  child: () => silentLogger,
  setVerbosity: () => {},
};

type Sink = pino.Logger;

function loggerOf(
  sink: Sink,
  write: (level: LogLevel, message: string, fields: LogFields | undefined) => void,
  child: (fields: LogFields) => Logger,
): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    if (sink.isLevelEnabled(level)) write(level, message, fields);
  };
  const setVerbosity = (verbosity: number) => {
    sink.level = levelOf(verbosity);
  };
  return {
    error: at("error"),
    warn: at("warn"),
    info: at("info"),
    debug: at("debug"),
    child,
    setVerbosity,
  };
}

/** Keys of the line itself; a field of that name would make the JSON ambiguous. */
const RESERVED = new Set(["t", "lvl", "msg"]);

function jsonLogger(sink: Sink, bound: LogFields): Logger {
  return loggerOf(
    sink,
    (level, message, fields) => {
      const plain: Record<string, unknown> = {};
      for (const [key, value] of Object.entries({ ...bound, ...fields }))
        plain[RESERVED.has(key) ? `${key}_` : key] = plainValue(value);
      sink[level](plain, message);
    },
    (fields) => jsonLogger(sink, { ...bound, ...fields }),
  );
}

function terminalLogger(sink: Sink, bound: LogFields, colour: boolean): Logger {
  return loggerOf(
    sink,
    (level, message, fields) => {
      sink[level](
        { fields: formatFields({ ...bound, ...fields }, colour ? level : undefined) },
        message,
      );
    },
    (fields) => terminalLogger(sink, { ...bound, ...fields }, colour),
  );
}

interface TerminalRecord {
  readonly t: string;
  readonly lvl: LogLevel;
  readonly msg: string;
  readonly fields: string;
}

function terminalLine(text: string, colour: boolean): string {
  const { t, lvl, msg, fields }: TerminalRecord = JSON.parse(text);
  return `${formatLine({ level: lvl, timeMs: Date.parse(t), message: msg }, fields, colour)}\n`;
}
