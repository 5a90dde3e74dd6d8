/** The generated pages of docs/reference: their names and texts. */
import { engineMethods } from "../rpc/methods/engine.ts";
import { allMethods } from "../rpc/methods/index.ts";
import { openRpcDocument, rpcReferenceMarkdown } from "../rpc/openrpc.ts";
import { genesisJsonSchema } from "../src/types/genesis.ts";
import { definitions } from "./definitions.ts";
import { referencePage } from "./help.ts";
import { packageVersion } from "./package.ts";

/** Folder of the pages, from the package's folder. */
export const REFERENCE_FOLDER = "docs/reference";

/** All pages, by file name. */
export function referencePages(): ReadonlyMap<string, string> {
  const methods = [...allMethods, ...engineMethods];
  return new Map([
    ["cli.md", referencePage(definitions)],
    ["rpc.md", rpcReferenceMarkdown(methods)],
    ["openrpc.json", json(openRpcDocument(methods, packageVersion()))],
    ["genesis.schema.json", json(genesisJsonSchema())],
  ]);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
