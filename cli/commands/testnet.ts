/** `qnet testnet`: data directories of a whole network on one disk, ready to be started or copied to other machines. */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bytesToHash } from "../../src/primitives/hex.ts";
import type { Genesis } from "../../src/types/genesis.ts";
import { openChain } from "../chainAccess.ts";
import { testnetDefinition } from "../definitions.ts";
import { EXIT, UsageError } from "../exit.ts";
import { describeLaunch, fillTemplate, readTemplate, termsOf, withSalt } from "../genesisLaunch.ts";
import { type CommandIo, printLine } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import { createCommandLog } from "../log.ts";
import { parseOptions } from "../parseOptions.ts";
import { prepareSeat, type Seat } from "../validatorSeat.ts";

const WEI_PER_GWEI = 1_000_000_000n;

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(testnetDefinition, args, io);
  if (operands.length > 0) throw new UsageError(`testnet takes no argument "${operands[0]}"`);
  const salt = bytesToHash(randomBytes(32));
  const template = withSalt(readTemplate(values.network), salt);
  const terms = termsOf(template);
  const stakeGwei = values.stake === undefined ? terms.minStake : values.stake / WEI_PER_GWEI;
  const seats: Seat[] = [];
  for (let index = 0; index < values.validators; index++) {
    const folder = join(values.out ?? ".", `node${index}`);
    seats.push(await prepareSeat(folder, { ...terms, stakeGwei }));
  }
  const text = fillTemplate(template, {
    validators: seats.map(({ entry }) => entry),
    timestamp: values.timestamp ?? BigInt(Math.floor(Date.now() / 1000)),
    funded: new Map(seats.map(({ owner }) => [owner, values.balance])),
  });
  const { genesis, facts } = await describeLaunch(text);
  const log = createCommandLog(values, io);
  for (const { folder } of seats) await initialise(folder, { text, genesis, log });
  printLine(io, jsonLine({ ...facts, folders: seats.map(({ folder }) => folder) }));
  return EXIT.ok;
}

async function initialise(
  folder: string,
  parts: {
    readonly text: string;
    readonly genesis: Genesis;
    readonly log: ReturnType<typeof createCommandLog>;
  },
): Promise<void> {
  await writeFile(join(folder, "genesis.json"), parts.text);
  const access = await openChain(folder, parts.genesis, { log: parts.log });
  await access.close();
}
