#!/usr/bin/env node
// Plain JavaScript on purpose: it must start on any Node to name the one that is needed.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const sources = path("../cli/main.ts"); // in a checkout they run, whatever an older build left in dist
const main = existsSync(sources) ? sources : path("../dist/cli/main.js");
const own = path("../node_modules/.bin/node"); // the development dependency, in a checkout
const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 24 || (major === 24 && minor >= 15)) {
  process.argv[1] = main;
  await import(main);
} else if (existsSync(own)) {
  const child = spawn(own, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => process.exit(code ?? 1));
} else {
  console.error(`Fatal: Node.js 24.15 or newer is needed, this is ${process.version}`);
  process.exit(1);
}
