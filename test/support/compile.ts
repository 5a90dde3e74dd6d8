/** Compiles Solidity for tests with npm's solc, in a process of its own: soljson installs handlers in the one it runs in. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import type { Abi, Hex } from "viem";

/** What deploying and calling a contract takes. */
export interface Artifact {
  readonly abi: Abi;
  /** Creation code */
  readonly bytecode: Hex;
  readonly deployedBytecode: Hex;
}

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, ContractOutput>>>>;
}

interface ContractOutput {
  readonly abi: Abi;
  readonly evm: Readonly<Record<"bytecode" | "deployedBytecode", { readonly object: string }>>;
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
    sources: { [path]: { content: await readFile(join(root, path), "utf8") } },
    settings: {
      evmVersion: "osaka",
      optimizer: { enabled: true, runs: 200 },
      outputSelection: {
        "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] },
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
  };
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
