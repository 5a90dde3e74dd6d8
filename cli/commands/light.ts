/** `qnet light verify`: how far a network is final, by its validators' signatures alone. */
import { genesisCheckpoint } from "../../src/consensus/genesisCheckpoint.ts";
import type { TrustedHeader } from "../../src/consensus/light.ts";
import { pqVerifier } from "../../src/crypto/pqVerifier.ts";
import { type Hash, parseHash } from "../../src/primitives/hex.ts";
import type { Genesis } from "../../src/types/genesis.ts";
import { hashMacroHeader } from "../../src/types/macroHeader.ts";
import type { ConsensusConfig } from "../../src/types/qnetConfig.ts";
import { lightDefinition } from "../definitions.ts";
import { CommandError, EXIT, UsageError } from "../exit.ts";
import { loadGenesis } from "../genesisFiles.ts";
import { type CommandIo, printLine } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import {
  commonEpoch,
  type Followed,
  finalAccount,
  finalTransaction,
  follow,
  openCheckpoint,
} from "../lightFollow.ts";
import { LightPeer } from "../lightPeer.ts";
import { createCommandLog } from "../log.ts";
import { type ParsedOptions, parseOptions } from "../parseOptions.ts";

type LightValues = ParsedOptions<(typeof lightDefinition)["options"][number]>["values"];

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(lightDefinition, args, io);
  if (operands.join(" ") !== "verify")
    throw new UsageError(`usage: qnet light ${lightDefinition.operands}`);
  const peers = values["rpc-urls"].map((url) => new LightPeer(url));
  const [first] = peers;
  if (first === undefined) throw new UsageError("--rpc-url URL is needed");
  const wanted = checkpointOf(values.checkpoint);
  const { genesis, config } = networkOf(values);
  await pqVerifier.prepare("ML-DSA-44");
  const followed = followedOf(genesis, config);
  const trusted =
    wanted === undefined
      ? await genesisTrust(genesis, config, createCommandLog(values, io))
      : await openCheckpoint(followed, first, wanted);
  const verified = await followAll(followed, peers, trusted);
  const { header } = verified;
  const { tx, account } = values;
  const last = header.epoch;
  const facts = {
    epoch: last,
    macroHash: hashMacroHeader(header),
    blockNumber: header.lastNumber,
    blockHash: header.lastBlockHash,
    stateRoot: header.stateRoot,
    timestampMs: header.timeMs,
    trustedEpoch: trusted.header.epoch,
    peers: peers.length,
    ...(tx !== undefined && {
      transaction: {
        hash: tx,
        ...(await finalTransaction(followed, first, { trusted, last, hash: tx })),
      },
    }),
    ...(account !== undefined && {
      account: accountFacts(account, await finalAccount(first, verified, account)),
    }),
  };
  print(facts, { json: values.json, io });
  return EXIT.ok;
}

function networkOf({ network }: LightValues): {
  readonly genesis: Genesis;
  readonly config: ConsensusConfig;
} {
  const genesis = loadGenesis(network);
  const config = genesis.config.qnet?.consensus;
  if (config !== undefined && config.validators.length > 0) return { genesis, config };
  const problem = `${network} names no validators: give --network FILE, the genesis of a launched network`;
  throw new CommandError({ code: "GENESIS_FILE", problem });
}

function followedOf({ config: { chainId } }: Genesis, config: ConsensusConfig): Followed {
  const { salt, epochLength, trustPeriod } = config;
  const network = { chainId, salt, trustPeriodMs: trustPeriod * 1000, verifier: pqVerifier };
  return { network, epochLength, nowMs: Date.now };
}

async function genesisTrust(
  genesis: Genesis,
  config: ConsensusConfig,
  log: Parameters<typeof genesisCheckpoint>[2],
): Promise<TrustedHeader> {
  const checkpoint = await genesisCheckpoint(genesis, config, log);
  return { header: checkpoint.header, members: checkpoint.config.members };
}

function checkpointOf(text: string | undefined): { epoch: number; hash: Hash } | undefined {
  if (text === undefined) return undefined;
  const match = /^([1-9]\d{0,14}):(0x[0-9a-fA-F]{64})$/.exec(text);
  if (match === null)
    throw new UsageError(`--checkpoint: expected EPOCH:0xHASH with an epoch from 1, got "${text}"`);
  return { epoch: Number(match[1]), hash: parseHash(match[2] ?? "") };
}

/** The newest header that all peers prove. Two that are both signed as final are the validators' crime: nothing is believed. */
async function followAll(
  followed: Followed,
  peers: readonly LightPeer[],
  trusted: TrustedHeader,
): Promise<TrustedHeader> {
  const target = await commonEpoch(followed, peers, trusted.header.epoch);
  let agreed = trusted;
  let by: string | undefined;
  for (const peer of peers) {
    const reached = await follow(followed, peer, { trusted, target });
    const [known, got] = [hashMacroHeader(agreed.header), hashMacroHeader(reached.header)];
    if (by !== undefined && known !== got) {
      const problem = `epoch ${target} is final twice: ${known} at ${by}, ${got} at ${peer.url}; validators have signed both, believe neither`;
      throw new CommandError({ code: "FAILED", problem });
    }
    [agreed, by] = [reached, peer.url];
  }
  return agreed;
}

function accountFacts(address: string, account: Awaited<ReturnType<typeof finalAccount>>) {
  if (account === undefined) return { address, exists: false };
  return { address, exists: true, ...account, balance: String(account.balance) };
}

function print(
  facts: Readonly<Record<string, unknown>>,
  { json, io }: { readonly json: boolean; readonly io: CommandIo },
): void {
  if (json) printLine(io, jsonLine(facts));
  else
    for (const [name, value] of Object.entries(facts))
      printLine(io, `${name}: ${typeof value === "object" ? jsonLine(value) : String(value)}`);
}
