/** Compiles Solidity for tests with npm's solc, in a process of its own: soljson installs handlers in the one it runs in. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, normalize } from "node:path";
import { text } from "node:stream/consumers";
import type { Abi, Hex } from "viem";

/** What deploying and calling a contract takes. */
export interface Artifact {
  readonly abi: Abi;
  /** Creation code */
  readonly bytecode: Hex;
  readonly deployedBytecode: Hex;
  readonly storageLayout: StorageLayout;
}

/** Where the compiler puts variables; slots as decimal text. */
export interface StorageLayout {
  readonly storage: readonly StoragePlace[];
  readonly types: Readonly<Record<string, { readonly members?: readonly StoragePlace[] }>> | null;
}

export interface StoragePlace {
  readonly label: string;
  readonly slot: string;
  /** bytes from the right end of the slot */
  readonly offset: number;
  readonly type: string;
}

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, ContractOutput>>>>;
}

interface ContractOutput {
  readonly abi: Abi;
  readonly evm: Readonly<Record<"bytecode" | "deployedBytecode", { readonly object: string }>>;
  readonly storageLayout: StorageLayout;
}

const root = join(import.meta.dirname, "../..");
const compiled = new Map<string, Promise<Artifact>>();

/** Artifact of the contract named like its file, `path` from the repository root; compiled once per process. */
export function compileContract(path: string): Promise<Artifact> {
  const known = compiled.get(path);
  if (known !== undefined) return known;
  const artifact = compileFile(path);
  compiled.set(path, artifact);
  return artifact;
}

async function compileFile(path: string): Promise<Artifact> {
  const name = basename(path, ".sol");
  const output = await standardJson({
    language: "Solidity",
    sources: await sourcesFor(path),
    settings: {
      evmVersion: "osaka",
      optimizer: { enabled: true, runs: 200 },
      // the code alone: a comment or a folder's name must not change it
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: {
        "*": {
          "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "storageLayout"],
        },
      },
    },
  });
  const failed = output.errors?.filter(({ severity }) => severity === "error") ?? [];
  if (failed.length > 0) throw new Error(failed.map((each) => each.formattedMessage).join("\n"));
  const contract = output.contracts?.[path]?.[name];
  if (contract === undefined) throw new Error(`${path} holds no contract ${name}`);
  return {
    abi: contract.abi,
    bytecode: `0x${contract.evm.bytecode.object}`,
    deployedBytecode: `0x${contract.evm.deployedBytecode.object}`,
    storageLayout: contract.storageLayout,
  };
}

/** The file and all that it imports by relative path. */
async function sourcesFor(
  path: string,
  sources: Record<string, { readonly content: string }> = {},
): Promise<Record<string, { readonly content: string }>> {
  if (sources[path] !== undefined) return sources;
  const content = await readFile(join(root, path), "utf8");
  sources[path] = { content };
  for (const [, specifier = ""] of content.matchAll(/^import [^;]*"(\.[^"]+)";/gm))
    await sourcesFor(normalize(join(dirname(path), specifier)), sources);
  return sources;
}

async function standardJson(input: object): Promise<CompilerOutput> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "solcWrap.ts"), "--standard-json"],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const ended = once(child, "close");
  child.stdin.end(JSON.stringify(input));
  const output = await text(child.stdout);
  await ended;
  if (child.exitCode !== 0) throw new Error(`solc ended with ${child.exitCode}`);
  return JSON.parse(output);
}
