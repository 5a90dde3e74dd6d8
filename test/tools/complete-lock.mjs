// npm leaves out of the lock file the optional platform packages that the registry at hand does not have, and `npm ci` then
// calls the lock incomplete. This adds them by name and exact version; only a machine of that platform ever fetches them.
// Run after `npm install`: node test/tools/complete-lock.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const OS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const CPU = ["arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64", "wasm32"];
const ALIAS = { amd64: "x64", windows: "win32", win: "win32" };

const file = join(import.meta.dirname ?? ".", "..", "..", "package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8"));
let added = 0;
for (const [where, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (finds(where, name)) continue;
    if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`${name}@${version} of ${where || "this project"} is no exact version`);
    const words = name.toLowerCase().split(/[^a-z0-9]+/).map((word) => ALIAS[word] ?? word);
    const os = words.filter((word) => OS.includes(word));
    const cpu = words.filter((word) => CPU.includes(word));
    if (os.length + cpu.length === 0) throw new Error(`cannot tell the platform of ${name}`);
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu.length > 0 && { cpu }),
      ...(entry.dev && { dev: true }),
      optional: true,
      ...(os.length > 0 && { os }),
    };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(`${added} platform packages added`);

/** Whether `name` required from the package at `where` is in the lock, as Node would look it up. */
function finds(where, name) {
  for (let at = where; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    if (lock.packages[`${at === "" ? "" : `${at}/`}node_modules/${name}`] !== undefined) return true;
    if (at === "") return false;
  }
}
