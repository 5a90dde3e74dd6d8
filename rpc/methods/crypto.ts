/** qnet_cryptoStatus. */
import { keccakBackend } from "../../src/crypto/keccak.ts";
import { PQ_ALGORITHMS } from "../../src/crypto/pqAlgorithms.ts";
import { PqError, type PqSelfTest, type PqStatus } from "../../src/crypto/pqVerifier.ts";
import { secp256k1Backend } from "../../src/crypto/secp256k1.ts";
import type { PrecompileEntry } from "../../src/types/qnetConfig.ts";
import { address, boolean, list, quantity, text } from "../codec.ts";
import type { RpcContext } from "../context.ts";
import { defineMethod } from "../method.ts";
import { field, maybe, view } from "../objects.ts";

interface AlgorithmStatus extends PqStatus {
  /** Entries of the genesis' map in force at the head. */
  readonly precompiles: readonly PrecompileEntry[];
}

interface CryptoStatus {
  readonly algorithms: readonly AlgorithmStatus[];
  readonly paranoid: boolean;
}

const selfTestView = view<PqSelfTest>("self test", {
  backend: field(text, (test: PqSelfTest) => test.backend),
  outcome: field(text, (test) => test.outcome),
  failed: maybe(text, (test) => test.failed),
});

const algorithmView = view<AlgorithmStatus>("signature algorithm", {
  name: field(text, (one: AlgorithmStatus) => one.algorithm.name),
  id: field(quantity, (one) => BigInt(one.algorithm.id)),
  publicKeyBytes: field(quantity, (one) => BigInt(one.algorithm.publicKeyBytes)),
  signatureBytes: field(quantity, (one) => BigInt(one.algorithm.signatureBytes)),
  precompiles: field(list(address), (one) => one.precompiles.map((entry) => entry.address)),
  backend: maybe(text, (one) => one.backend),
  selfTests: field(list(selfTestView), (one) => one.selfTests),
});

const statusView = view<CryptoStatus>("crypto status", {
  algorithms: field(list(algorithmView), (status: CryptoStatus) => status.algorithms),
  paranoid: field(boolean, (status) => status.paranoid),
  secp256k1: field(text, () => secp256k1Backend),
  keccak256: field(text, () => keccakBackend),
});

async function cryptoStatus({ node }: RpcContext): Promise<CryptoStatus> {
  const { chain, verifier } = node;
  const { precompiles } = chain.rulesFor(chain.head.header);
  const algorithms: AlgorithmStatus[] = [];
  for (const name of PQ_ALGORITHMS) {
    const enabled = precompiles.filter(
      (entry) => entry.kind === "verify" && entry.algorithm === name,
    );
    if (enabled.length > 0) await settle(verifier.prepare(name));
    algorithms.push({ ...verifier.status(name), precompiles: enabled });
  }
  return { algorithms, paranoid: verifier.paranoid };
}

/** A failed self test is part of the answer. */
async function settle(prepared: Promise<void>): Promise<void> {
  try {
    await prepared;
  } catch (error) {
    if (!(error instanceof PqError)) throw error;
  }
}

/** What the node's cryptography is made of. */
export const cryptoMethods = [
  defineMethod({
    name: "qnet_cryptoStatus",
    summary:
      "Tells which implementations verify signatures, and how their known-answer tests went.",
    params: [],
    result: statusView,
    handler: (context) => cryptoStatus(context),
  }),
];
