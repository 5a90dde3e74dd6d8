/** `qnet init`: writes block 0 of a genesis file into a data directory. */
import { buildGenesisBlock } from "../../src/chain/genesis.ts";
import { openChain } from "../chainAccess.ts";
import { requireDataFolder } from "../dataFolder.ts";
import { initDefinition } from "../definitions.ts";
import { EXIT, UsageError } from "../exit.ts";
import { demandGenesisHash, loadGenesis } from "../genesisFiles.ts";
import { type CommandIo, printLine } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import { createCommandLog } from "../log.ts";
import { parseOptions } from "../parseOptions.ts";

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(initDefinition, args, io);
  const [file, ...extra] = operands;
  if (file === undefined || extra.length > 0) throw new UsageError("usage: qnet init GENESIS");
  const datadir = requireDataFolder(values.datadir);
  const genesis = loadGenesis(file);
  const wanted = values["genesis-hash"];
  // nothing may be written for another block; without a demand it is not made twice
  if (wanted !== undefined)
    demandGenesisHash((await buildGenesisBlock(genesis)).block.hash, wanted);
  const access = await openChain(datadir, genesis, { log: createCommandLog(values, io) });
  try {
    const { genesisHash, config } = access.chain;
    const stateRoot = access.chain.header(genesisHash)?.stateRoot;
    printLine(io, jsonLine({ genesisHash, stateRoot, chainId: config.chainId }));
  } finally {
    await access.close();
  }
  return EXIT.ok;
}
