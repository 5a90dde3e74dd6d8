/** The log of a command, on its standard error. */
import { createLogger, type Logger } from "../src/runtime/log.ts";
import type { CommandIo } from "./io.ts";
import type { OptionValues } from "./options.ts";

/** A logger by the options that every command has. */
export function createCommandLog(
  values: OptionValues<"verbosity" | "log.format">,
  io: CommandIo,
): Logger {
  const { verbosity, "log.format": format } = values;
  return createLogger({ verbosity, format, stream: io.stderr });
}
