/**
 * `npm run bench -- <name>`: speed and memory, measured beside a peer in the same run. Each result is printed and kept as
 * text in bench/results with machine, versions and commit, so that a claim can be repeated.
 */
import { spawnSync } from "node:child_process";
import { report } from "./report.ts";

type Bench = (args: readonly string[]) => Promise<string>;

const benches: Readonly<Record<string, { summary: string; load: () => Promise<Bench> }>> = {
  load: {
    summary:
      "transactions over JSON-RPC at 1 s blocks, alternating with anvil [--rows A,B] [--txs N] [--runs N]",
    load: async () => (await import("./transferLoad.ts")).transferLoad,
  },
  build: {
    summary: "building and storing blocks of transfers [--blocks N,N] [--accounts N,N] [--runs N]",
    load: async () => (await import("./buildLoad.ts")).buildLoad,
  },
  memory: {
    summary: "60 blocks of 50,000 transfers in a row: a curve of memory [--runs N] [--blocks N]",
    load: async () => {
      const { buildLoad } = await import("./buildLoad.ts");
      return (args) => buildLoad([...MANY_LARGE_BLOCKS, ...args]);
    },
  },
  import: {
    summary: "`qnet import` of a chain of transfers [--txs N] [--accounts N,N] [--runs N]",
    load: async () => (await import("./importLoad.ts")).importLoad,
  },
  pool: {
    summary: "the transaction pool at several sizes [--sizes N,N] [--runs N]",
    load: async () => (await import("./poolLoad.ts")).poolLoad,
  },
  rpc: {
    summary:
      "14 read methods beside anvil, runs in turn [--runs N] [--seconds N] [--connections N]",
    load: async () => (await import("./rpcLoad.ts")).rpcLoad,
  },
  mixed: {
    summary:
      "200 users who read and write at blocks of 1 s: latency by method [--users N] [--seconds N]",
    load: async () => (await import("./mixedLoad.ts")).mixedLoad,
  },
  soak: {
    summary:
      "reads, wrong calls among them: does the heap stay flat [--requests N] [--connections N]",
    load: async () => (await import("./soakLoad.ts")).soakLoad,
  },
  ping: {
    summary:
      "a small read during heavy calls and traces: longest wait [--seconds N] [--attackers N]",
    load: async () => (await import("./pingLoad.ts")).pingLoad,
  },
  evm: {
    summary:
      "computing contracts: our EVM, @ethereumjs/evm and anvil in turn [--runs N] [--seconds N]",
    load: async () => (await import("./evmLoad.ts")).evmLoad,
  },
  logs: {
    summary: "eth_getLogs over an index of up to a million blocks [BLOCKS,BLOCKS]",
    load: async () => (await import("./micro/logs.ts")).logsBench,
  },
  micro: {
    summary: "single functions: recovery, keccak, trie, codec",
    load: async () => (await import("./micro/micro.ts")).micro,
  },
  consensus: {
    summary: "steps of the core at 4, 21 and 100 validators, orphans against latency [--minutes N]",
    load: async () => (await import("./micro/consensus.ts")).consensusBench,
  },
  pq: {
    summary:
      "verifications by algorithm and back end; ML-DSA-44 transfers in 0.25 s blocks [--txs N] [--ms N]",
    load: async () => (await import("./pqLoad.ts")).pqLoad,
  },
  precompiles: {
    summary: "Mgas/s of every precompile, the post-quantum ones beside Ethereum's [--ms N]",
    load: async () => (await import("./micro/precompiles.ts")).precompiles,
  },
};

/** Of the build bench; what comes after them on the command line counts instead. */
const MANY_LARGE_BLOCKS = ["--blocks", "50000", "--accounts", "10000", "--runs", "60"] as const;

/** What `all` asks of benches that take longer than a few minutes as they are. */
const SHORTER: Readonly<Record<string, readonly string[]>> = {
  load: ["--runs", "3"],
  import: ["--runs", "1"],
};

const [name = "", ...args] = process.argv.slice(2);
if (name === "all") runAll();
else if (benches[name] === undefined) {
  const rows = Object.entries(benches).map(([key, { summary }]) => `  ${key.padEnd(8)} ${summary}`);
  console.error(`usage: npm run bench -- all|NAME\n${rows.join("\n")}`);
  process.exitCode = 2;
} else await run(name, args);

async function run(name: string, given: readonly string[]): Promise<void> {
  const bench = await benches[name]?.load();
  const startMs = performance.now();
  const body = (await bench?.(given)) ?? "";
  const seconds = Math.round((performance.now() - startMs) / 1000);
  console.log(report({ name, args: given, seconds }, body));
}

/** Each in a process of its own: memory and heap of one tell nothing of another, and what fails or crashes stops no other. */
function runAll(): void {
  const failed = Object.keys(benches).filter((each) => {
    const command = [import.meta.filename, each, ...(SHORTER[each] ?? [])];
    const { status, signal, error } = spawnSync(process.execPath, command, { stdio: "inherit" });
    if (status === 0) return false;
    console.error(`${each} ended with ${error?.message ?? signal ?? status}`);
    return true;
  });
  if (failed.length === 0) return;
  console.error(`failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}
