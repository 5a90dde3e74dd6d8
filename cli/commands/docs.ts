/** `qnet docs`: writes docs/reference, which nobody edits by hand. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { docsDefinition } from "../definitions.ts";
import { EXIT } from "../exit.ts";
import { type CommandIo, printLine } from "../io.ts";
import { packageFolder } from "../package.ts";
import { parseOptions } from "../parseOptions.ts";
import { REFERENCE_FOLDER, referencePages } from "../reference.ts";

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  parseOptions(docsDefinition, args, io);
  const folder = join(packageFolder(), REFERENCE_FOLDER);
  await mkdir(folder, { recursive: true });
  for (const [name, text] of referencePages()) {
    await writeFile(join(folder, name), text);
    printLine(io, `${REFERENCE_FOLDER}/${name}`);
  }
  return EXIT.ok;
}
