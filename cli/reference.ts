/** The generated pages of docs/reference: their names and texts. */
import { genesisJsonSchema } from "../src/types/genesis.ts";
import { definitions } from "./definitions.ts";
import { referencePage } from "./help.ts";

/** Folder of the pages, from the package's folder. */
export const REFERENCE_FOLDER = "docs/reference";

/** All pages, by file name. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ["cli.md", referencePage(definitions)],
    ["genesis.schema.json", `${JSON.stringify(genesisJsonSchema(), null, 2)}\n`],
  ]);
}
