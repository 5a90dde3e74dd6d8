/** Genesis of a development chain: genesis/devnet.json, changed as the flags say. */
import { createPrivateKey, sign } from "node:crypto";
import {
  type Address,
  bytesToHex,
  hexToBytes,
  parseAddress,
  parseHash,
} from "../src/primitives/hex.ts";
import { consensusMessage, keyProofBody, MESSAGE_KIND } from "../src/types/consensusMessage.ts";
import { type Genesis, parseGenesis } from "../src/types/genesis.ts";
import { seedOf, validatorSeed } from "./devAccounts.ts";
import { UsageError } from "./exit.ts";
import { networkText } from "./genesisFiles.ts";
import { TEST_MNEMONIC } from "./options.ts";

/** What the flags of `qnet dev` say about block 0 and the rules. */
export interface DevGenesisOptions {
  readonly chainId: bigint;
  readonly gasLimit: bigint;
  /** wei */
  readonly baseFee: bigint;
  /** seconds */
  readonly timestamp: bigint;
  /** Funded accounts, of whatever kind of key */
  readonly accounts: readonly { readonly address: Address }[];
  /** wei, of each account */
  readonly balance: bigint;
  readonly blockTimeMs: number | undefined;
  /** Slots, epochs and votes as the main network has them. */
  readonly microblocks: boolean;
}

const SECOND_MS = 1000;

/**
 * Tick of a block time in ms, in slots of a second: longer times are a matter of pace alone, so that timestamps can be set to
 * the second. Throws UsageError for a fraction that does not divide a second, naming the nearest.
 */
export function tickOf(blockTimeMs: number | undefined): number {
  if (blockTimeMs === undefined) return SECOND_MS;
  if (blockTimeMs >= SECOND_MS && blockTimeMs % SECOND_MS === 0) return SECOND_MS;
  const allowed = nearestBlockTimeMs(blockTimeMs);
  if (allowed === blockTimeMs) return blockTimeMs;
  throw new UsageError(
    `--block-time: ${blockTimeMs / SECOND_MS} s is neither whole seconds nor a divisor of one second; ` +
      `the nearest that is: ${allowed / SECOND_MS}`,
  );
}

/** Fewest milliseconds of a block: consensus allows 255 ticks in a slot. */
const MIN_TICK_MS = 4;

function nearestBlockTimeMs(blockTimeMs: number): number {
  if (blockTimeMs > SECOND_MS) return Math.round(blockTimeMs / SECOND_MS) * SECOND_MS;
  let best = SECOND_MS;
  for (let tick = MIN_TICK_MS; tick <= SECOND_MS; tick++) {
    const nearer = Math.abs(tick - blockTimeMs) < Math.abs(best - blockTimeMs);
    if (SECOND_MS % tick === 0 && nearer) best = tick;
  }
  return best;
}

/** The parts of devnet.json that are changed. */
interface DevnetFile {
  readonly config: {
    readonly chainId: number;
    readonly qnet: {
      readonly consensus: {
        readonly salt: string;
        readonly staking: string;
        readonly validators: readonly { readonly owner: string; readonly publicKey: string }[];
      };
    };
  };
  readonly alloc: Readonly<Record<string, { readonly code?: string }>>;
}

/** Builds the genesis. Throws UsageError, GenesisError. */
export function buildDevGenesis(options: DevGenesisOptions): Genesis {
  const file: DevnetFile = JSON.parse(networkText("devnet"));
  const gasLimit = String(options.gasLimit);
  const { qnet } = file.config;
  const consensus = {
    ...qnet.consensus,
    ...(options.microblocks ? mainnetTiming() : { tickMs: tickOf(options.blockTimeMs) }),
    gasLimit,
    slotGasLimit: gasLimit,
    validators: publicValidators(file, options.chainId),
  };
  const contracts = Object.entries(file.alloc).filter(([, { code }]) => code !== undefined);
  const balance = String(options.balance);
  const funded = options.accounts.map(({ address }) => [address, { balance }] as const);
  return parseGenesis({
    ...file,
    config: { ...file.config, chainId: String(options.chainId), qnet: { ...qnet, consensus } },
    timestamp: String(options.timestamp),
    gasLimit,
    baseFeePerGas: String(options.baseFee),
    alloc: Object.fromEntries<unknown>([...contracts, ...funded]),
  });
}

/** What of the main network's parameters makes its cadence. */
const TIMING = [
  "slotMs",
  "tickMs",
  "minTickGap",
  "epochLength",
  "commitBlocks",
  "voteDelaySlots",
  "emptyBlocks",
  "clockDisparityMs",
  "maxBlockBytes",
  "unbonding",
  "evidenceWindow",
  "trustPeriod",
] as const;

function mainnetTiming(): Readonly<Record<string, unknown>> {
  const { consensus } = JSON.parse(networkText("mainnet")).config.qnet;
  return Object.fromEntries(TIMING.map((name) => [name, consensus[name]]));
}

/** The file's validators; for another chain id their keys, which are public, sign their key proofs again. */
function publicValidators({ config }: DevnetFile, chainId: bigint): readonly unknown[] {
  const { validators, staking, salt } = config.qnet.consensus;
  if (chainId === BigInt(config.chainId)) return validators;
  const domain = { chainId, salt: parseHash(salt) };
  const seed = seedOf(TEST_MNEMONIC);
  return validators.map((validator, index) => {
    const publicKey = hexToBytes(validator.publicKey);
    const body = keyProofBody(parseAddress(staking), parseAddress(validator.owner), publicKey);
    const key = createPrivateKey({
      key: Buffer.from(validatorSeed(seed, index)),
      format: "raw-seed",
      asymmetricKeyType: "ml-dsa-44",
    });
    const proof = sign(null, consensusMessage(domain, MESSAGE_KIND.keyProof, body), key);
    return { ...validator, keyProof: bytesToHex(proof) };
  });
}
