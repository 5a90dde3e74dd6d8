/** A PKCS #11 token in software: Debian's softhsm2. Tests that need it say when they skip. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const SOFTHSM_MODULE = "/usr/lib/softhsm/libsofthsm2.so";
export const SOFTHSM_PIN = "4321";

/** A group of tests on SoftHSM 2. */
export function describeSoftHsm(title: string, tests: () => void): void {
  if (existsSync(SOFTHSM_MODULE)) describe(`${title}, on SoftHSM 2`, tests);
  else describe.skip(`${title}, skipped: softhsm2 not found`, tests);
}

/** A new token below `folder`, which is this process' configuration of SoftHSM from now on. */
export function initialiseToken(folder: string, label: string): void {
  const configuration = join(folder, "softhsm2.conf");
  const tokens = join(folder, "tokens");
  mkdirSync(tokens);
  writeFileSync(configuration, `directories.tokendir = ${tokens}\nlog.level = ERROR\n`);
  process.env["SOFTHSM2_CONF"] = configuration;
  const pins = ["--so-pin", "1234", "--pin", SOFTHSM_PIN];
  const args = ["--init-token", "--free", "--label", label, ...pins];
  execFileSync("softhsm2-util", args, { stdio: "ignore" });
}
