/** `qnet dev`: a development chain with funded accounts, ready in under a second. */
import { checksumAddress } from "../../rpc/checksum.ts";
import type { RpcServer } from "../../rpc/server.ts";
import type { ProducerMode, ProducerOptions } from "../../src/consensus/producer.ts";
import type { DevPqAccount } from "../../src/node/devSigner.ts";
import type { QNode } from "../../src/node/node.ts";
import { bytesToHex, ZERO_ADDRESS } from "../../src/primitives/hex.ts";
import { DEV_GAPPED_SLOTS } from "../../src/txpool/poolOptions.ts";
import type { Genesis } from "../../src/types/genesis.ts";
import { banner } from "../banner.ts";
import { chainFolder, journalFile } from "../dataFolder.ts";
import { devDefinition } from "../definitions.ts";
import {
  type DevAccount,
  demandMnemonic,
  deriveAccounts,
  derivePqAccounts,
  devValidatorKeys,
  seedOf,
} from "../devAccounts.ts";
import { buildDevGenesis, type DevGenesisOptions } from "../devGenesis.ts";
import { demandSameChain } from "../devStored.ts";
import { EXIT, UsageError } from "../exit.ts";
import type { CommandIo } from "../io.ts";
import { writeSecretFile } from "../keyFiles.ts";
import { createCommandLog } from "../log.ts";
import { MEBIBYTE, type OptionName } from "../options.ts";
import { clientVersion } from "../package.ts";
import { type ParsedOptions, parseOptions } from "../parseOptions.ts";
import { metricsPageOf, poolOptions, serve, serverOptions } from "../serve.ts";
import { followCertificate, serverFiles } from "../serverFiles.ts";

/** Log level of --silent: errors only. */
const QUIET_VERBOSITY = 1;

type DevOptions = ParsedOptions<(typeof devDefinition)["options"][number]>;

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions(devDefinition, args, io);
  const { values, operands } = options;
  if (operands.length > 0) throw new UsageError(`dev takes no argument "${operands[0]}"`);
  demandMnemonic(values.mnemonic);
  const seed = seedOf(values.mnemonic);
  const accounts = deriveAccounts(seed, values["derivation-path"], values.accounts);
  const pqAccounts = derivePqAccounts(seed, values.accounts);
  const genesis = genesisOf(options, [...accounts, ...pqAccounts]);
  // a fee cap protects real coins from typing errors; here it would only surprise
  const feeCap = options.sourceOf("rpc.txfeecap") === "default" ? 0n : values["rpc.txfeecap"];
  const effective = { ...values, "rpc.txfeecap": feeCap, "rpc.allow-unprotected-txs": true };
  const quiet = values.silent && options.sourceOf("verbosity") === "default";
  const { datadir } = values;
  const log = createCommandLog(quiet ? { ...values, verbosity: QUIET_VERBOSITY } : values, io);
  const server = {
    ...serverOptions(effective, { isDev: true, datadir }),
    ...(await serverFiles(values)),
  };
  const flags = { values, accounts, isGiven: (name: OptionName) => isGiven(options, name) };
  await serve(
    {
      genesis: (stored) => {
        if (stored === undefined || datadir === undefined) return genesis;
        demandSameChain(stored, flags, datadir);
        return stored;
      },
      dataDir: datadir,
      databasePath: datadir && chainFolder(datadir),
      journalPath: datadir && journalFile(datadir),
      pool: { ...poolOptions(effective), gappedSlots: DEV_GAPPED_SLOTS },
      producer: { ...producerOptions(options, genesis), keys: devValidatorKeys() },
      dev: {
        accounts,
        pqAccounts,
        autoImpersonate: values["auto-impersonate"],
        logging: !values.silent,
      },
      metricsPage: metricsPageOf(values),
      paranoid: values["crypto.paranoid"],
      evm: values.evm,
      databaseCacheBytes: values.cache * MEBIBYTE,
      clientVersion: clientVersion(true),
      log,
    },
    server,
    io,
    (node, server) => {
      followCertificate(values, server, { io, log });
      return announce({ node, server, options, accounts, pqAccounts, io });
    },
  );
  return EXIT.ok;
}

function isGiven(options: DevOptions, name: OptionName): boolean {
  return options.sourceOf(name) !== "default";
}

function genesisOf({ values }: DevOptions, accounts: DevGenesisOptions["accounts"]): Genesis {
  return buildDevGenesis({
    chainId: values["chain-id"],
    gasLimit: values["gas-limit"],
    baseFee: values["base-fee"],
    timestamp: values.timestamp ?? BigInt(Math.floor(Date.now() / 1000)),
    accounts,
    balance: values.balance,
    blockTimeMs: values["block-time"],
    microblocks: values.microblocks,
  });
}

function producerOptions({ values }: DevOptions, genesis: Genesis): ProducerOptions {
  const blockTimeMs = values["block-time"];
  const mixed = values["mixed-mining"];
  if (mixed && blockTimeMs === undefined) throw new UsageError("--mixed-mining needs --block-time");
  if (values["no-mining"] && (mixed || blockTimeMs !== undefined)) {
    throw new UsageError("--no-mining contradicts --block-time and --mixed-mining");
  }
  if (values.microblocks && (values["no-mining"] || blockTimeMs !== undefined)) {
    throw new UsageError("--microblocks contradicts --block-time, --mixed-mining and --no-mining");
  }
  const [validator] = genesis.config.qnet?.consensus?.validators ?? [];
  return {
    mode: modeOf(values),
    blockTimeMs: blockTimeMs ?? 0,
    emptyBlocks: false,
    miner: validator?.feeRecipient ?? ZERO_ADDRESS,
  };
}

function modeOf(values: DevOptions["values"]): ProducerMode {
  if (values.microblocks) return "cadence";
  if (values["block-time"] === undefined) return values["no-mining"] ? "manual" : "instant";
  return values["mixed-mining"] ? "mixed" : "interval";
}

interface Announcement {
  readonly node: QNode;
  readonly server: RpcServer;
  readonly options: DevOptions;
  readonly accounts: readonly DevAccount[];
  readonly pqAccounts: readonly DevPqAccount[];
  readonly io: CommandIo;
}

async function announce(announcement: Announcement): Promise<void> {
  const { node, server, options, accounts, pqAccounts, io } = announcement;
  const { values } = options;
  const { genesis } = node.chain;
  if (values["config-out"] !== undefined) {
    const content = `${JSON.stringify(configOut(announcement), null, 2)}\n`;
    await writeSecretFile(values["config-out"], Buffer.from(content, "utf8"));
  }
  if (values.silent) return;
  io.stdout.write(
    banner({
      chainId: genesis.config.chainId,
      production: productionText(options),
      datadir: values.datadir,
      baseFee: genesis.baseFeePerGas ?? 0n,
      gasLimit: genesis.gasLimit,
      httpUrl: server.httpUrl,
      wsUrl: server.wsUrl,
      ipcPath: server.ipcPath,
      symbol: genesis.config.qnet?.coin.symbol ?? "",
      accounts,
      pqAccounts,
      balance: values.balance,
      mnemonic: values.mnemonic,
      derivationPath: values["derivation-path"],
      mlDsaBackend: node.verifier.describe("ML-DSA-44"),
    }),
  );
}

function productionText({ values }: DevOptions): string {
  const blockTimeMs = values["block-time"];
  if (values.microblocks) return "microblocks, 2 to 0.25 s apart as the pool fills";
  if (values["no-mining"]) return "mining on demand";
  if (blockTimeMs === undefined) return "instant mining";
  const clocked = `a block each ${blockTimeMs / 1000} s`;
  return values["mixed-mining"] ? `instant mining and ${clocked}` : clocked;
}

/** anvil's fields, the post-quantum accounts, and where the servers are. */
function configOut({ node, server, options, accounts, pqAccounts }: Announcement): object {
  const { genesis } = node.chain;
  const { values } = options;
  return {
    available_accounts: accounts.map(({ address }) => checksumAddress(address)),
    private_keys: accounts.map(({ privateKey }) => bytesToHex(privateKey)),
    pq_accounts: pqAccounts.map(({ address, algorithm, seed }) => ({
      address: checksumAddress(address),
      algorithm,
      seed: bytesToHex(seed),
    })),
    wallet: { derivation_path: values["derivation-path"], mnemonic: values.mnemonic },
    base_fee: String(genesis.baseFeePerGas ?? 0n),
    gas_limit: String(genesis.gasLimit),
    genesis_timestamp: String(genesis.timestamp),
    chain_id: String(genesis.config.chainId),
    http: server.httpUrl,
    ws: server.wsUrl,
    ...(server.ipcPath !== undefined && { ipc: server.ipcPath }),
  };
}
