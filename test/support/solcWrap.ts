#!/usr/bin/env node
/**
 * npm's solc behind the two calls of native solc that tools make: `--version` and `--standard-json` (input on stdin, output
 * on stdout). `forge --offline --use test/support/solcWrap.ts` compiles with it, without a download. The paths that forge
 * allows are of no use here: it sends the text of every source.
 */
import { readFileSync } from "node:fs";
import solc from "solc";

const STDIN = 0;
const USAGE_EXIT = 2;

function answer(args: readonly string[]): string | undefined {
  if (args.includes("--version")) {
    return `solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`;
  }
  if (args.includes("--standard-json")) return solc.compile(readFileSync(STDIN, "utf8"));
  return undefined;
}

const text = answer(process.argv.slice(2));
if (text === undefined) {
  process.stderr.write("solcWrap takes --version or --standard-json\n");
  process.exitCode = USAGE_EXIT;
} else {
  process.stdout.write(text);
}
