/**
 * `npm run bench -- <name>`: speed and memory, measured beside a peer in the same run. Each result is printed and kept as
 * text in bench/results with machine, versions and commit, so that a claim can be repeated.
 */
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
  import: {
    summary: "`qnet import` of a chain of transfers [--txs N] [--accounts N,N] [--runs N]",
    load: async () => (await import("./importLoad.ts")).importLoad,
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
  evm: {
    summary:
      "computing contracts: our EVM, @ethereumjs/evm and anvil in turn [--runs N] [--seconds N]",
    load: async () => (await import("./evmLoad.ts")).evmLoad,
  },
  logs: {
    summary: "eth_getLogs over an index of a million blocks [BLOCKS]",
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

const [name = "", ...args] = process.argv.slice(2);
const names = name === "all" ? Object.keys(benches) : [name];
for (const each of names) {
  const bench = benches[each];
  if (bench === undefined) {
    const rows = Object.entries(benches).map(
      ([key, { summary }]) => `  ${key.padEnd(8)} ${summary}`,
    );
    console.error(`usage: npm run bench -- all|NAME\n${rows.join("\n")}`);
    process.exit(2);
  }
  const run = await bench.load();
  console.log(report(each, await run(args)));
}
