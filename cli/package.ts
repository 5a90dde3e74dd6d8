/** Files of the package: found from the folder that holds package.json, in a checkout as in an installed package. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { assert } from "../src/primitives/errors.ts";

/** Folder that holds package.json. */
export function packageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    assert(folder !== dirname(folder), "the program is part of a package");
    folder = dirname(folder);
  }
  return folder;
}

/** Version of the package. */
export function packageVersion(): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(packageFolder(), "package.json"), "utf8"),
  );
  return version;
}
