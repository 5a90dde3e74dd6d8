/** Small chains for tests: genesis files, funded keys, blocks with transfers, the public chain of the fixtures. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type BlockDraft,
  type BuiltBlock,
  buildBlock,
  type Candidate,
} from "../../src/chain/buildBlock.ts";
import { Chain } from "../../src/chain/chain.ts";
import type { ChainDependencies } from "../../src/chain/chainEvents.ts";
import { anySeal, importedIsHead } from "../../src/chain/importBlock.ts";
import { addressOf } from "../../src/crypto/secp256k1.ts";
import { contractAddress } from "../../src/execution/contractAddress.ts";
import { EMPTY_BYTES } from "../../src/primitives/bytes.ts";
import { type Address, hexToBytes, parseAddress, ZERO_HASH } from "../../src/primitives/hex.ts";
import { silentLogger } from "../../src/runtime/log.ts";
import { type Database, openDatabase } from "../../src/storage/database.ts";
import { type Block, decodeBlock } from "../../src/types/block.ts";
import { type Genesis, parseGenesis, parseGenesisText } from "../../src/types/genesis.ts";
import { rlpItemLength } from "../../src/types/rlp.ts";
import { senderOf } from "../../src/types/sender.ts";
import type { Transaction, TransactionFields } from "../../src/types/transaction.ts";
import { signTransaction } from "../../src/types/transactionCodec.ts";

const root = join(import.meta.dirname, "../..");

/** The first three keys of the public test mnemonic. */
export const TEST_KEYS = [
  "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
  "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
  "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
].map(hexToBytes);

export const TEST_ADDRESSES: readonly Address[] = TEST_KEYS.map(addressOf);
export const TEST_MINER = parseAddress(`0x${"c0".repeat(20)}`);

/** Genesis file of a network of this repository. */
export function networkText(name: string): string {
  return readFileSync(join(root, `genesis/${name}.json`), "utf8");
}

/** The genesis of the development network: Osaka from block 0, edits by hand allowed. */
export function devnetGenesis(): Genesis {
  return parseGenesisText(networkText("devnet"));
}

/** The same without our section: a plain Ethereum chain. `gasLimit` makes another chain of it. */
export function plainGenesis(gasLimit = 30_000_000): Genesis {
  const json = JSON.parse(networkText("devnet"));
  delete json.config.qnet;
  return parseGenesis({ ...json, gasLimit: `0x${gasLimit.toString(16)}` });
}

export interface TestChain extends AsyncDisposable {
  readonly chain: Chain;
  readonly database: Database;
}

/** A chain in memory, or on disk at `path`. */
export async function openTestChain(
  genesis: Genesis,
  options: Partial<ChainDependencies> & {
    readonly path?: string;
    readonly database?: Database;
  } = {},
): Promise<TestChain> {
  const database = options.database ?? (await openDatabase({ path: options.path }));
  try {
    const chain = await Chain.open(database, genesis, {
      sealRules: anySeal,
      headRule: importedIsHead,
      log: silentLogger,
      ...options,
    });
    const close = async () => {
      await chain.close();
      await database.close();
    };
    return { chain, database, [Symbol.asyncDispose]: close };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** A signed EIP-1559 transaction of key `from` (an index of TEST_KEYS); a transfer of 1 wei unless `fields` say more. */
export function testTransaction(
  chain: Chain,
  from: number,
  nonce: number,
  fields: Partial<TransactionFields> = {},
): Transaction {
  const key = TEST_KEYS[from];
  if (key === undefined) throw new RangeError(`there is no test key ${from}`);
  const full: TransactionFields = {
    type: 2,
    chainId: chain.config.chainId,
    nonce: BigInt(nonce),
    maxFeePerGas: 100_000_000_000n,
    maxPriorityFeePerGas: 1_000_000_000n,
    gasLimit: 21_000n,
    to: parseAddress(`0x${"ee".repeat(20)}`),
    value: 1n,
    data: EMPTY_BYTES,
    accessList: [],
    maxFeePerBlobGas: 0n,
    blobVersionedHashes: [],
    authorizationList: [],
    ...fields,
  };
  return signTransaction(full, key);
}

/** Builds on the head (or on `draft.parent`) without importing. */
export function buildTestBlock(
  chain: Chain,
  transactions: readonly Transaction[] = [],
  draft: Partial<BlockDraft> = {},
): Promise<BuiltBlock> {
  const parent = draft.parent ?? chain.head;
  const candidates: Candidate[] = transactions.map((transaction) => ({
    transaction,
    sender: senderOf(transaction),
  }));
  const full: BlockDraft = {
    parent,
    timestamp: parent.header.timestamp + 1n,
    miner: TEST_MINER,
    prevRandao: ZERO_HASH,
    gasLimit: parent.header.gasLimit,
    extraData: EMPTY_BYTES,
    ...draft,
  };
  return buildBlock(chain, full, candidates, { clock: { nowMs: () => performance.now() } });
}

/** Builds on the head and imports with the result attached. */
export async function mineTestBlock(
  chain: Chain,
  transactions: readonly Transaction[] = [],
  draft: Partial<BlockDraft> = {},
): Promise<Block> {
  const built = await buildTestBlock(chain, transactions, draft);
  await chain.importBlock(built.block, built);
  return built.block;
}

/** A contract that stores its call's number of bytes in slot 0 and logs the first data word as topic: creation code. */
export const LOGGER_CODE = hexToBytes(
  // runtime: CALLDATASIZE PUSH0 SSTORE PUSH0 CALLDATALOAD PUSH0 PUSH0 LOG1 STOP
  "0x6009600c60003960096000f3365f555f355f5fa100",
);

/** Addresses of the first `count` contracts that key `from` creates. */
export function contractsOf(from: number, count: number): Address[] {
  const sender = TEST_ADDRESSES[from];
  if (sender === undefined) throw new RangeError(`there is no test key ${from}`);
  return Array.from({ length: count }, (_, nonce) => contractAddress(sender, BigInt(nonce)));
}

/** Folder of a set of public fixtures. */
export function fixturePath(...names: string[]): string {
  return join(process.env["QNET_FIXTURES"] ?? join(root, "../shared/fixtures"), ...names);
}

/** The public chain of 54 blocks from Homestead to BPO2. */
export function readFixtureChain(): { readonly genesis: Genesis; readonly blocks: Block[] } {
  const genesis = parseGenesisText(readFileSync(fixturePath("rpc-compat", "genesis.json"), "utf8"));
  return { genesis, blocks: splitBlocks(readFileSync(fixturePath("rpc-compat", "chain.rlp"))) };
}

/** Blocks of a file of concatenated RLP. */
export function splitBlocks(file: Uint8Array): Block[] {
  const raw = new Uint8Array(file);
  const blocks: Block[] = [];
  for (let at = 0; at < raw.length; ) {
    const { totalLength = 0 } = rlpItemLength(raw, at) ?? {};
    if (totalLength === 0) throw new RangeError("the chain file is cut off");
    blocks.push(decodeBlock(raw.subarray(at, at + totalLength)));
    at += totalLength;
  }
  return blocks;
}
