/**
 * `config.qnet` of a genesis file: what makes a chain a QNet chain. Without it a genesis is a plain Ethereum chain: no
 * extra precompile, no transaction type 0x51, no production of blocks. Schema here, rules across fields in
 * `qnetProblems`. Unknown fields are refused: a misspelt consensus parameter must not be ignored.
 */
import { z } from "zod";
import { PQ_ALGORITHMS, pqAlgorithm } from "../crypto/pqAlgorithms.ts";
import { pqVerifier } from "../crypto/pqVerifier.ts";
import { EMPTY_BYTES } from "../primitives/bytes.ts";
import { type Address, parseAddress } from "../primitives/hex.ts";
import { consensusMessage, keyProofBody, MESSAGE_KIND } from "./consensusMessage.ts";
import { addressField, bytesField, count, hashField, quantity } from "./genesisFields.ts";

const SECONDS_PER_YEAR = 31_557_600;
const MAX_INTERVAL_MS = 3_600_000;
const MIB = 1_048_576;
/**
 * The epoch call has 30 million gas. A hand-off has at most twice maxActive members, and one that is jailed costs 17,000 gas
 * (contracts/staking/gas.txt).
 */
const MAX_ACTIVE = 750;
/**
 * The summary of an epoch counts the slots that a validator missed in 16 bits, and up to 64 are blamed before each block: that
 * of a longer epoch might be one that no node can write, and the chain would end there.
 */
const MAX_EPOCH_LENGTH = 1_023;
const WEI_PER_GWEI = 1_000_000_000n;
/** Algorithm of validator keys (keyType 1). */
const VALIDATOR_KEY = pqAlgorithm("ML-DSA-44");

/** Predeploy of the staking contract unless the genesis names another address. */
export const DEFAULT_STAKING = parseAddress("0x0000000000000000000000000000000000515000");
const DEFAULT_PQ_VERIFIER = parseAddress("0x0000000000000000000000000000000000000012");

const validator = z.strictObject({
  owner: addressField("Account that registered the validator"),
  withdrawal: addressField("Account that receives stake and rewards"),
  feeRecipient: addressField("Beneficiary of the tips of its blocks"),
  stake: quantity(64, "Stake in gwei"),
  publicKey: bytesField("ML-DSA-44 public key", VALIDATOR_KEY.publicKeyBytes),
  keyProof: bytesField(
    "ML-DSA-44 signature that proves possession of the key",
    VALIDATOR_KEY.signatureBytes,
  ),
});

const consensus = z.strictObject({
  slotMs: count(1000, MAX_INTERVAL_MS, "Leadership of one validator, in ms; whole seconds"),
  tickMs: count(1, MAX_INTERVAL_MS, "Shortest distance of blocks, in ms; divides slotMs"),
  minTickGap: count(1, 255, "Least number of ticks between blocks of one slot"),
  epochLength: count(2, MAX_EPOCH_LENGTH, "Blocks of an epoch"),
  commitBlocks: count(1, MAX_EPOCH_LENGTH, "Blocks of an epoch's commit phase"),
  voteDelaySlots: count(0, 1_000, "Slots to wait after a checkpoint before voting"),
  maxActive: count(1, MAX_ACTIVE, "Active validators"),
  minStake: quantity(64, "Least stake of a validator, in gwei"),
  issuancePerSlot: quantity(64, "Coins issued per occupied slot, in gwei"),
  maxSupply: quantity(64, "Supply at which issuance stops, in gwei"),
  slotGasLimit: quantity(53, "Gas of all blocks of a slot"),
  gasLimit: quantity(53, "Gas limit of each block's header"),
  maxVotesPerBlock: count(1, 10_000, "Votes in one sidecar"),
  maxBlockBytes: count(65_536, 8 * MIB, "RLP size of a sealed block"),
  unbonding: count(0, SECONDS_PER_YEAR, "Wait before stake is paid out, in seconds"),
  evidenceWindow: count(0, SECONDS_PER_YEAR, "Age up to which evidence counts, in seconds"),
  trustPeriod: count(0, SECONDS_PER_YEAR, "Age up to which a checkpoint is trusted, in seconds"),
  clockDisparityMs: count(0, 60_000, "Tolerated clock error in ms"),
  emptyBlocks: z.boolean().meta({ description: "Open a slot without transactions too" }),
  salt: hashField("Network salt in every consensus signature"),
  keyType: z.literal(1).meta({ description: "Validator keys: 1 = ML-DSA-44" }),
  staking: addressField("Staking contract").default(DEFAULT_STAKING),
  pqVerifier: addressField("Precompile that verifies validator keys").default(DEFAULT_PQ_VERIFIER),
  blobs: z.boolean().meta({ description: "Whether blob transactions (type 3) are valid" }),
  dev: z.boolean().default(false).meta({ description: "Allow state edits and time travel" }),
  validators: z.array(validator).max(10_000).meta({ description: "Empty until the launch" }),
});

const period = {
  time: quantity(53, "First timestamp of its activity, in seconds").default(0n),
  until: quantity(53, "First timestamp at which it is gone, in seconds").optional(),
};
const algorithm = z.enum(PQ_ALGORITHMS);

const precompile = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("verify"),
    address: addressField("Address of the precompile"),
    name: z.string().min(1).max(64),
    algorithm,
    baseGas: quantity(53, "Gas of a call"),
    wordGas: quantity(53, "Gas per 32 bytes of message"),
    ...period,
  }),
  z.strictObject({
    kind: z.literal("pqverify"),
    address: addressField("Address of the precompile"),
    name: z.string().min(1).max(64).default("PQVERIFY"),
    ...period,
  }),
]);

const pqTransactions = z.strictObject({
  time: period.time,
  witnessGasPerByte: quantity(32, "Gas per byte of public key and signature"),
  verifyGas: z
    .partialRecord(algorithm, quantity(53, "Gas of verifying one signature"))
    .meta({ description: "Algorithms whose signatures transactions may carry, and their gas" }),
});

export const qnetSchema = z
  .strictObject({
    coin: z.strictObject({
      name: z.string().min(1).max(32),
      symbol: z.string().regex(/^[A-Za-z0-9]{1,6}$/),
      decimals: z.literal(18),
    }),
    consensus: consensus.optional(),
    precompiles: z.array(precompile).max(256).default([]),
    pqTransactions: pqTransactions.optional(),
    bootnodes: z.array(z.string().min(1).max(512)).max(256).default([]),
  })
  .meta({ description: "What makes this a QNet chain; without it, a plain Ethereum chain" });

export type QnetConfig = z.output<typeof qnetSchema>;
export type ConsensusConfig = z.output<typeof consensus>;

export type PrecompileEntry = z.output<typeof precompile>;
export type PqTransactionsConfig = z.output<typeof pqTransactions>;

/** What the rules across sections ask of the rest of the genesis. */
interface GenesisTotals {
  readonly chainId: bigint;
  readonly allocatedWei: bigint;
  /** seconds; undefined: Osaka is not scheduled */
  readonly osakaTime: bigint | undefined;
}

/** What contradicts itself: a path below `config.qnet` and the reason. Rules: consensus.md §1, quantum.md §3. */
export function qnetProblems(
  qnet: QnetConfig,
  { chainId, allocatedWei, osakaTime }: GenesisTotals,
): { path: string; message: string }[] {
  const { consensus: config, precompiles, pqTransactions: signed } = qnet;
  const problems = precompileProblems(precompiles);
  if (signed !== undefined && (osakaTime === undefined || signed.time < osakaTime)) {
    const message = "is before osakaTime, whose rules these transactions build on";
    problems.push({ path: "pqTransactions.time", message });
  }
  if (config === undefined) return problems;
  return [
    ...problems,
    ...consensusProblems(config, allocatedWei),
    ...keyProofProblems(config, chainId),
    ...verifierProblems(config, precompiles),
  ];
}

/** The staking contract verifies the keys of block 0, and later all evidence. */
function verifierProblems(
  { pqVerifier: address, validators }: ConsensusConfig,
  precompiles: readonly PrecompileEntry[],
): { path: string; message: string }[] {
  const found = precompiles.some(
    (entry) =>
      entry.kind === "verify" &&
      entry.address === address &&
      entry.algorithm === VALIDATOR_KEY.name &&
      entry.time === 0n,
  );
  if (found || validators.length === 0) return [];
  const message = `no precompile verifies ${VALIDATOR_KEY.name} at ${address} at time 0`;
  return [{ path: "consensus.pqVerifier", message }];
}

function keyProofProblems(
  config: ConsensusConfig,
  chainId: bigint,
): { path: string; message: string }[] {
  const domain = { chainId, salt: config.salt };
  return config.validators.flatMap(({ owner, publicKey, keyProof }, index) => {
    const body = keyProofBody(config.staking, owner, publicKey);
    const message = consensusMessage(domain, MESSAGE_KIND.keyProof, body);
    if (pqVerifier.verify(VALIDATOR_KEY.name, publicKey, message, keyProof, EMPTY_BYTES)) return [];
    const path = `consensus.validators.${index}.keyProof`;
    return [{ path, message: "is not a signature of publicKey for this chain, salt and owner" }];
  });
}

function consensusProblems(
  config: ConsensusConfig,
  allocatedWei: bigint,
): { path: string; message: string }[] {
  const { slotMs, tickMs, unbonding, evidenceWindow, trustPeriod, validators } = config;
  const stakes = validators.reduce((sum, { stake }) => sum + stake, 0n);
  const ordered = unbonding > evidenceWindow && evidenceWindow > trustPeriod;
  const none = unbonding === 0 && evidenceWindow === 0 && trustPeriod === 0;
  const rules: readonly (readonly [boolean, string, string])[] = [
    [slotMs % 1000 === 0, "slotMs", `${slotMs} is not a whole number of seconds`],
    [slotMs % tickMs === 0, "tickMs", `${tickMs} does not divide slotMs (${slotMs})`],
    [slotMs / tickMs <= 255, "tickMs", "makes more than 255 ticks in a slot"],
    [config.commitBlocks < config.epochLength, "commitBlocks", "must be below epochLength"],
    [config.slotGasLimit >= config.gasLimit, "slotGasLimit", "is below gasLimit"],
    [config.gasLimit >= 5000n, "gasLimit", "is below 5000"],
    [ordered || none, "unbonding", "unbonding > evidenceWindow > trustPeriod, or all 0"],
    [
      allocatedWei + stakes * WEI_PER_GWEI <= config.maxSupply * WEI_PER_GWEI,
      "maxSupply",
      `alloc (${allocatedWei} wei) and stakes (${stakes} gwei) exceed maxSupply (${config.maxSupply} gwei)`,
    ],
    [
      validators.every(({ stake }) => stake >= config.minStake),
      "validators",
      `one has less than minStake (${config.minStake} gwei)`,
    ],
    [
      validators.length <= config.maxActive,
      "validators",
      `there are ${validators.length}, more than maxActive (${config.maxActive})`,
    ],
    [distinct(validators.map(({ owner }) => owner)), "validators", "two have one owner"],
    [
      distinct(validators.map(({ publicKey }) => Buffer.from(publicKey).toString("base64"))),
      "validators",
      "two have one publicKey",
    ],
  ];
  return rules
    .filter(([holds]) => !holds)
    .map(([, field, message]) => ({ path: `consensus.${field}`, message }));
}

function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}

function precompileProblems(
  entries: readonly PrecompileEntry[],
): { path: string; message: string }[] {
  const problems: { path: string; message: string }[] = [];
  for (const [index, entry] of entries.entries()) {
    const path = `precompiles.${index}`;
    if (isBuiltIn(entry.address)) {
      problems.push({ path, message: `${entry.address} belongs to a built-in precompile` });
    }
    if (entry.until !== undefined && entry.until <= entry.time) {
      problems.push({ path, message: "until is not after time" });
    }
    const clash = entries.slice(0, index).findIndex((other) => overlaps(entry, other));
    if (clash >= 0) {
      const message = `has the address or name of precompiles.${clash} while both are active`;
      problems.push({ path, message });
    }
  }
  return problems;
}

/** Precompiles of Ethereum up to Osaka: 0x01-0x11 and P256VERIFY at 0x100; 0x00 is nobody's to take. */
function isBuiltIn(address: Address): boolean {
  const value = BigInt(address);
  return value <= 0x11n || value === 0x100n;
}

function overlaps(a: PrecompileEntry, b: PrecompileEntry): boolean {
  if (a.address !== b.address && a.name !== b.name) return false;
  const aBeforeB = a.until !== undefined && a.until <= b.time;
  const bBeforeA = b.until !== undefined && b.until <= a.time;
  return !aBeforeB && !bBeforeA;
}
