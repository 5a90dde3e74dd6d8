/** Running the compiler of contracts: one at a time, with limits of time, memory and output. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { NodeError } from "../../src/primitives/errors.ts";

const MAX_HEAP_MEGABYTES = 1_024;
const MAX_COMPILE_MS = 60_000;
const MAX_OUTPUT_BYTES = 64 << 20;
/** The child's status where the package solc is not installed. */
const NO_COMPILER = 3;

export type CompilerReason =
  | { readonly code: "NO_COMPILER" }
  | { readonly code: "OTHER_VERSION"; readonly version: string }
  /** Too slow, too large, or the compiler broke down. */
  | { readonly code: "COMPILER_FAILED"; readonly detail: string }
  /** What the compiler says of the sources. */
  | { readonly code: "BAD_SOURCES"; readonly messages: readonly string[] };

/** The sources could not be compiled. */
export class CompilerError extends NodeError<CompilerReason> {}

/** Output of one contract, as Solidity's standard JSON has it. */
export interface CompiledContract {
  readonly abi: unknown;
  readonly metadata: string;
  readonly userdoc?: unknown;
  readonly devdoc?: unknown;
  readonly storageLayout?: unknown;
  readonly evm: {
    readonly bytecode: CompiledCode;
    readonly deployedBytecode: CompiledCode;
  };
}

/** Bytes with the places that are filled in later. */
export interface CompiledCode {
  /** Hex without prefix; placeholders stand where addresses of libraries belong. */
  readonly object: string;
  readonly linkReferences?: Readonly<Record<string, Readonly<Record<string, readonly Span[]>>>>;
  readonly immutableReferences?: Readonly<Record<string, readonly Span[]>>;
}

/** Bytes from `start` on. */
export interface Span {
  readonly start: number;
  readonly length: number;
}

/** What is to be compiled: the contract `name` of the source `path`. */
export interface CompileRequest {
  readonly compilerVersion: string;
  /** Standard JSON */
  readonly input: Readonly<Record<string, unknown>>;
  readonly path: string;
  readonly name: string;
}

const WANTED = [
  "abi",
  "metadata",
  "userdoc",
  "devdoc",
  "storageLayout",
  "evm.bytecode.object",
  "evm.bytecode.linkReferences",
  "evm.deployedBytecode.object",
  "evm.deployedBytecode.linkReferences",
  "evm.deployedBytecode.immutableReferences",
];

/** Compiles one contract. Throws CompilerError. */
export async function compileContract(
  request: CompileRequest,
  signal: AbortSignal,
): Promise<CompiledContract> {
  const { compilerVersion, input, path, name } = request;
  const { language, sources } = input;
  const settings = {
    ...Object(input["settings"]),
    // what was asked for besides costs time and room
    outputSelection: { [path]: { [name]: WANTED } },
  };
  const text = await runChild(
    // tools keep more in the same object than the compiler takes
    JSON.stringify({ compilerVersion, input: { language, sources, settings } }),
    signal,
  );
  const { version, output } = JSON.parse(text);
  if (output === undefined) throw new CompilerError({ code: "OTHER_VERSION", version });
  const errors: { severity: string; formattedMessage: string }[] = output.errors ?? [];
  const failed = errors.filter(({ severity }) => severity === "error");
  if (failed.length > 0) {
    const messages = failed.map(({ formattedMessage }) => formattedMessage);
    throw new CompilerError({ code: "BAD_SOURCES", messages });
  }
  const contract: CompiledContract | undefined = output.contracts?.[path]?.[name];
  if (contract !== undefined) return contract;
  throw new CompilerError({ code: "BAD_SOURCES", messages: [`${path} holds no contract ${name}`] });
}

function childFile(): string {
  const name = import.meta.url.endsWith(".ts") ? "./compileChild.ts" : "./compileChild.js";
  return fileURLToPath(new URL(name, import.meta.url));
}

function runChild(input: string, signal: AbortSignal): Promise<string> {
  const child = spawn(
    process.execPath,
    [`--max-old-space-size=${MAX_HEAP_MEGABYTES}`, childFile()],
    // nothing of this process' environment: sources are a stranger's
    {
      stdio: ["pipe", "pipe", "ignore"],
      env: {},
      timeout: MAX_COMPILE_MS,
      killSignal: "SIGKILL",
      signal,
    },
  );
  const parts: Buffer[] = [];
  let size = 0;
  child.stdout.on("data", (part: Buffer) => {
    size += part.length;
    if (size > MAX_OUTPUT_BYTES) child.kill("SIGKILL");
    else parts.push(part);
  });
  // the child may end without reading all of it
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", (error) => {
      const detail = signal.aborted ? "the node is stopping" : error.message;
      reject(new CompilerError({ code: "COMPILER_FAILED", detail }, { cause: error }));
    });
    child.once("close", (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(parts).toString("utf8"));
      if (code === NO_COMPILER) return reject(new CompilerError({ code: "NO_COMPILER" }));
      const detail = signal === null ? `it ended with ${code}` : "it took too long or too much";
      reject(new CompilerError({ code: "COMPILER_FAILED", detail }));
    });
  });
}
