/** `qnet import` of a chain of transfers: blocks, transactions and gas per second, as the command itself reports them. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { buildBlock } from "../src/chain/buildBlock.ts";
import { Chain } from "../src/chain/chain.ts";
import { networkRules } from "../src/chain/networkRules.ts";
import { keccak256 } from "../src/crypto/keccak.ts";
import { addressOf } from "../src/crypto/secp256k1.ts";
import { type Bytes, EMPTY_BYTES } from "../src/primitives/bytes.ts";
import { type Address, bytesToAddress, ZERO_ADDRESS, ZERO_HASH } from "../src/primitives/hex.ts";
import { silentLogger } from "../src/runtime/log.ts";
import { openDatabase } from "../src/storage/database.ts";
import { encodeBlock } from "../src/types/block.ts";
import { type Genesis, parseGenesisText } from "../src/types/genesis.ts";
import { signTransaction } from "../src/types/transactionCodec.ts";
import { median, table } from "./report.ts";

const root = join(import.meta.dirname, "..");
const run = promisify(execFile);
const TIMEOUT_MS = 600_000;
const SENDERS = 100;
const BALANCE = `0x${(10n ** 24n).toString(16)}`;

const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);
const KEYS = Array.from({ length: SENDERS }, (_, i) => keccak256(bytesOf(`import-sender:${i}`)));

interface Shape {
  readonly transactions: number;
  readonly perBlock: number;
  /** Distinct recipients. */
  readonly accounts: number;
}

/** Imports the chain `runs` times into new directories. */
export async function importLoad(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      txs: { type: "string", default: "100000" },
      "per-block": { type: "string", default: "1000" },
      accounts: { type: "string", default: "1000,10000,100000" },
      runs: { type: "string", default: "3" },
    },
  });
  const rows: (readonly (string | number)[])[] = [];
  for (const accounts of values.accounts.split(",").map(Number)) {
    const shape = {
      transactions: Number(values.txs),
      perBlock: Number(values["per-block"]),
      accounts,
    };
    rows.push(await importShape(shape, Number(values.runs)));
  }
  return [
    `${values.txs} transfers of ${SENDERS} senders, ${values["per-block"]} a block, imported by \`qnet import\` into a new data directory on disk; median of ${values.runs}.`,
    "",
    table(["recipients", "tx/s", "runs", "blocks/s", "Mgas/s"], rows),
  ].join("\n");
}

async function importShape(shape: Shape, runs: number): Promise<readonly (string | number)[]> {
  const folder = mkdtempSync(join(tmpdir(), "qnet-import-"));
  try {
    await writeChain(folder, shape);
    const reports: Record<string, number>[] = [];
    for (let i = 0; i < runs; i++) {
      const datadir = join(folder, `data-${i}`);
      const command = ["import", "--datadir", datadir, "--genesis", join(folder, "genesis.json")];
      const file = join(folder, "chain.rlp");
      const { stdout } = await run(
        process.execPath,
        [join(root, "cli/main.ts"), ...command, file],
        { timeout: TIMEOUT_MS },
      );
      reports.push(JSON.parse(stdout));
      rmSync(datadir, { recursive: true, force: true });
      console.error(`${shape.accounts} recipients, run ${i + 1}: ${stdout.trim()}`);
    }
    const of = (key: string) => median(reports.map((report) => report[key] ?? Number.NaN));
    const each = reports.map((report) => report["transactionsPerSecond"]?.toFixed(0)).join(", ");
    return [
      shape.accounts,
      of("transactionsPerSecond").toFixed(0),
      each,
      of("blocksPerSecond").toFixed(1),
      of("mgasPerSecond").toFixed(1),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The forks and system contracts of the devnet as a plain Ethereum chain, and funded senders. */
function genesisText(): string {
  const devnet = JSON.parse(readFileSync(join(root, "genesis/devnet.json"), "utf8"));
  delete devnet.config.qnet;
  const funded = Object.fromEntries(KEYS.map((key) => [addressOf(key), { balance: BALANCE }]));
  const alloc = { ...devnet.alloc, ...funded };
  return JSON.stringify({ ...devnet, gasLimit: "0x3b9aca00", alloc });
}

/** Writes genesis.json and chain.rlp. */
async function writeChain(folder: string, shape: Shape): Promise<void> {
  const text = genesisText();
  writeFileSync(join(folder, "genesis.json"), text);
  const genesis = parseGenesisText(text);
  await using database = await openDatabase();
  const chain = await Chain.open(database, genesis, {
    ...networkRules(genesis.config),
    log: silentLogger,
  });
  const blocks: Bytes[] = [];
  const recipients = Array.from({ length: shape.accounts }, (_, i) =>
    bytesToAddress(keccak256(bytesOf(`import-recipient:${i}`)).subarray(12)),
  );
  for (let sent = 0; sent < shape.transactions; sent += shape.perBlock) {
    const candidates = Array.from({ length: shape.perBlock }, (_, i) =>
      transfer(genesis, sent + i, recipients[(sent + i) % recipients.length] ?? ZERO_ADDRESS),
    );
    const { header, hash } = chain.head;
    const draft = {
      parent: { header, hash },
      timestamp: header.timestamp + 1n,
      miner: bytesToAddress(keccak256(bytesOf("import-miner")).subarray(12)),
      prevRandao: ZERO_HASH,
      gasLimit: header.gasLimit,
      extraData: EMPTY_BYTES,
    };
    const built = await buildBlock(chain, draft, candidates, {
      clock: { nowMs: () => performance.now() },
    });
    await chain.importBlock(built.block, built);
    blocks.push(encodeBlock(built.block));
  }
  writeFileSync(join(folder, "chain.rlp"), Buffer.concat(blocks));
  await chain.close();
}

function transfer(genesis: Genesis, index: number, to: Address) {
  const key = KEYS[index % SENDERS];
  if (key === undefined) throw new RangeError("no key");
  const fields = {
    type: 2,
    chainId: genesis.config.chainId,
    nonce: BigInt(Math.floor(index / SENDERS)),
    maxFeePerGas: 10n ** 12n,
    maxPriorityFeePerGas: 10n ** 9n,
    gasLimit: 21_000n,
    to,
    value: 1n,
    data: EMPTY_BYTES,
    accessList: [],
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: [],
    authorizationList: [],
  };
  return { transaction: signTransaction(fields, key), sender: addressOf(key) };
}
