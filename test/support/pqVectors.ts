/** Post-quantum vectors of the fixtures, and a contract that calls a precompile with exactly the gas of a case. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { concatBytes } from "../../src/primitives/bytes.ts";
import { type Address, bigIntToHash, hexToBytes, parseAddress } from "../../src/primitives/hex.ts";
import { fixturesDir } from "./fixtures.ts";

/** Folder of the vectors, or undefined where there is none. */
export function pqFixturesDir(): string | undefined {
  const directory = fixturesDir();
  return directory === undefined ? undefined : join(directory, "pq");
}

/** The content of one file; what its shape is, the caller knows. */
// biome-ignore lint/suspicious/noExplicitAny: published JSON, described by its own schema
export function readVectors(directory: string, file: string): any {
  const raw = readFileSync(join(directory, file));
  return JSON.parse((file.endsWith(".gz") ? gunzipSync(raw) : raw).toString("utf8"));
}

/** Bytes of hex without 0x, in either case. */
export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

/** A call of a precompile with its answer and price. */
export interface PrecompileCase {
  readonly name: string;
  readonly address: string;
  readonly input: `0x${string}`;
  readonly output: `0x${string}`;
  readonly gas: number;
}

/** All cases of the fixtures. */
export function precompileCases(directory: string): PrecompileCase[] {
  const files = [
    "eip8355-eip.json",
    "eip8355.json.gz",
    "pqverify-context.json.gz",
    "falcon512-padded.json.gz",
  ];
  return files.flatMap((file): PrecompileCase[] => readVectors(directory, `cases/${file}`));
}

/** A case's address, which the fixtures also write as "0x12". */
export function addressOfCase({ address }: PrecompileCase): Address {
  return parseAddress(`0x${address.slice(2).padStart(40, "0")}`);
}

/** Code that calls: data = gas (32) ‖ address (32) ‖ input; returns success (32) ‖ length of the answer (32) ‖ answer. */
export const FORWARDER = "604036038060405f375f5f825f6020355f35fa5f523d6020523d5f60403e3d6040015ff3";

/** Data for FORWARDER. */
export function forwarded(gas: bigint, address: Address, input: Uint8Array): Uint8Array {
  return concatBytes(
    hexToBytes(bigIntToHash(gas)),
    hexToBytes(bigIntToHash(BigInt(address))),
    input,
  );
}

/** FORWARDER's answer to a call that went well with this output, and to one that ran out of gas. */
export const FAILED = `0x${"00".repeat(64)}`;
export function succeeded(output: string): string {
  return `${bigIntToHash(1n)}${bigIntToHash(32n).slice(2)}${output.slice(2)}`;
}
