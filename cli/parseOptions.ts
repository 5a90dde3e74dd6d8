/** Reads a command's options: flags, then `QNET_…` variables, then the configuration file, then defaults. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parse as parseToml, TomlError } from "smol-toml";
import type { Definition } from "./definitions.ts";
import { UsageError } from "./exit.ts";
import type { CommandIo } from "./io.ts";
import {
  configKeyOf,
  NOT_YET,
  type OptionName,
  type OptionValues,
  optionNames,
  options,
  variableOf,
} from "./options.ts";

/** Where a value came from, the strongest first. */
export type OptionSource = "flag" | "variable" | "file" | "default";

export interface ParsedOptions<N extends OptionName> {
  readonly values: OptionValues<N>;
  readonly operands: readonly string[];
  readonly sourceOf: (name: OptionName) => OptionSource;
  /** --help was given */
  readonly help: boolean;
}

interface Found {
  readonly text: string;
  readonly source: OptionSource;
  /** As the user knows it: `--http.port`, `QNET_HTTP_PORT` */
  readonly label: string;
}

/** Parses the arguments of one command. Throws UsageError; unknown variables are warned of on stderr. */
export function parseOptions<const D extends Definition>(
  definition: D,
  args: readonly string[],
  io: CommandIo,
): ParsedOptions<D["options"][number]> {
  type N = D["options"][number];
  const names: readonly N[] = definition.options;
  const { flags, operands, help } = readFlags(definition, args);
  warnOfUnknownVariables(io);
  const variables = readVariables(names, io.env);
  const file = help ? new Map() : readConfig(flags.get("config") ?? variables.get("config"), names);
  const values: Partial<Record<OptionName, unknown>> = {};
  const sources = new Map<OptionName, OptionSource>();
  for (const name of names) {
    const found: Found | undefined = flags.get(name) ?? variables.get(name) ?? file.get(name);
    values[name] = found === undefined ? options[name].fallback : parsedValue(name, found);
    sources.set(name, found?.source ?? "default");
  }
  return {
    values: values as OptionValues<N>,
    operands,
    sourceOf: (name) => sources.get(name) ?? "default",
    help,
  };
}

function parsedValue(name: OptionName, found: Found): unknown {
  try {
    return options[name].kind.parse(found.text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${found.label}: ${error.message}`, { cause: error });
  }
}

interface Flags {
  readonly flags: ReadonlyMap<OptionName, Found>;
  readonly operands: readonly string[];
  readonly help: boolean;
}

function readFlags(definition: Definition, args: readonly string[]): Flags {
  const spelled = spellings(definition);
  const letters = new Map(Object.entries(definition.short ?? {}));
  const { tokens, positionals } = parseArgs({
    args: args.map((arg, index) => withValue(definition, arg, args[index + 1])),
    options: {
      ...Object.fromEntries(
        [...spelled].map(([flag, name]) => [
          flag,
          { type: options[name].kind.placeholder === "" ? "boolean" : "string" } as const,
        ]),
      ),
      ...Object.fromEntries([...letters.keys()].map((letter) => [letter, letterOption(letter)])),
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const flags = new Map<OptionName, Found>();
  let help = false;
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    if (token.name === "help") help = true;
    else {
      const name = spelled.get(token.name) ?? letters.get(token.name);
      if (name === undefined) refuseFlag(definition, token.rawName);
      flags.set(name, foundFlag(name, token, flags.get(name)));
    }
  }
  return { flags, operands: positionals, help };
}

/** The flag with the value that it has where none follows. */
function withValue({ alone }: Definition, arg: string, next: string | undefined): string {
  const value = arg.startsWith("--") ? alone?.[arg.slice(2)] : undefined;
  const isAlone = next === undefined || next.startsWith("-");
  return value !== undefined && isAlone ? `${arg}=${value}` : arg;
}

function letterOption(letter: string) {
  return { type: "string", short: letter } as const;
}

function spellings(definition: Definition): Map<string, OptionName> {
  const spelled = new Map<string, OptionName>();
  for (const name of definition.options) spelled.set(name, name);
  for (const [alias, name] of Object.entries(definition.aliases ?? {})) spelled.set(alias, name);
  return spelled;
}

function foundFlag(
  name: OptionName,
  token: {
    readonly rawName: string;
    readonly value?: string | undefined;
    readonly inlineValue?: boolean | undefined;
  },
  earlier: Found | undefined,
): Found {
  const { placeholder } = options[name].kind;
  const value = token.value ?? (placeholder === "" ? "true" : undefined);
  if (value === undefined || (token.inlineValue === false && value.startsWith("-"))) {
    const isNegative = /^-[0-9]/.test(value ?? "");
    const hint = isNegative ? ", not a negative one" : "";
    throw new UsageError(`${token.rawName} needs a value (${placeholder})${hint}`);
  }
  // a list may be given in several flags; anything else is overruled by its last mention
  const joined = placeholder === "A,B" && earlier ? `${earlier.text},${value}` : value;
  return { text: joined, source: "flag", label: token.rawName };
}

function refuseFlag(definition: Definition, rawName: string): never {
  const name = rawName.replace(/^--?/, "");
  if (NOT_YET.has(name) || name.startsWith("override.")) {
    throw new UsageError(`${rawName} is not supported yet`);
  }
  const known = [...spellings(definition).keys()];
  const near = known.find((flag) => flag.startsWith(name) || flag.endsWith(`.${name}`));
  const hint = near === undefined ? "" : `, did you mean --${near}?`;
  throw new UsageError(
    `${definition.name} has no option ${rawName}${hint} (qnet ${definition.name} --help lists all)`,
  );
}

function readVariables(
  names: readonly OptionName[],
  env: CommandIo["env"],
): ReadonlyMap<OptionName, Found> {
  const found = new Map<OptionName, Found>();
  for (const name of names) {
    const label = variableOf(name);
    const text = env[label];
    if (text !== undefined) found.set(name, { text, source: "variable", label });
  }
  return found;
}

function warnOfUnknownVariables(io: CommandIo): void {
  const known = new Set(optionNames.map(variableOf));
  for (const variable of Object.keys(io.env)) {
    if (!variable.startsWith("QNET_") || known.has(variable)) continue;
    if (variable === "QNET_FIXTURES" || variable.startsWith("QNET_TEST_")) continue;
    io.stderr.write(
      `Warning: the environment variable ${variable} is not known and has no effect\n`,
    );
  }
}

function readConfig(
  file: Found | undefined,
  names: readonly OptionName[],
): ReadonlyMap<OptionName, Found> {
  const found = new Map<OptionName, Found>();
  if (file === undefined) return found;
  const known = new Map(optionNames.map((name) => [configKeyOf(name), name]));
  for (const [key, value] of flatten(parseConfig(file), "")) {
    const name = known.get(key);
    const label = `${file.text}: ${key}`;
    if (name === undefined) throw new UsageError(`${label} is not a known option`);
    if (names.includes(name)) found.set(name, { text: value, source: "file", label });
  }
  return found;
}

function parseConfig(file: Found): Record<string, unknown> {
  try {
    return parseToml(readFileSync(file.text, "utf8"), { integersAsBigInt: "asNeeded" });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const place = error instanceof TomlError ? `${file.text}: ` : "";
    throw new UsageError(`${file.label}: ${place}${error.message}`, { cause: error });
  }
}

function flatten(value: unknown, path: string): [key: string, text: string][] {
  if (Array.isArray(value)) return [[path, value.map(String).join(",")]];
  if (typeof value !== "object" || value === null) return [[path, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) =>
    flatten(inner, path === "" ? key : `${path}.${key}`),
  );
}
