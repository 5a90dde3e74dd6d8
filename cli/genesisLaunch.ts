/** Genesis files of networks to be: a template with its validators filled in. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { buildGenesisBlock } from "../src/chain/genesis.ts";
import { type Address, type Hash, parseAddress, parseHash } from "../src/primitives/hex.ts";
import type { MessageDomain } from "../src/types/consensusMessage.ts";
import { type Genesis, genesisSupply, parseGenesisText } from "../src/types/genesis.ts";
import { parseJsonText } from "../src/types/jsonText.ts";
import { DEFAULT_STAKING } from "../src/types/qnetConfig.ts";
import { CommandError } from "./exit.ts";
import { NETWORKS, networkText } from "./genesisFiles.ts";

const JSON_INDENT = 2;
const amount = z.union([z.bigint(), z.number(), z.string()]);
const template = z.looseObject({
  config: z.looseObject({
    chainId: amount,
    qnet: z.looseObject({
      consensus: z.looseObject({
        salt: z.string(),
        minStake: amount,
        staking: z.string().optional(),
      }),
    }),
  }),
  alloc: z.record(z.string(), z.unknown()),
});

export type GenesisTemplate = z.output<typeof template>;

/** What a template is filled with. */
export interface Launch {
  readonly validators: readonly unknown[];
  /** seconds; undefined: as in the template */
  readonly timestamp?: bigint | undefined;
  /** Accounts more, with their wei */
  readonly funded?: ReadonlyMap<Address, bigint>;
}

/** Reads a network's genesis, or a file's. Throws CommandError GENESIS_FILE when it is no QNet genesis. */
export function readTemplate(name: string): GenesisTemplate {
  const text = NETWORKS.includes(name) ? networkText(name) : readFileSync(name, "utf8");
  const parsed = template.safeParse(parseJsonText(text).value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const problem = `${name} is no genesis with config.qnet.consensus: ${issue?.path.join(".")}: ${issue?.message}`;
  throw new CommandError({ code: "GENESIS_FILE", problem });
}

/** What the keys of a template's validators are bound to, and the least stake in gwei. */
export function termsOf({ config }: GenesisTemplate): {
  readonly domain: MessageDomain;
  readonly staking: Address;
  readonly minStake: bigint;
} {
  const { salt, staking, minStake } = config.qnet.consensus;
  return {
    domain: { chainId: BigInt(config.chainId), salt: parseHash(salt) },
    staking: staking === undefined ? DEFAULT_STAKING : parseAddress(staking),
    minStake: BigInt(minStake),
  };
}

/** The template with another salt, so that no signature of one network counts on the other. */
export function withSalt(file: GenesisTemplate, salt: Hash): GenesisTemplate {
  const { config } = file;
  const { qnet } = config;
  const consensus = { ...qnet.consensus, salt };
  return { ...file, config: { ...config, qnet: { ...qnet, consensus } } };
}

/** Text of the genesis file. */
export function fillTemplate(file: GenesisTemplate, launch: Launch): string {
  const { config, alloc } = file;
  const { validators, timestamp, funded = new Map() } = launch;
  const consensus = { ...config.qnet.consensus, validators };
  const balances = [...funded].map(([address, wei]) => [address, { balance: String(wei) }]);
  const filled = {
    ...file,
    ...(timestamp !== undefined && { timestamp: String(timestamp) }),
    config: { ...config, qnet: { ...config.qnet, consensus } },
    alloc: { ...alloc, ...Object.fromEntries(balances) },
  };
  const plain = (_key: string, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value;
  return `${JSON.stringify(filled, plain, JSON_INDENT)}\n`;
}

/** What operators compare before a launch. Throws GenesisError, ChainError BAD_PREDEPLOY. */
export async function describeLaunch(text: string): Promise<{
  readonly genesis: Genesis;
  readonly facts: Readonly<Record<string, unknown>>;
}> {
  const genesis = parseGenesisText(text);
  const { hash, header } = (await buildGenesisBlock(genesis)).block;
  const { validators = [], salt } = genesis.config.qnet?.consensus ?? {};
  const stakeGwei = validators.reduce((sum, { stake }) => sum + stake, 0n);
  const facts = {
    genesisHash: hash,
    stateRoot: header.stateRoot,
    chainId: genesis.config.chainId,
    timestamp: genesis.timestamp,
    salt,
    validators: validators.length,
    stakeGwei,
    supplyWei: genesisSupply(genesis),
  };
  return { genesis, facts };
}

/** Entries of files: each holds one, or a list. Throws CommandError GENESIS_FILE. */
export function readEntries(files: readonly string[]): unknown[] {
  const entry = z.looseObject({ owner: z.string(), publicKey: z.string(), keyProof: z.string() });
  return files.flatMap((file): z.output<typeof entry>[] => {
    const parsed = z.union([z.array(entry), entry]).safeParse(readJson(file));
    if (parsed.success) return Array.isArray(parsed.data) ? parsed.data : [parsed.data];
    const problem = `${file} holds no validator's entry: make one with qnet validator apply`;
    throw new CommandError({ code: "GENESIS_FILE", problem });
  });
}

function readJson(file: string): unknown {
  try {
    return parseJsonText(readFileSync(file, "utf8")).value;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const problem = `${file} is not JSON: ${cause.message}`;
    throw new CommandError({ code: "GENESIS_FILE", problem }, { cause });
  }
}
