/** The configuration of forks as eth_config reports it. Source: EIP-7910. */
import type { Chain } from "../src/chain/chain.ts";
import { type Address, parseAddress } from "../src/primitives/hex.ts";
import type { ForkId } from "../src/types/forkId.ts";
import type { BlobParameters, ForkActivation, Rules } from "../src/types/forks.ts";
import {
  BEACON_ROOTS_ADDRESS,
  CONSOLIDATION_REQUEST_ADDRESS,
  HISTORY_STORAGE_ADDRESS,
  WITHDRAWAL_REQUEST_ADDRESS,
} from "../src/types/systemContracts.ts";

/** The rules from one point in time on. */
export interface ForkReport {
  /** seconds; 0 for rules that hold since the genesis or by block number */
  readonly activationTime: bigint;
  readonly blobSchedule: BlobParameters | undefined;
  readonly chainId: bigint;
  readonly forkId: ForkId;
  readonly precompiles: ReadonlyMap<string, Address>;
  readonly systemContracts: ReadonlyMap<string, Address>;
}

/** The rules in force, the next ones, and the last ones scheduled. */
export interface ForkReports {
  readonly current: ForkReport;
  readonly next: ForkReport | undefined;
  readonly last: ForkReport | undefined;
}

/** Names of EIP-7910 with the fork that brought each precompile. */
const PRECOMPILES = [
  ["ECREC", 0x01, "frontier"],
  ["SHA256", 0x02, "frontier"],
  ["RIPEMD160", 0x03, "frontier"],
  ["ID", 0x04, "frontier"],
  ["MODEXP", 0x05, "byzantium"],
  ["BN254_ADD", 0x06, "byzantium"],
  ["BN254_MUL", 0x07, "byzantium"],
  ["BN254_PAIRING", 0x08, "byzantium"],
  ["BLAKE2F", 0x09, "istanbul"],
  ["KZG_POINT_EVALUATION", 0x0a, "cancun"],
  ["BLS12_G1ADD", 0x0b, "prague"],
  ["BLS12_G1MSM", 0x0c, "prague"],
  ["BLS12_G2ADD", 0x0d, "prague"],
  ["BLS12_G2MSM", 0x0e, "prague"],
  ["BLS12_PAIRING_CHECK", 0x0f, "prague"],
  ["BLS12_MAP_FP_TO_G1", 0x10, "prague"],
  ["BLS12_MAP_FP2_TO_G2", 0x11, "prague"],
  ["P256VERIFY", 0x100, "osaka"],
] as const;

function addressOfNumber(value: number): Address {
  return parseAddress(`0x${value.toString(16).padStart(40, "0")}`);
}

function precompilesOf(rules: Rules): ReadonlyMap<string, Address> {
  const named = new Map<string, Address>();
  for (const [name, number, fork] of PRECOMPILES) {
    if (rules.has(fork)) named.set(name, addressOfNumber(number));
  }
  for (const { name, address } of rules.precompiles) named.set(name, address);
  return named;
}

function systemContractsOf(chain: Chain, rules: Rules): ReadonlyMap<string, Address> {
  const named = new Map<string, Address>();
  if (rules.has("cancun")) named.set("BEACON_ROOTS_ADDRESS", BEACON_ROOTS_ADDRESS);
  if (rules.has("prague")) {
    named.set("CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS", CONSOLIDATION_REQUEST_ADDRESS);
    named.set("DEPOSIT_CONTRACT_ADDRESS", chain.config.depositContractAddress);
    named.set("HISTORY_STORAGE_ADDRESS", HISTORY_STORAGE_ADDRESS);
    named.set("WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS", WITHDRAWAL_REQUEST_ADDRESS);
  }
  return named;
}

/** Times at which forks come, or extensions of the genesis come and go, ascending: several at one time count as one. */
function timePoints(chain: Chain): bigint[] {
  const { all, extensions } = chain.config.forks;
  const times = all.filter(({ by }: ForkActivation) => by === "time").map(({ at }) => at);
  return [...new Set([...times, ...extensions.points])].sort((a, b) => (a < b ? -1 : 1));
}

function reportAt(chain: Chain, timestamp: bigint, activationTime: bigint): ForkReport {
  const { number, difficulty } = chain.head.header;
  const rules = chain.config.forks.rules({ number, timestamp, difficulty });
  return {
    activationTime,
    blobSchedule: rules.blobs,
    chainId: chain.config.chainId,
    forkId: chain.config.forks.forkId(chain.genesisHash, { number, timestamp }),
    precompiles: precompilesOf(rules),
    systemContracts: systemContractsOf(chain, rules),
  };
}

/** What is in force at the head and what is scheduled after it. */
export function forkReports(chain: Chain): ForkReports {
  const { timestamp } = chain.head.header;
  const points = timePoints(chain);
  const passed = points.filter((at) => at <= timestamp);
  const coming = points.filter((at) => at > timestamp);
  const [next] = coming;
  const last = coming.at(-1);
  return {
    current: reportAt(chain, timestamp, passed.at(-1) ?? 0n),
    next: next === undefined ? undefined : reportAt(chain, next, next),
    last: last === undefined ? undefined : reportAt(chain, last, last),
  };
}
