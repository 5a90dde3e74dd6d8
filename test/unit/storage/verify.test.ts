import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keccak256, keccakHash } from "../../../src/crypto/keccak.ts";
import { type Bytes, EMPTY_BYTES } from "../../../src/primitives/bytes.ts";
import {
  bigIntToHash,
  type Hash,
  hexToBytes,
  parseAddress,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "../../../src/primitives/hex.ts";
import { orderedTrieRoot } from "../../../src/state/orderedTrie.ts";
import { State } from "../../../src/state/state.ts";
import { columns, del, put, type WriteOp } from "../../../src/storage/columns.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { databaseStateStore, stateChangeOps } from "../../../src/storage/stateStore.ts";
import { databaseStats, MAX_PROBLEMS, verifyDatabase } from "../../../src/storage/verify.ts";
import { EMPTY_ACCOUNT, EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { type Block, encodeBody, makeBlock } from "../../../src/types/block.ts";
import type { Header } from "../../../src/types/header.ts";
import {
  encodeReceipt,
  encodeReceiptsForStorage,
  makeReceipt,
} from "../../../src/types/receipt.ts";
import { encodeRlp } from "../../../src/types/rlp.ts";
import { signTransaction } from "../../../src/types/transactionCodec.ts";

const BLOCKS = 6;
const addressOf = (n: number) => parseAddress(`0x${n.toString(16).padStart(40, "0")}`);

const emptyHeader: Header = {
  parentHash: ZERO_HASH,
  sha3Uncles: keccakHash(encodeRlp([])),
  miner: ZERO_ADDRESS,
  stateRoot: EMPTY_TRIE_ROOT,
  transactionsRoot: EMPTY_TRIE_ROOT,
  receiptsRoot: EMPTY_TRIE_ROOT,
  logsBloom: new Uint8Array(256),
  difficulty: 0n,
  number: 0n,
  gasLimit: 30_000_000n,
  gasUsed: 0n,
  timestamp: 0n,
  extraData: EMPTY_BYTES,
  mixHash: ZERO_HASH,
  nonce: new Uint8Array(8),
  baseFeePerGas: undefined,
  withdrawalsRoot: undefined,
  blobGasUsed: undefined,
  excessBlobGas: undefined,
  parentBeaconBlockRoot: undefined,
  requestsHash: undefined,
};

/** One transaction with one log. */
function contentOf(number: bigint) {
  const transaction = signTransaction(
    {
      type: 0,
      chainId: 1n,
      nonce: number,
      maxFeePerGas: 1n,
      maxPriorityFeePerGas: 1n,
      accessList: [],
      maxFeePerBlobGas: 0n,
      blobVersionedHashes: [],
      authorizationList: [],
      gasLimit: 21_000n,
      to: addressOf(9),
      value: 5n,
      data: EMPTY_BYTES,
    },
    keccak256(Uint8Array.of(1)),
  );
  const log = { address: addressOf(3), topics: [bigIntToHash(number)], data: Uint8Array.of(1) };
  const receipt = makeReceipt({ type: 0, outcome: 1, cumulativeGasUsed: 21_000n, logs: [log] });
  return { transaction, receipt };
}

/** A stored chain of BLOCKS + 1 blocks whose state has 300 accounts, contracts and slots. */
async function build(
  database: Database,
): Promise<{ blocks: Block[]; code: Hash; stateRoot: Hash }> {
  const state = new State(databaseStateStore(database), EMPTY_TRIE_ROOT);
  for (let i = 1; i <= 300; i++)
    state.setAccount(addressOf(i), { ...EMPTY_ACCOUNT, nonce: BigInt(i) });
  for (const contract of [7, 8]) {
    state.setCode(addressOf(contract), Uint8Array.of(contract, 1, 2));
    for (let i = 0; i < 50; i++)
      state.setSlot(addressOf(contract), bigIntToHash(BigInt(i)), Uint8Array.of(contract, i));
  }
  const changes = state.takeChanges();
  const ops: WriteOp[] = stateChangeOps(changes);
  const blocks: Block[] = [];
  for (let number = 0n; number <= BLOCKS; number++) {
    const { transaction, receipt } = contentOf(number);
    const header: Header = {
      ...emptyHeader,
      number,
      parentHash: blocks.at(-1)?.hash ?? ZERO_HASH,
      stateRoot: changes.root,
      transactionsRoot: orderedTrieRoot([transaction.raw]),
      receiptsRoot: orderedTrieRoot([encodeReceipt(receipt)]),
      logsBloom: receipt.logsBloom,
    };
    const block = makeBlock(header, {
      transactions: [transaction],
      ommers: [],
      withdrawals: undefined,
    });
    blocks.push(block);
    ops.push(
      put(columns.canonical, number, block.hash),
      put(columns.numbers, block.hash, number),
      put(columns.headers, block.hash, header),
      put(columns.bodies, block.hash, encodeBody(block)),
      put(columns.receipts, block.hash, encodeReceiptsForStorage([receipt])),
      put(columns.senders, block.hash, new Uint8Array(20)),
      put(columns.transactions, transaction.hash, { blockNumber: number, index: 0 }),
    );
  }
  const [genesis, head] = [blocks[0]?.hash ?? ZERO_HASH, blocks.at(-1)?.hash ?? ZERO_HASH];
  for (const name of ["head", "safe", "finalized"])
    ops.push(put(columns.meta, name, hexToBytes(head)));
  ops.push(put(columns.meta, "genesis", hexToBytes(genesis)));
  await database.batch(ops);
  return { blocks, code: keccakHash(Uint8Array.of(7, 1, 2)), stateRoot: changes.root };
}

async function problemsAfter(
  damage: (built: Awaited<ReturnType<typeof build>>, database: Database) => WriteOp[],
): Promise<string> {
  await using database = await openDatabase();
  const built = await build(database);
  await database.batch(damage(built, database));
  const { problems } = await verifyDatabase(database);
  return problems.map(({ block, problem }) => `${block ?? "-"} ${problem}`).join("\n");
}

describe("verifyDatabase", () => {
  it("finds nothing wrong with a whole database, and counts what it saw", async () => {
    await using database = await openDatabase();
    await build(database);
    const { counts, problems, problemCount } = await verifyDatabase(database);
    assert.deepEqual(problems, []);
    assert.equal(problemCount, 0);
    assert.deepEqual(
      { ...counts, nodes: 0 },
      { blocks: BLOCKS + 1, nodes: 0, accounts: 300, slots: 100, codes: 2 },
    );
    assert.ok(counts.nodes > 300);
    assert.equal((await verifyDatabase(database, { depth: 2 })).counts.blocks, 2);
  });

  it("finds every removed trie node", async () => {
    await using database = await openDatabase();
    await build(database);
    const nodes: [Bytes, Bytes][] = [];
    for await (const [hash, raw] of database.iterate(columns.nodes)) nodes.push([hash, raw]);
    for (const [hash, raw] of nodes.filter((_, index) => index % 20 === 0)) {
      await database.batch([del(columns.nodes, hash)]);
      const { problems } = await verifyDatabase(database, { depth: 1 });
      assert.equal(problems.length, 1);
      assert.match(problems[0]?.problem ?? "", /node 0x[0-9a-f]{64} at .* is missing/);
      await database.batch([put(columns.nodes, hash, raw)]);
    }
  });

  it("finds a node and a code with other bytes than their hash says", async () => {
    const text = await problemsAfter(({ code, stateRoot }) => [
      put(columns.code, code, Uint8Array.of(1)),
      put(columns.nodes, hexToBytes(stateRoot), Uint8Array.of(0xc0)),
    ]);
    assert.match(text, /at the root has another hash/);
    assert.match(
      await problemsAfter(({ code }) => [put(columns.code, code, Uint8Array.of(1))]),
      /code stored under .* another hash/,
    );
    assert.match(
      await problemsAfter(({ code }) => [del(columns.code, code)]),
      /code .* is missing/,
    );
  });

  it("finds what is missing or wrong in a block, and names it", async () => {
    const damages: [RegExp, Parameters<typeof problemsAfter>[0]][] = [
      [/^3 has no canonical hash/m, () => [del(columns.canonical, 3n)]],
      [/^3 header of .* is missing/m, ({ blocks }) => [del(columns.headers, hashOf(blocks, 3))]],
      [
        /^3 header stored under .* has hash/m,
        ({ blocks }) => [put(columns.headers, hashOf(blocks, 3), { ...emptyHeader, number: 3n })],
      ],
      [
        /^3 .* is not the parent of the next block/m,
        ({ blocks }) => [put(columns.canonical, 3n, hashOf(blocks, 2))],
      ],
      [/^3 number of .* is not stored/m, ({ blocks }) => [del(columns.numbers, hashOf(blocks, 3))]],
      [/^3 body is missing/m, ({ blocks }) => [del(columns.bodies, hashOf(blocks, 3))]],
      [
        /^3 transactionsRoot is/m,
        ({ blocks }, database) => [
          put(
            columns.bodies,
            hashOf(blocks, 3),
            database.get(columns.bodies, hashOf(blocks, 2)) ?? EMPTY_BYTES,
          ),
        ],
      ],
      [
        /^3 BAD_RLP .*body/m,
        ({ blocks }) => [put(columns.bodies, hashOf(blocks, 3), Uint8Array.of(1, 2, 3))],
      ],
      [/^3 receipts are missing/m, ({ blocks }) => [del(columns.receipts, hashOf(blocks, 3))]],
      [
        /^3 receiptsRoot is/m,
        ({ blocks }) => [put(columns.receipts, hashOf(blocks, 3), encodeReceiptsForStorage([]))],
      ],
      [
        /^3 transaction .* is not found/m,
        ({ blocks }) => [del(columns.transactions, blocks[3]?.transactions[0]?.hash ?? ZERO_HASH)],
      ],
      [
        /^3 7 bytes of senders/m,
        ({ blocks }) => [put(columns.senders, hashOf(blocks, 3), new Uint8Array(7))],
      ],
      [/^7 is canonical but above the head/m, () => [put(columns.canonical, 7n, ZERO_HASH)]],
      [/^- head points to no block/m, () => [del(columns.meta, "head")]],
      [
        /^- safe .* is not a canonical block/m,
        () => [put(columns.meta, "safe", new Uint8Array(32))],
      ],
    ];
    for (const [expected, damage] of damages) assert.match(await problemsAfter(damage), expected);
  });

  it("keeps a bounded list of problems and counts the rest", async () => {
    await using database = await openDatabase();
    await build(database);
    const leaves: Bytes[] = [];
    for await (const [hash, raw] of database.iterate(columns.nodes))
      if (raw.length < 120) leaves.push(hash);
    await database.batch(leaves.map((hash) => del(columns.nodes, hash)));
    const { problems, problemCount } = await verifyDatabase(database);
    assert.equal(problems.length, MAX_PROBLEMS);
    assert.ok(problemCount > MAX_PROBLEMS);
  });
});

function hashOf(blocks: readonly Block[], index: number): Hash {
  return blocks[index]?.hash ?? ZERO_HASH;
}

describe("databaseStats", () => {
  it("counts entries and bytes of each column, and the files on disk", async () => {
    const path = mkdtempSync(join(tmpdir(), "qnet-storage-"));
    try {
      await using database = await openDatabase({ path });
      await build(database);
      const stats = await databaseStats(database);
      const entries = new Map(stats.columns.map((row) => [row.name, row.entries]));
      assert.equal(entries.get("headers"), BLOCKS + 1);
      assert.equal(entries.get("code"), 2);
      assert.equal(entries.get("logIndex"), 0);
      assert.equal(entries.size, Object.keys(columns).length);
      assert.ok((stats.diskBytes ?? 0) > 0);
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});

describe("columns", () => {
  it("have names of their own and prefixes of their own", () => {
    const rows = Object.entries(columns);
    for (const [key, row] of rows) assert.equal(row.name, key);
    assert.equal(new Set(rows.map(([, row]) => row.prefix)).size, rows.length);
  });
});
