/** `qnet version`: which program this is and what it runs on. */
import { keccakBackend } from "../../src/crypto/keccak.ts";
import { pqVerifier } from "../../src/crypto/pqVerifier.ts";
import { secp256k1Backend } from "../../src/crypto/secp256k1.ts";
import { versionDefinition } from "../definitions.ts";
import { EXIT } from "../exit.ts";
import { type CommandIo, printLine } from "../io.ts";
import { packageVersion } from "../package.ts";
import { parseOptions } from "../parseOptions.ts";

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = parseOptions(versionDefinition, args, io);
  const facts = {
    name: "qnet",
    version: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    mlDsa44: pqVerifier.describe("ML-DSA-44"),
    secp256k1: secp256k1Backend,
    keccak: keccakBackend,
    openssl: process.versions.openssl,
  };
  if (values.json) printLine(io, JSON.stringify(facts));
  else {
    printLine(io, `qnet ${facts.version}`);
    printLine(io, `Node ${facts.node}, ${facts.platform}, OpenSSL ${facts.openssl}`);
    printLine(
      io,
      `ML-DSA-44 ${facts.mlDsa44}, secp256k1 ${facts.secp256k1}, keccak ${facts.keccak}`,
    );
  }
  return EXIT.ok;
}
