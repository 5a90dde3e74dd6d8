/** `qnet validator protection`: slashing-protection records as a file, to move a validator or to restore it. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  exportProtection,
  formatInterchange,
  importProtection,
  type ProtectionData,
  parseInterchange,
} from "../src/consensus/signing/interchange.ts";
import { ProtectionLog, readIdentity } from "../src/consensus/signing/protectionLog.ts";
import { parseHash } from "../src/primitives/hex.ts";
import { openDatabase } from "../src/storage/database.ts";
import type { ValidatorRequest } from "./commands/validator.ts";
import { requireDataFolder, signingRecordsFolder, validatorsFolder } from "./dataFolder.ts";
import { CommandError, UsageError } from "./exit.ts";
import { printLine } from "./io.ts";
import { writeSecretFile } from "./keyFiles.ts";

/** Highest place of a block in its slot. */
const MAX_SEQ = 255;

/** Writes the records of all keys of a data directory to FILE, or to standard output. */
export async function exportRecords({ values, operands, io }: ValidatorRequest): Promise<void> {
  const [file, ...extra] = operands;
  if (extra.length > 0) throw new UsageError("usage: qnet validator protection export [FILE]");
  const folder = validatorsFolder(requireDataFolder(values.datadir));
  const keys: ProtectionData[] = [];
  for (const name of (existsSync(folder) ? await readdir(folder) : []).sort()) {
    const data = await readRecords(join(folder, name));
    if (data !== undefined) keys.push(data);
  }
  if (keys.length === 0) fail(`there are no signing records in ${folder}`);
  const text = formatInterchange(keys);
  if (file === undefined) io.stdout.write(text);
  else {
    await writeSecretFile(file, Buffer.from(text));
    printLine(io, `Exported the records of ${keys.length} key(s) to ${file}`);
  }
}

/** Adds the records in FILE to those of the data directory; they only ever forbid more. */
export async function importRecords({ values, operands, io }: ValidatorRequest): Promise<void> {
  const [file, ...extra] = operands;
  if (file === undefined || extra.length > 0)
    throw new UsageError("usage: qnet validator protection import FILE");
  const datadir = requireDataFolder(values.datadir);
  for (const data of parseInterchange(await readFile(file, "utf8"))) {
    const { keyHash } = data.identity;
    const path = signingRecordsFolder(datadir, keyHash);
    await using database = await openDatabase({ path });
    // what is there may be another network's: then the import is refused instead of relabelled
    const log = await ProtectionLog.open(database, readIdentity(database) ?? data.identity);
    await importProtection(log, data);
    printLine(io, `${keyHash}  ${data.entries.length} records`);
  }
}

/** Signs again after a message of another process, from a slot and an epoch on in which that one has signed nothing. */
export async function adoptRecords({ values, operands, io }: ValidatorRequest): Promise<void> {
  const [name, slotText, epochText, ...extra] = operands;
  const [slot, epoch] = [counterOf(slotText), counterOf(epochText)];
  const isHash = name !== undefined && /^0x[0-9a-f]{64}$/i.test(name);
  if (!isHash || slot === undefined || epoch === undefined || extra.length > 0)
    throw new UsageError("usage: qnet validator protection adopt KEYHASH SLOT EPOCH");
  const keyHash = parseHash(name);
  const path = signingRecordsFolder(requireDataFolder(values.datadir), keyHash);
  if (!existsSync(path)) fail(`there are no signing records in ${path}`);
  await using database = await openDatabase({ path });
  const identity = readIdentity(database);
  if (identity === undefined) fail(`there are no signing records in ${path}`);
  const log = await ProtectionLog.open(database, identity);
  const { foreign, bounds } = log;
  if (foreign === undefined) fail(`no other process has signed with ${keyHash}: it signs anyway`);
  const least = { slot: bounds.slot + 1, epoch: Math.max(bounds.target, bounds.ack) + 1 };
  if (slot < least.slot || epoch < least.epoch)
    fail(
      `expected a slot from ${least.slot} and an epoch from ${least.epoch} on, got ${slot} and ${epoch}`,
    );
  const before = epoch - 1;
  await log.adopt({
    slot: slot - 1,
    seq: MAX_SEQ,
    target: before,
    source: before - 1,
    ack: before,
    completeAbove: before,
  });
  printLine(io, `${keyHash} signs again from slot ${slot} and epoch ${epoch} on`);
}

function counterOf(text: string | undefined): number | undefined {
  const value = text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : -1;
  return Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

async function readRecords(path: string): Promise<ProtectionData | undefined> {
  await using database = await openDatabase({ path });
  const identity = readIdentity(database);
  return identity && (await exportProtection(await ProtectionLog.open(database, identity)));
}

function fail(problem: string): never {
  throw new CommandError({ code: "FAILED", problem });
}
