/**
 * Slashing-protection data in a JSON format like EIP-3076's, to move a validator to another machine or to restore it.
 * Differences: seals have (slot, seq), acks are a list of their own, metadata names chain id and salt. An entry without
 * `signing_root` says that everything up to it may have been signed. Source: EIP-3076, docs/consensus.md §10.
 */
import { type Hash, HexError, parseHash } from "../../primitives/hex.ts";
import type { ProtectionLog } from "./protectionLog.ts";
import { SigningError, type SigningIdentity } from "./signingError.ts";
import type { MessageType, Place, SigningBounds } from "./signingRules.ts";

const FORMAT_VERSION = "1";
/** Highest counter of a file: a bound is one more. */
const MAX_COUNTER = Number.MAX_SAFE_INTEGER - 1;
/** Blocks of a slot are counted in a byte. */
const MAX_SEQ = 255;
/** Keys of one file, and messages of one key. */
const MAX_KEYS = 10_000;
const MAX_ENTRIES = 1_000_000;

/** A message that was signed, or a bound. */
export type ProtectionEntry = Place & { readonly root: Hash | undefined };

/** What one key has signed. */
export interface ProtectionData {
  readonly identity: SigningIdentity;
  readonly entries: readonly ProtectionEntry[];
}

/** Everything that these records know, for `formatInterchange`. */
export async function exportProtection(log: ProtectionLog): Promise<ProtectionData> {
  const entries: ProtectionEntry[] = [];
  for await (const { type, position, seq, source, root } of log.records())
    entries.push({ type, position, seq, source, root });
  return { identity: log.identity, entries: [...entries, ...boundEntries(log.bounds)] };
}

/** Adds what another copy knows. Throws SigningError WRONG_RECORDS, WRONG_NETWORK. */
export async function importProtection(log: ProtectionLog, data: ProtectionData): Promise<void> {
  requireNetwork(log.identity, data.identity);
  if (log.identity.keyHash !== data.identity.keyHash)
    throw new SigningError({
      code: "WRONG_RECORDS",
      expected: log.identity.keyHash,
      got: data.identity.keyHash,
    });
  await log.merge(data.entries);
}

/** The file's text. All keys must be of one network (SigningError WRONG_NETWORK). */
export function formatInterchange(keys: readonly ProtectionData[]): string {
  const [first] = keys;
  if (first === undefined) throw new RangeError("no key to export");
  for (const { identity } of keys) requireNetwork(first.identity, identity);
  const { chainId, salt } = first.identity;
  const file = {
    metadata: {
      interchange_format_version: FORMAT_VERSION,
      chain_id: String(chainId),
      salt,
    },
    data: keys.map(({ identity, entries }) => ({
      key_hash: identity.keyHash,
      signed_blocks: entries
        .filter(({ type }) => type === "seal")
        .map((entry) => ({ slot: text(entry.position), seq: text(entry.seq), ...rootOf(entry) })),
      signed_attestations: entries
        .filter(({ type }) => type === "vote")
        .map((entry) => ({
          source_epoch: text(entry.source),
          target_epoch: text(entry.position),
          ...rootOf(entry),
        })),
      signed_acks: entries
        .filter(({ type }) => type === "ack")
        .map((entry) => ({ epoch: text(entry.position), ...rootOf(entry) })),
    })),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Keys of a file. Throws SigningError BAD_INTERCHANGE. */
export function parseInterchange(content: string): readonly ProtectionData[] {
  const file = asObject(parseJson(content), "");
  const metadata = asObject(file["metadata"], "metadata");
  const version = metadata["interchange_format_version"];
  if (version !== FORMAT_VERSION)
    refuse("metadata.interchange_format_version", `expected "${FORMAT_VERSION}"`);
  const chainId = BigInt(asCounter(metadata["chain_id"], "metadata.chain_id"));
  const salt = asHash(metadata["salt"], "metadata.salt");
  const keys = asList(file["data"], "data", MAX_KEYS);
  return keys.map((item, index) => {
    const path = `data.${index}`;
    const key = asObject(item, path);
    const identity = { keyHash: asHash(key["key_hash"], `${path}.key_hash`), chainId, salt };
    return { identity, entries: parseEntries(key, path) };
  });
}

/** How each list of a key is read: its fields for position, seq and source. */
const LISTS: readonly {
  readonly name: string;
  readonly type: MessageType;
  readonly position: string;
  readonly seq?: string;
  readonly source?: string;
}[] = [
  { name: "signed_blocks", type: "seal", position: "slot", seq: "seq" },
  {
    name: "signed_attestations",
    type: "vote",
    position: "target_epoch",
    source: "source_epoch",
  },
  { name: "signed_acks", type: "ack", position: "epoch" },
];

function parseEntries(key: Record<string, unknown>, path: string): ProtectionEntry[] {
  return LISTS.flatMap(({ name, type, position, seq, source }) =>
    asList(key[name], `${path}.${name}`, MAX_ENTRIES).map((item, index) => {
      const where = `${path}.${name}.${index}`;
      const entry = asObject(item, where);
      const counter = (field: string) => asCounter(entry[field], `${where}.${field}`);
      const root = entry["signing_root"];
      return {
        type,
        position: counter(position),
        seq: seq === undefined ? 0 : asCounter(entry[seq], `${where}.${seq}`, MAX_SEQ),
        source: source === undefined ? 0 : counter(source),
        root: root === undefined ? undefined : asHash(root, `${where}.signing_root`),
      };
    }),
  );
}

/** The bounds as entries without a root: they may stem from an import or from pruned records. */
function boundEntries(bounds: SigningBounds): ProtectionEntry[] {
  const entries: ProtectionEntry[] = [];
  const root = undefined;
  if (bounds.slot >= 0)
    entries.push({ type: "seal", position: bounds.slot, seq: bounds.seq, source: 0, root });
  if (bounds.target >= 0) {
    const source = Math.max(bounds.source, 0);
    entries.push({ type: "vote", position: bounds.target, seq: 0, source, root });
  }
  if (bounds.ack >= 0) entries.push({ type: "ack", position: bounds.ack, seq: 0, source: 0, root });
  return entries;
}

function requireNetwork(expected: SigningIdentity, got: SigningIdentity): void {
  if (expected.chainId === got.chainId && expected.salt === got.salt) return;
  throw new SigningError({
    code: "WRONG_NETWORK",
    expected: `chain ${expected.chainId}, salt ${expected.salt}`,
    got: `chain ${got.chainId}, salt ${got.salt}`,
  });
}

function rootOf({ root }: ProtectionEntry) {
  return root === undefined ? {} : { signing_root: root };
}

function text(value: number): string {
  return String(value);
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    return refuse("", `not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuse(path, "expected an object");
  return { ...value };
}

function asList(value: unknown, path: string, limit: number): readonly unknown[] {
  if (!Array.isArray(value)) return refuse(path, "expected a list");
  if (value.length > limit) return refuse(path, `${value.length} items, at most ${limit}`);
  return value;
}

function asCounter(value: unknown, path: string, most = MAX_COUNTER): number {
  const counter = typeof value === "string" && /^(0|[1-9]\d*)$/.test(value) ? Number(value) : -1;
  if (counter < 0 || counter > most)
    return refuse(path, `expected decimal digits in a string, at most ${most}`);
  return counter;
}

function asHash(value: unknown, path: string): Hash {
  try {
    return parseHash(typeof value === "string" ? value : "");
  } catch (error) {
    if (!(error instanceof HexError)) throw error;
    return refuse(path, "expected 32 bytes as hex");
  }
}

function refuse(path: string, problem: string): never {
  throw new SigningError({ code: "BAD_INTERCHANGE", path, problem });
}
