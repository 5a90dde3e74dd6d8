/** A file of blocks of transfers with its genesis: what `qnet import` is measured with. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createBlockFile } from "../cli/blockFiles.ts";
import { buildBlock } from "../src/chain/buildBlock.ts";
import { Chain } from "../src/chain/chain.ts";
import { networkRules } from "../src/chain/networkRules.ts";
import { silentLogger } from "../src/runtime/log.ts";
import { openDatabase } from "../src/storage/database.ts";
import { encodeBlock } from "../src/types/block.ts";
import { parseGenesisText } from "../src/types/genesis.ts";
import { draftOnHead, genesisText, recipientsOf, transfer } from "./transfers.ts";

/** How many transfers to how many accounts. */
export interface ChainShape {
  readonly transactions: number;
  readonly perBlock: number;
  /** Distinct recipients. */
  readonly accounts: number;
}

const clock = { nowMs: () => performance.now() };

/**
 * Writes genesis.json and chain.rlp into `folder`. The chain they come from is on disk as well while they are made, and each
 * block goes to the file at once: a chain of any length is made in the memory that an import of it takes.
 */
export async function writeTransferChain(folder: string, shape: ChainShape): Promise<void> {
  const { transactions, perBlock, accounts } = shape;
  const text = genesisText();
  writeFileSync(join(folder, "genesis.json"), text);
  const genesis = parseGenesisText(text);
  await using database = await openDatabase({ path: join(folder, "made") });
  const chain = await Chain.open(database, genesis, {
    ...networkRules(genesis.config),
    log: silentLogger,
  });
  const recipients = recipientsOf(accounts);
  const file = createBlockFile(join(folder, "chain.rlp"), "chain.rlp");
  for (let sent = 0; sent < transactions; sent += perBlock) {
    const candidates = Array.from({ length: perBlock }, (_, i) =>
      transfer(genesis, sent + i, recipients[(sent + i) % accounts]),
    );
    const built = await buildBlock(chain, draftOnHead(chain), candidates, { clock });
    if (built.block.transactions.length !== perBlock) throw new Error("transfers were left out");
    await chain.importBlock(built.block, built);
    await file.write(encodeBlock(built.block));
  }
  await file.finish();
  await chain.close();
}
