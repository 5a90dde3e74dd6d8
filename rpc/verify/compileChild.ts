/**
 * Compiles Solidity in a process of its own: soljson blocks its thread, takes its memory and installs handlers in the
 * process it runs in. Reads {compilerVersion, input} from stdin; writes {version, output?} to stdout, without output where
 * the version is another. The package solc is optional; without it the exit status is 3.
 */
import { text } from "node:stream/consumers";

const NO_COMPILER = 3;

interface Solc {
  version(): string;
  compile(input: string): string;
}

async function loadCompiler(): Promise<Solc | undefined> {
  try {
    return (await import("solc")).default;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")
      return undefined;
    throw error;
  }
}

const compiler = await loadCompiler();
if (compiler === undefined) process.exitCode = NO_COMPILER;
else {
  const { compilerVersion, input } = JSON.parse(await text(process.stdin));
  // "0.8.37+commit.abcdef12.Emscripten.clang"
  const version = compiler.version().replace(/\.Emscripten.*$/, "");
  const isWanted = version === compilerVersion.replace(/^v/, "");
  const output = isWanted ? JSON.parse(compiler.compile(JSON.stringify(input))) : undefined;
  process.stdout.write(JSON.stringify({ version, output }));
}
