/**
 * Verification of post-quantum signatures, for precompiles, transactions, validators and genesis files.
 *
 * Owns the choice of back ends: for each algorithm the first of the list, fastest first, that passes the known-answer
 * tests. `prepare` makes the choice (it may have to load a library), `verify` uses it, synchronously, and never throws on
 * bytes. Paranoid, it asks the first two and throws when they disagree: then nobody can say what the chain is.
 */
import type { Bytes } from "../primitives/bytes.ts";
import { NodeError } from "../primitives/errors.ts";
import {
  MAX_CONTEXT_BYTES,
  type PqAlgorithm,
  type PqAlgorithmName,
  pqAlgorithm,
} from "./pqAlgorithms.ts";
import {
  nativeBackend,
  nobleBackend,
  type PqBackend,
  type PqBackendName,
  type PqVerify,
  wasmBackend,
} from "./pqBackends.ts";
import { failedSelfTest } from "./pqSelfTest.ts";

export type PqErrorReason =
  | {
      readonly code: "NO_PQ_BACKEND";
      readonly algorithm: PqAlgorithmName;
      /** back end: the known answer that it gets wrong */
      readonly failed: string;
    }
  | {
      readonly code: "PQ_BACKENDS_DISAGREE";
      readonly algorithm: PqAlgorithmName;
      /** back end: its verdict */
      readonly verdicts: string;
    };

/** No implementation can be trusted with an algorithm: this node must not go on with it. */
export class PqError extends NodeError<PqErrorReason> {}

/** Implementations that are asked; two are enough to notice that one of them errs. */
const TRUSTING = 1;
const PARANOID = 2;

/** What the self test of a back end found; "not loaded": enough faster ones passed, so it was not asked. */
export interface PqSelfTest {
  readonly backend: PqBackendName;
  readonly outcome: "passed" | "failed" | "absent" | "not loaded";
  /** The known answer that it gets wrong. */
  readonly failed?: string | undefined;
}

/** An algorithm as this verifier has it. */
export interface PqStatus {
  readonly algorithm: PqAlgorithm;
  /** undefined: not prepared */
  readonly backend: PqBackendName | undefined;
  readonly selfTests: readonly PqSelfTest[];
}

interface Candidate {
  readonly name: PqBackendName;
  readonly verify: PqVerify;
}

interface Choice {
  readonly algorithm: PqAlgorithm;
  /** The one in use first; more than one only for a paranoid verifier. */
  readonly candidates: readonly [Candidate, ...Candidate[]];
}

/** What a verifier is made of. */
export interface PqDependencies {
  /** Fastest first; default: OpenSSL, WebAssembly, noble */
  readonly backends?: readonly PqBackend[];
  /** Hears of a disagreement before it is thrown: the node has to stop. */
  readonly onDisagreement?: ((error: PqError) => void) | undefined;
}

/** Verifies by the fastest trustworthy implementation. */
export class PqVerifier {
  readonly paranoid: boolean;
  readonly #backends: readonly PqBackend[];
  readonly #onDisagreement: ((error: PqError) => void) | undefined;
  readonly #choices = new Map<PqAlgorithmName, Choice>();
  readonly #selfTests = new Map<PqAlgorithmName, readonly PqSelfTest[]>();
  readonly #preparing = new Map<PqAlgorithmName, Promise<void>>();

  constructor(
    { backends = [nativeBackend, wasmBackend, nobleBackend], onDisagreement }: PqDependencies = {},
    { paranoid = false }: { readonly paranoid?: boolean } = {},
  ) {
    this.#backends = backends;
    this.#onDisagreement = onDisagreement;
    this.paranoid = paranoid;
  }

  /** Chooses a back end for the algorithm and tests it; the work is done once. Throws PqError NO_PQ_BACKEND. */
  prepare(name: PqAlgorithmName): Promise<void> {
    let preparing = this.#preparing.get(name);
    if (preparing === undefined) {
      preparing = this.#choose(pqAlgorithm(name));
      this.#preparing.set(name, preparing);
    }
    return preparing;
  }

  /** Whether `verify` can be called for the algorithm. */
  isPrepared(name: PqAlgorithmName): boolean {
    return this.#choices.has(name);
  }

  /**
   * Whether `signature` is `publicKey`'s over `message` in `context` (at most 255 bytes); false for malformed input. The
   * algorithm must be prepared (RangeError). Throws PqError PQ_BACKENDS_DISAGREE when paranoid.
   */
  // biome-ignore lint/complexity/useMaxParams: an algorithm and four byte strings; hot, so no object per call
  verify(
    name: PqAlgorithmName,
    publicKey: Bytes,
    message: Bytes,
    signature: Bytes,
    context: Bytes,
  ): boolean {
    const choice = this.#choices.get(name);
    if (choice === undefined) throw new RangeError(`${name} is not prepared`);
    const { algorithm, candidates } = choice;
    if (publicKey.length !== algorithm.publicKeyBytes) return false;
    if (signature.length !== algorithm.signatureBytes) return false;
    if (context.length > MAX_CONTEXT_BYTES) return false;
    const [first, ...others] = candidates;
    const answer = first.verify(publicKey, message, signature, context);
    for (const other of others) {
      if (other.verify(publicKey, message, signature, context) === answer) continue;
      const verdicts = `${first.name}: ${answer}, ${other.name}: ${!answer}`;
      const error = new PqError({ code: "PQ_BACKENDS_DISAGREE", algorithm: name, verdicts });
      this.#onDisagreement?.(error);
      throw error;
    }
    return answer;
  }

  /** The back end in use; undefined: not prepared. */
  backendOf(name: PqAlgorithmName): PqBackendName | undefined {
    return this.#choices.get(name)?.candidates[0].name;
  }

  /** What verifies the algorithm: "native", or "native checked by noble"; "none" before it is prepared. */
  describe(name: PqAlgorithmName): string {
    const names = this.#choices.get(name)?.candidates.map((candidate) => candidate.name) ?? [];
    return names.length === 0 ? "none" : names.join(" checked by ");
  }

  /** The algorithm's choice and the tests behind it. */
  status(name: PqAlgorithmName): PqStatus {
    const selfTests = this.#selfTests.get(name) ?? [];
    return { algorithm: pqAlgorithm(name), backend: this.backendOf(name), selfTests };
  }

  async #choose(algorithm: PqAlgorithm): Promise<void> {
    const candidates: Candidate[] = [];
    const selfTests: PqSelfTest[] = [];
    const wanted = this.paranoid ? PARANOID : TRUSTING;
    for (const { name, load } of this.#backends) {
      if (candidates.length === wanted) {
        selfTests.push({ backend: name, outcome: "not loaded" });
        continue;
      }
      const verify = await load(algorithm.name);
      if (verify === undefined) {
        selfTests.push({ backend: name, outcome: "absent" });
        continue;
      }
      const failed = await failedSelfTest(algorithm, verify);
      selfTests.push({ backend: name, outcome: failed ? "failed" : "passed", failed });
      if (failed === undefined) candidates.push({ name, verify });
    }
    this.#selfTests.set(algorithm.name, selfTests);
    const [first, ...others] = candidates;
    if (first === undefined) {
      const failed = selfTests.map((test) => `${test.backend}: ${test.failed ?? test.outcome}`);
      throw new PqError({
        code: "NO_PQ_BACKEND",
        algorithm: algorithm.name,
        failed: failed.join(", "),
      });
    }
    this.#choices.set(algorithm.name, { algorithm, candidates: [first, ...others] });
  }
}

/** The verifier of everything that names no other. ML-DSA-44, the algorithm of validators, is ready from the start. */
export const pqVerifier: PqVerifier = new PqVerifier();
await pqVerifier.prepare("ML-DSA-44");
