/** `qnet node`: a node of a network on a data directory. */
import type { EngineOptions } from "../../rpc/engineServer.ts";
import type { RpcServer } from "../../rpc/server.ts";
import { buildGenesisBlock } from "../../src/chain/genesis.ts";
import type { ProducerOptions } from "../../src/consensus/producer.ts";
import { keccakBackend } from "../../src/crypto/keccak.ts";
import { secp256k1Backend } from "../../src/crypto/secp256k1.ts";
import type { QNode } from "../../src/node/node.ts";
import { ZERO_ADDRESS } from "../../src/primitives/hex.ts";
import type { Logger } from "../../src/runtime/log.ts";
import type { Genesis } from "../../src/types/genesis.ts";
import { chainFolder, defaultDataFolder, journalFile, jwtSecretFile } from "../dataFolder.ts";
import { ENGINE, nodeDefinition } from "../definitions.ts";
import { devValidatorKeys } from "../devAccounts.ts";
import { EXIT, UsageError } from "../exit.ts";
import { demandGenesisHash, loadGenesis, NETWORKS } from "../genesisFiles.ts";
import type { CommandIo } from "../io.ts";
import { loadJwtSecret } from "../jwtSecret.ts";
import { createCommandLog } from "../log.ts";
import { consensusOptions } from "../nodeConsensus.ts";
import { MEBIBYTE } from "../options.ts";
import { clientVersion } from "../package.ts";
import { type ParsedOptions, parseOptions } from "../parseOptions.ts";
import { metricsPageOf, poolOptions, serve, serverOptions } from "../serve.ts";
import { followCertificate, serverFiles } from "../serverFiles.ts";
import { soloGenesis } from "../soloNetwork.ts";
import { stateHistoryOf } from "../stateHistory.ts";

type NodeFlags = ParsedOptions<(typeof nodeDefinition)["options"][number]>;

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  // reth's spelling is `node start`
  const options = parseOptions(nodeDefinition, args[0] === "start" ? args.slice(1) : args, io);
  const { values, operands } = options;
  if (operands.length > 0) throw new UsageError(`node takes no argument "${operands[0]}"`);
  if (!values.http) throw new UsageError("--http=false is not supported yet");
  const named = loadGenesis(values.network);
  if (values.solo && isDevChain(named)) throw new UsageError("--solo: use qnet dev for this chain");
  const folder = folderName(values.network, named);
  const datadir = values.datadir ?? defaultDataFolder(values.solo ? `solo-${folder}` : folder);
  const given = values.solo ? await soloGenesis(datadir, values.network) : named;
  const isDev = isDevChain(given);
  if (isDev && values.gcmode === "full") refuseDevHistory();
  const log = createCommandLog(values, io);
  const server = { ...serverOptions(values, { isDev, datadir }), ...(await serverFiles(values)) };
  const engine = await engineOptions(options, datadir, log);
  const consensus = await consensusOptions(values, { genesis: given, datadir }, io);
  await serve(
    {
      genesis: (stored) => chooseGenesis(options, { given, stored, datadir }),
      dataDir: datadir,
      databasePath: chainFolder(datadir),
      journalPath: journalFile(datadir),
      pool: poolOptions(values),
      ...(consensus !== undefined && { consensus }),
      ...(isDev && { producer: { ...devProducer(given), keys: devValidatorKeys() } }),
      stateHistory: stateHistoryOf(values),
      metricsPage: metricsPageOf(values),
      paranoid: values["crypto.paranoid"],
      evm: values.evm,
      databaseCacheBytes: values.cache * MEBIBYTE,
      clientVersion: clientVersion(isDev),
      log,
    },
    { ...server, ...(engine !== undefined && { engine }) },
    io,
    (node, server) => {
      followCertificate(values, server, { io, log });
      if (values.solo) announceSolo(node, values.network);
      announce(node, server, datadir);
    },
  );
  return EXIT.ok;
}

/** undefined: nobody asked for the Engine API. */
async function engineOptions(
  { values, sourceOf }: NodeFlags,
  datadir: string,
  log: Logger,
): Promise<EngineOptions | undefined> {
  if (ENGINE.every((name) => sourceOf(name) === "default")) return undefined;
  const file = values["authrpc.jwtsecret"] ?? jwtSecretFile(datadir);
  const { secret, isNew } = await loadJwtSecret(file);
  if (isNew) log.info("Made a secret for the Engine API", { file });
  const vhosts = values["authrpc.vhosts"];
  return {
    host: values["authrpc.addr"],
    port: values["authrpc.port"],
    secret,
    ...(vhosts !== undefined && { vhosts }),
  };
}

function refuseDevHistory(): never {
  throw new UsageError("--gcmode full: a development chain goes back to any block");
}

function isDevChain(genesis: Genesis): boolean {
  return genesis.config.qnet?.consensus?.dev === true;
}

function folderName(network: string, genesis: Genesis): string {
  return NETWORKS.includes(network) ? network : String(genesis.config.chainId);
}

/** Without --network the chain in the data directory is meant; with it, opening the chain compares the two. */
async function chooseGenesis(
  options: NodeFlags,
  place: {
    readonly given: Genesis;
    readonly stored: Genesis | undefined;
    readonly datadir: string;
  },
): Promise<Genesis> {
  const { values } = options;
  const { given, stored, datadir } = place;
  const meant = options.sourceOf("network") === "default" ? (stored ?? given) : given;
  if (meant === stored && isDevChain(stored)) {
    throw new UsageError(
      `${datadir} holds a development chain: start it with qnet dev --datadir ${datadir}`,
    );
  }
  const { networkid, "genesis-hash": wantedHash } = values;
  if (networkid !== undefined && networkid !== meant.config.chainId) {
    throw new UsageError(`--networkid ${networkid}: the chain id is ${meant.config.chainId}`);
  }
  if (wantedHash !== undefined) {
    const first = await buildGenesisBlock(meant);
    demandGenesisHash(first.block.hash, wantedHash);
  }
  return meant;
}

/** A chain whose genesis says `dev: true` makes its blocks as transactions come. */
function devProducer(genesis: Genesis): ProducerOptions {
  const consensus = genesis.config.qnet?.consensus;
  return {
    mode: "instant",
    blockTimeMs: consensus?.slotMs ?? 0,
    emptyBlocks: consensus?.emptyBlocks ?? false,
    miner: consensus?.validators[0]?.feeRecipient ?? ZERO_ADDRESS,
  };
}

function announceSolo({ chain, log }: QNode, network: string): void {
  log.warn(
    "Rehearsal on one machine: same parameters, own salt, another chain than the network's",
    {
      network,
      genesis: chain.genesisHash,
    },
  );
}

function announce(node: QNode, server: RpcServer, datadir: string): void {
  const { chain, log } = node;
  log.info("Cryptography passed its known-answer tests", {
    keccak: keccakBackend,
    secp256k1: secp256k1Backend,
    mlDsa44: node.verifier.describe("ML-DSA-44"),
  });
  const { header, hash } = chain.head;
  const consensus = chain.config.qnet?.consensus;
  log.info("Chain is open", {
    chainId: chain.config.chainId,
    genesis: chain.genesisHash,
    number: header.number,
    hash,
    datadir,
  });
  const signing = node.consensus?.status.validators;
  if (signing !== undefined) log.info("Taking part in consensus", { validatorKeys: signing });
  else if (consensus !== undefined && !consensus.dev) {
    log.warn(
      consensus.validators.length === 0
        ? "Not launched: this genesis names no validators"
        : "Blocks of this network cannot be verified yet: serving what is stored",
    );
  }
  log.info("JSON-RPC is ready", { http: server.httpUrl, ws: server.wsUrl });
  if (server.ipcPath !== undefined) log.info("IPC is ready", { path: server.ipcPath });
  if (server.engineUrl !== undefined) log.info("Engine API is ready", { http: server.engineUrl });
}
