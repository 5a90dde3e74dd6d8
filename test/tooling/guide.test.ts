/** docs/guides/post-quantum.md as its reader follows it: the files it shows are saved, its shell commands run in one shell. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type DevProcess, startDevProcess } from "../support/devProcess.ts";
import { repositoryRoot, toolEnvironment } from "../support/runTool.ts";

const TIMEOUT_MS = 240_000;
/** Ends the shell and what it started, should a command never end. */
const SHELL_TIMEOUT_SECONDS = "200";
/** Where the guide says that the node is. */
const NODE_URL = "http://127.0.0.1:8545";
/** The package's entries; in a checkout they are sources. */
const ENTRIES = [
  ["qnet-node/sdk/ethers", "sdk/ethers.ts"],
  ["qnet-node/sdk", "sdk/sdk.ts"],
] as const;

/** Fenced blocks of a language, with what stands behind its name. */
function blocks(
  markdown: string,
  language: string,
): { readonly title: string; readonly body: string }[] {
  const pattern = new RegExp(`^\`\`\`${language}\\b *(.*)\\n([\\s\\S]*?)^\`\`\`$`, "gm");
  return [...markdown.matchAll(pattern)].map(([, title = "", body = ""]) => ({ title, body }));
}

describe("docs/guides/post-quantum.md", function () {
  this.timeout(TIMEOUT_MS);
  let node: DevProcess;
  let folder: string;

  before(async () => {
    // below the checkout, so that scripts find its packages; Node runs no TypeScript below node_modules
    const parent = join(import.meta.dirname, ".guide-");
    [node, folder] = await Promise.all([startDevProcess(), mkdtemp(parent)]);
  });
  after(async () => {
    await node?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("runs from its first command to its last", async function () {
    if (node.isPeer) return this.skip();
    const guide = await readFile(join(repositoryRoot, "docs/guides/post-quantum.md"), "utf8");
    const files = blocks(guide, "ts");
    const commands = blocks(guide, "sh");
    assert.ok(files.length >= 2 && commands.length >= 5);
    await mkdir(join(folder, "demo"));
    for (const { title, body } of files) {
      const source = ENTRIES.reduce(
        (code, [entry, file]) => code.replaceAll(`"${entry}"`, `"${join(repositoryRoot, file)}"`),
        body.replaceAll(NODE_URL, node.url),
      );
      await writeFile(join(folder, "demo", title), source);
    }
    const script = commands.map(({ body }) => body.replaceAll(NODE_URL, node.url)).join("\n");
    const shell = ["bash", "-euo", "pipefail", "-c", script.replace("mkdir demo && ", "")];
    const child = spawn("timeout", [SHELL_TIMEOUT_SECONDS, ...shell], {
      cwd: folder,
      env: { ...toolEnvironment(folder), QNET: repositoryRoot, QNET_LIGHTKDF: "true" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const [printed, failed] = await Promise.all([text(child.stdout), text(child.stderr)]);
    assert.equal(await ended, 0, printed + failed);
    const proof = await readFile(join(folder, "demo/proof"), "utf8");
    assert.equal(proof.trim().length, 2 + 2 * 3_732);
  });
});
