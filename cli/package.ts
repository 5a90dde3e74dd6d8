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

/** What `web3_clientVersion` says; tools recognise a dev chain by the word anvil. */
export function clientVersion(isDev: boolean): string {
  const own = `qnet/v${packageVersion()}`;
  const [major] = process.versions.node.split(".");
  return isDev
    ? `anvil-compatible/${own}`
    : `${own}/${process.platform}-${process.arch}/node${major}`;
}
