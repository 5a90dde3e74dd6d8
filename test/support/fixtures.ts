/** Where the public conformance fixtures are: `QNET_FIXTURES`, else `../shared/fixtures` beside the repository. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** Folder with `evm`, `pq` and `rpc-compat`, or undefined where there is none. */
export function fixturesDir(): string | undefined {
  const directory = process.env["QNET_FIXTURES"] ?? join(REPOSITORY, "../shared/fixtures");
  return existsSync(directory) ? directory : undefined;
}

/** Unpacked EVM fixtures (`eest`, `tests`); unpacks the archive into `.fixtures` at the first call. */
export function evmFixturesDir(): string | undefined {
  const unpacked = join(REPOSITORY, ".fixtures/evm");
  if (existsSync(unpacked)) return unpacked;
  const archive = join(fixturesDir() ?? "", "evm/dev-fixtures.tar.xz");
  if (!existsSync(archive)) return undefined;
  mkdirSync(dirname(unpacked), { recursive: true });
  const temporary = mkdtempSync(`${unpacked}-`);
  execFileSync("tar", ["xJf", archive, "-C", temporary], { stdio: "inherit" });
  if (existsSync(unpacked)) rmSync(temporary, { recursive: true });
  else renameSync(temporary, unpacked); // in one step: another process sees all of it or nothing
  return unpacked;
}

/** A suite that needs fixtures; without them one pending test says so. */
export function describeFixtures(
  title: string,
  directory: string | undefined,
  define: (directory: string) => void,
): void {
  describe(title, () => {
    if (directory !== undefined) define(directory);
    else
      it("skipped: fixtures not found", function () {
        this.skip();
      });
  });
}

/** All JSON files below `directory`, sorted. */
export function jsonFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(directory, name));
}
