/**
 * Sourcify's API, version 2, as far as hardhat verify, forge verify-contract and Otterscan use it:
 * POST /v2/verify/{chainId}/{address}, GET /v2/verify/{id}, GET /v2/contract/{chainId}/{address}?fields=…
 */
import { randomUUID } from "node:crypto";
import express, { type Express, type Request, type Response } from "express";
import helmet from "helmet";
import type { Address } from "../../src/primitives/hex.ts";
import type { Caller } from "../callers.ts";
import { checksumAddress } from "../checksum.ts";
import { address as addressCodec, CodecError, hash as hashCodec, text } from "../codec.ts";
import type { RpcNode } from "../context.ts";
import { RpcError } from "../errors.ts";
import { refuseDeepJson } from "../jsonDepth.ts";
import { completeObject, object, objectOf } from "../objects.ts";
import type { Charge } from "../rateLimit.ts";
import { sendReply } from "../reply.ts";
import type { Verified } from "./verifiedStore.ts";
import type { Job, Verifier, VerifyRequest } from "./verifier.ts";

/** Bytes of a request: sources of a large project. */
const BODY_BYTES = 8 << 20;
/** Units of work of one compilation. */
const VERIFY_UNITS = 100;
const MAX_TEXT = 512;

export interface VerifyRouteDeps {
  readonly node: RpcNode;
  readonly verifier: Verifier;
  readonly charge: Charge;
}

interface Reply {
  readonly status: number;
  readonly body: object;
}

function refused(status: number, customCode: string, message: string): Reply {
  return { status, body: { customCode, message, errorId: randomUUID() } };
}

const requestCodec = completeObject("verification", {
  stdJsonInput: { schema: { type: "object" }, decode: objectOf },
  compilerVersion: text,
  contractIdentifier: text,
});
const optionsCodec = object("verification", { creationTransactionHash: hashCodec });

/** Chain and address of a path. Throws CodecError. */
function placeOf(request: Request, { chain }: RpcNode): Address | Reply {
  const { chainId, address } = request.params;
  if (chainId !== chain.config.chainId.toString()) {
    return refused(404, "unsupported_chain", `this is chain ${chain.config.chainId}`);
  }
  return addressCodec.decode(address, "address");
}

/** The parts of `path/to/File.sol:Name`. Throws CodecError. */
function readRequest(address: Address, body: unknown): VerifyRequest {
  const { stdJsonInput, compilerVersion, contractIdentifier } = requestCodec.decode(body, "body");
  const { creationTransactionHash } = optionsCodec.decode(body, "body");
  const colon = contractIdentifier.lastIndexOf(":");
  if (colon <= 0 || contractIdentifier.length > MAX_TEXT || compilerVersion.length > MAX_TEXT) {
    const problem = "expected path/to/File.sol:Name";
    throw new CodecError({ code: "BAD_ARGUMENT", where: "contractIdentifier", problem });
  }
  return {
    address,
    creationTransaction: creationTransactionHash,
    compilerVersion,
    input: Object.fromEntries(Object.entries(stdJsonInput)),
    path: contractIdentifier.slice(0, colon),
    name: contractIdentifier.slice(colon + 1),
  };
}

function start(request: Request, { node, verifier }: VerifyRouteDeps): Reply {
  const place = placeOf(request, node);
  if (typeof place === "object") return place;
  if (verifier.verified(place)?.match === "exact_match") {
    return refused(409, "already_verified", `contract ${place} is already verified`);
  }
  const job = verifier.start(readRequest(place, request.body));
  if (job === undefined) return refused(429, "too_many_requests", "too many verifications wait");
  return { status: 202, body: { verificationId: job.id } };
}

/** The contract of a reply: what matches, null for nothing. */
function contractView(address: Address, chainId: bigint, found: Verified | undefined): object {
  return {
    match: found?.match ?? null,
    creationMatch: found?.creationMatch ?? null,
    runtimeMatch: found?.runtimeMatch ?? null,
    chainId: chainId.toString(),
    address: checksumAddress(address),
    ...(found !== undefined && { verifiedAt: new Date(found.verifiedAtMs).toISOString() }),
  };
}

function jobView(job: Job, { node, verifier }: VerifyRouteDeps): object {
  const isDone = job.finishedMs !== undefined && job.failure === undefined;
  const found = isDone ? verifier.verified(job.address) : undefined;
  return {
    isJobCompleted: job.finishedMs !== undefined,
    verificationId: job.id,
    jobStartTime: new Date(job.startedMs).toISOString(),
    ...(job.finishedMs !== undefined && {
      jobFinishTime: new Date(job.finishedMs).toISOString(),
      compilationTime: job.finishedMs - job.startedMs,
    }),
    contract: contractView(job.address, node.chain.config.chainId, found),
    ...(job.failure !== undefined && { error: { ...job.failure, errorId: job.id } }),
  };
}

/** What `fields` may name beside what every reply has. */
function extrasOf({ request, contract }: Verified): Readonly<Record<string, unknown>> {
  const { path, name, compilerVersion, input } = request;
  const { abi, metadata, userdoc, devdoc, storageLayout, evm } = contract;
  return {
    abi,
    metadata: JSON.parse(metadata),
    userdoc,
    devdoc,
    storageLayout,
    sources: input["sources"],
    stdJsonInput: input,
    compilation: {
      language: input["language"],
      compiler: "solc",
      compilerVersion,
      compilerSettings: input["settings"],
      name,
      fullyQualifiedName: `${path}:${name}`,
    },
    creationBytecode: { recompiledBytecode: `0x${evm.bytecode.object}` },
    runtimeBytecode: { recompiledBytecode: `0x${evm.deployedBytecode.object}` },
  };
}

function lookUp(request: Request, { node, verifier }: VerifyRouteDeps): Reply {
  const place = placeOf(request, node);
  if (typeof place === "object") return place;
  const found = verifier.verified(place);
  const shown = contractView(place, node.chain.config.chainId, found);
  if (found === undefined) return { status: 404, body: shown };
  const { fields } = request.query;
  const names = typeof fields === "string" ? fields.split(",") : [];
  const wanted = Object.entries(extrasOf(found)).filter(
    ([name]) => names.includes("all") || names.includes(name),
  );
  return { status: 200, body: { ...shown, ...Object.fromEntries(wanted) } };
}

/** Serves the verification of contracts beside JSON-RPC. */
export function addVerification(
  app: Express,
  callerOf: (response: Response) => Caller,
  deps: VerifyRouteDeps,
): void {
  const answer =
    (make: (request: Request) => Reply, units: number) =>
    async (request: Request, response: Response): Promise<void> => {
      const { status, body } = await charged(callerOf(response), () => make(request), units);
      await sendReply(request, response, { status, text: JSON.stringify(body) });
    };
  const charged = async (caller: Caller, make: () => Reply, units: number): Promise<Reply> => {
    try {
      await deps.charge(caller, units);
      return make();
    } catch (error) {
      if (error instanceof CodecError) {
        const { where, problem } = error.reason;
        return refused(400, "invalid_parameter", `${where}: ${problem}`);
      }
      if (error instanceof RpcError && error.reason.code === "RATE_LIMITED")
        return refused(429, "too_many_requests", "request rate exceeded");
      throw error;
    }
  };
  const json = express.json({ limit: BODY_BYTES, verify: refuseDeepJson });
  app.use("/v2", helmet());
  app.post(
    "/v2/verify/:chainId/:address",
    json,
    answer((one) => start(one, deps), VERIFY_UNITS),
  );
  app.get(
    "/v2/verify/:id",
    answer((request) => {
      const { id } = request.params;
      const job = typeof id === "string" ? deps.verifier.job(id) : undefined;
      if (job === undefined) return refused(404, "job_not_found", "there is no such verification");
      return { status: 200, body: jobView(job, deps) };
    }, 1),
  );
  app.get(
    "/v2/contract/:chainId/:address",
    answer((one) => lookUp(one, deps), 1),
  );
}
