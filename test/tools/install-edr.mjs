// npm run by a Node older than 22 leaves out Hardhat's native engine, since its platform packages ask for Node 22 and are
// optional; this project runs Hardhat on its own Node 24. Runs after every install and does nothing where all is there.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const modules = join(import.meta.dirname ?? ".", "..", "..", "node_modules");
const edr = join(modules, "@nomicfoundation", "edr", "package.json");
if (existsSync(edr)) {
  const { optionalDependencies = {} } = JSON.parse(readFileSync(edr, "utf8"));
  const libc = process.platform !== "linux" ? "" : process.report.getReport().header.glibcVersionRuntime ? "-gnu" : "-musl";
  const suffix = process.platform === "win32" ? "-msvc" : libc;
  const name = `@nomicfoundation/edr-${process.platform}-${process.arch}${suffix}`;
  const version = optionalDependencies[name];
  if (version !== undefined && !existsSync(join(modules, name))) install(name, version);
}

function install(name, version) {
  const folder = mkdtempSync(join(modules, ".edr-"));
  try {
    execFileSync("npm", ["pack", "--silent", `${name}@${version}`, "--pack-destination", folder], { stdio: "pipe" });
    const archive = readdirSync(folder).find((file) => file.endsWith(".tgz"));
    execFileSync("tar", ["-xzf", join(folder, archive), "-C", folder]);
    mkdirSync(join(modules, "@nomicfoundation"), { recursive: true });
    renameSync(join(folder, "package"), join(modules, name));
  } catch (error) {
    console.warn(`Hardhat's engine ${name}@${version} could not be installed, Hardhat will not start: ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
