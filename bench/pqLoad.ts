/** Post-quantum transactions: verifications per second by algorithm and back end, and transfers in blocks of 0.25 s. */
import { parseArgs } from "node:util";
import { devValidatorKeys } from "../cli/devAccounts.ts";
import { buildDevGenesis } from "../cli/devGenesis.ts";
import {
  openPqKey,
  PQ_ACCOUNT_ALGORITHMS,
  PQ_CONTEXTS,
  pqAddress,
} from "../src/crypto/pqAccounts.ts";
import { pqAlgorithm } from "../src/crypto/pqAlgorithms.ts";
import { nativeBackend, nobleBackend, wasmBackend } from "../src/crypto/pqBackends.ts";
import { type DevSigner, devSigner } from "../src/node/devSigner.ts";
import { QNode } from "../src/node/node.ts";
import { type Bytes, EMPTY_BYTES } from "../src/primitives/bytes.ts";
import { type Address, ZERO_ADDRESS } from "../src/primitives/hex.ts";
import { silentLogger } from "../src/runtime/log.ts";
import { PQ_TYPE } from "../src/types/transactionTypes.ts";
import { table } from "./report.ts";

const CHAIN_ID = 31_337n;
const SENDERS = 200;
const BLOCK_TIME_MS = 250;
const BLOCK_GAS = 200_000_000n;
/** Transactions given to the pool at once. */
const BATCH = 256;
const MAX_WAIT_MS = 120_000;

interface Sender {
  readonly address: Address;
  readonly signer: DevSigner;
}

/** Runs both parts. */
export async function pqLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      txs: { type: "string", default: "8000" },
      ms: { type: "string", default: "400" },
    },
  });
  return [
    `Verification of a transaction's signature (32 bytes, context ${PQ_CONTEXTS.transaction}), key import included, on one thread:`,
    "",
    table(
      ["algorithm", "back end", "verifies/s", "us each"],
      await verifications(Number(values.ms)),
    ),
    "",
    await transfers(Number(values.txs)),
  ].join("\n");
}

async function verifications(ms: number): Promise<(readonly (string | number)[])[]> {
  const rows: (readonly (string | number)[])[] = [];
  const message = new Uint8Array(32).fill(7);
  const context = new TextEncoder().encode(PQ_CONTEXTS.transaction);
  for (const name of PQ_ACCOUNT_ALGORITHMS) {
    const key = await openPqKey(name, new Uint8Array(32).fill(5));
    const signature = await key.sign(message, context);
    for (const backend of [nativeBackend, wasmBackend, nobleBackend]) {
      const verify = await backend.load(name);
      if (verify === undefined) continue;
      const start = performance.now();
      let count = 0;
      for (; performance.now() - start < ms || count < 3; count++) {
        if (!verify(key.publicKey, message, signature, context))
          throw new Error(`${name} is refused`);
      }
      const each = ((performance.now() - start) * 1000) / count;
      rows.push([name, backend.name, Math.round(1e6 / each), Math.round(each)]);
    }
  }
  return rows;
}

function makeSenders(): Sender[] {
  return Array.from({ length: SENDERS }, (_, index) => {
    const seed = new Uint8Array(32).fill(1);
    new DataView(seed.buffer).setUint32(0, index);
    const algorithm = "ML-DSA-44";
    const signer = devSigner({ address: ZERO_ADDRESS, algorithm, seed });
    return { address: pqAddress(algorithm, signer.publicKey), signer };
  });
}

function sign({ signer }: Sender, nonce: number): Bytes {
  return signer.signTransaction({
    type: PQ_TYPE,
    chainId: CHAIN_ID,
    nonce: BigInt(nonce),
    maxFeePerGas: 10n ** 12n,
    maxPriorityFeePerGas: 1n,
    gasLimit: 84_212n,
    to: ZERO_ADDRESS,
    value: 1n,
    data: EMPTY_BYTES,
    accessList: [],
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: [],
    authorizationList: [],
  }).raw;
}

async function transfers(count: number): Promise<string> {
  const senders = makeSenders();
  const raws: Bytes[] = [];
  for (let nonce = 0; raws.length < count; nonce++)
    for (const sender of senders) if (raws.length < count) raws.push(sign(sender, nonce));
  const balance = 10n ** 24n;
  const genesis = buildDevGenesis({
    chainId: CHAIN_ID,
    gasLimit: BLOCK_GAS,
    baseFee: 1n,
    timestamp: BigInt(Math.floor(Date.now() / 1000)),
    accounts: senders,
    balance,
    blockTimeMs: BLOCK_TIME_MS,
    microblocks: false,
  });
  await using node = await QNode.start({
    genesis,
    clientVersion: "qnet/bench",
    log: silentLogger,
    recoveryThreads: 2,
    producer: {
      mode: "interval",
      blockTimeMs: BLOCK_TIME_MS,
      emptyBlocks: false,
      miner: ZERO_ADDRESS,
      keys: devValidatorKeys(),
    },
  });
  const { transactionFacts, cpuUs, elapsedMs } = await feed(node, raws);
  const { included, blocks, bytes } = transactionFacts;
  const rate = Math.round((included * 1000) / elapsedMs);
  return [
    `${count} transfers signed by ML-DSA-44 (${pqAlgorithm("ML-DSA-44").signatureBytes}-byte signatures) of ${SENDERS} senders, from raw bytes through pool and workers into blocks of ${BLOCK_TIME_MS} ms, state in memory:`,
    "",
    table(
      ["included", "blocks", "MB", "seconds", "transfers/s", "CPU us per transfer"],
      [
        [
          included,
          blocks,
          (bytes / 1e6).toFixed(1),
          (elapsedMs / 1000).toFixed(2),
          rate,
          Math.round(cpuUs / included),
        ],
      ],
    ),
  ].join("\n");
}

async function feed(node: QNode, raws: readonly Bytes[]) {
  let included = 0;
  let blocks = 0;
  let bytes = 0;
  const finished = Promise.withResolvers<void>();
  node.chain.on("head", ({ added }) => {
    for (const block of added) {
      blocks++;
      included += block.transactions.length;
      bytes += block.sizeBytes;
    }
    if (included >= raws.length) finished.resolve();
  });
  const cpu = process.cpuUsage();
  const start = performance.now();
  for (let at = 0; at < raws.length; at += BATCH)
    await Promise.all(raws.slice(at, at + BATCH).map((raw) => node.pool.add(raw, "local")));
  const timer = setTimeout(
    () => finished.reject(new Error("the blocks take too long")),
    MAX_WAIT_MS,
  );
  await finished.promise;
  clearTimeout(timer);
  const { user, system } = process.cpuUsage(cpu);
  const elapsedMs = performance.now() - start;
  return { transactionFacts: { included, blocks, bytes }, cpuUs: user + system, elapsedMs };
}
