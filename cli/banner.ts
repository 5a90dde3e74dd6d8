/** The banner of a development chain, printed once its listeners are up. */
import { checksumAddress } from "../rpc/checksum.ts";
import { keccakBackend } from "../src/crypto/keccak.ts";
import { secp256k1Backend } from "../src/crypto/secp256k1.ts";
import type { DevPqAccount } from "../src/node/devSigner.ts";
import type { Bytes } from "../src/primitives/bytes.ts";
import { type Address, bytesToHex } from "../src/primitives/hex.ts";
import type { DevAccount } from "./devAccounts.ts";
import { formatCoins } from "./help.ts";
import { packageVersion } from "./package.ts";

/** What the banner tells. */
export interface BannerFacts {
  readonly chainId: bigint;
  /** "instant mining", "a block each 1 s", … */
  readonly production: string;
  /** Data directory; undefined: in memory */
  readonly datadir: string | undefined;
  /** wei */
  readonly baseFee: bigint;
  readonly gasLimit: bigint;
  readonly httpUrl: string;
  readonly wsUrl: string;
  /** undefined: no Unix socket */
  readonly ipcPath: string | undefined;
  readonly symbol: string;
  readonly accounts: readonly DevAccount[];
  readonly pqAccounts: readonly DevPqAccount[];
  /** wei */
  readonly balance: bigint;
  readonly mnemonic: string;
  readonly derivationPath: string;
  /** "native", "wasm", "noble"; paranoid: two of them */
  readonly mlDsaBackend: string;
}

const GWEI = 10n ** 9n;
const COLUMN = 51;

/** The lines of the banner. */
export function banner(facts: BannerFacts): string {
  const place = facts.datadir === undefined ? "state in memory" : `state in ${facts.datadir}`;
  const title = `QNet ${packageVersion()}  dev chain ${facts.chainId}  (${facts.production}, ${place})`;
  const each = `(${formatCoins(facts.balance)} ${facts.symbol} each)`;
  return [
    "",
    `${title}   base fee ${formatGwei(facts.baseFee)} gwei  gas limit ${grouped(facts.gasLimit)}`,
    `RPC  ${facts.httpUrl}   WS  ${facts.wsUrl}${facts.ipcPath === undefined ? "" : `   IPC  ${facts.ipcPath}`}`,
    ...accountLines(
      [`Accounts ${each}`, "Private key"],
      facts.accounts.map(({ address, privateKey }) => [address, privateKey]),
    ),
    ...accountLines(
      [`Quantum-safe accounts, ML-DSA-44 ${each}`, "Seed"],
      facts.pqAccounts.map(({ address, seed }) => [address, seed]),
    ),
    `Mnemonic  ${facts.mnemonic}   path ${facts.derivationPath}`,
    `Crypto    ML-DSA-44 ${facts.mlDsaBackend}, secp256k1 ${secp256k1Backend}, keccak ${keccakBackend}`,
    "These keys are public. Funds sent to them on a live network WILL BE LOST.",
    "",
  ]
    .map((line) => (line === "" ? "\n" : `  ${line}\n`))
    .join("");
}

/** A heading and a line for each account; nothing where there is none. */
function accountLines(
  [heading, secretName]: readonly [string, string],
  accounts: readonly (readonly [address: Address, secret: Bytes])[],
): string[] {
  if (accounts.length === 0) return [];
  const lines = accounts.map(([address, secret], index) => {
    const left = `(${index}) ${checksumAddress(address)}`;
    return `${left.padEnd(COLUMN)}${bytesToHex(secret)}`;
  });
  return [`${heading.padEnd(COLUMN - 1)} ${secretName}`, ...lines];
}

function formatGwei(wei: bigint): string {
  return wei % GWEI === 0n ? String(wei / GWEI) : String(Number(wei) / Number(GWEI));
}

function grouped(value: bigint): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
