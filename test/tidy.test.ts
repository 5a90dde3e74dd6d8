import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { judgeFile } from "./support/tidy.ts";

const root = join(import.meta.dirname, "..");
const FOLDERS = ["src", "rpc", "cli", "sdk", "test", "bench"];
/** Peer-neutral tools with their own style, and projects that stand for a user's own. */
const FOREIGN = ["test/tools", "bench/load", "test/tooling/projects"];

function sources(): string[] {
  return FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      .filter((file) => !FOREIGN.some((folder_) => file.startsWith(`${folder_}/`))),
  );
}

function documents(): string[] {
  return readdirSync(join(root, "docs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

describe("tidy", () => {
  it("finds layers, doors, purity and sizes kept in every source file", () => {
    const files = sources();
    assert.ok(files.length > 50, "the walk found the sources");
    const found = files.flatMap((file) => judgeFile(file, readFileSync(join(root, file), "utf8")));
    assert.deepEqual(found, []);
  });

  it("finds one title in every document", () => {
    for (const file of documents()) {
      const text = readFileSync(join(root, file), "utf8").replace(/^```[\s\S]*?^```/gm, "");
      assert.equal(text.match(/^# /gm)?.length, 1, file);
    }
  });

  const planted: readonly [name: string, file: string, text: string, caught: RegExp][] = [
    [
      "an upward import",
      "src/state/bad.ts",
      'import { Chain } from "../chain/chain.ts";',
      /chain stands right of state/,
    ],
    [
      "rpc imported by src",
      "src/node/bad.ts",
      'import { x } from "../../rpc/server.ts";',
      /src never imports rpc/,
    ],
    [
      "a package outside its door",
      "src/chain/bad.ts",
      'import { Level } from "level";',
      /its door is src\/storage/,
    ],
    ["a package without a door", "rpc/bad.ts", 'import lodash from "lodash";', /without a door/],
    [
      "a scoped package outside its door",
      "rpc/bad.ts",
      'import { createEVM } from "@ethereumjs/evm";',
      /its door is src\/execution/,
    ],
    [
      "a dynamic import outside its door",
      "cli/bad.ts",
      'const x = await import("level");',
      /its door is/,
    ],
    [
      "disk in the core",
      "src/types/bad.ts",
      'import { readFileSync } from "node:fs";',
      /no node: module/,
    ],
    [
      "a clock in the core",
      "src/execution/bad.ts",
      "const t = Date.now();",
      /Clock of src\/runtime/,
    ],
    ["randomness", "src/txpool/bad.ts", "const r = Math.random();", /randomBytes/],
    [
      "a reducer that reaches for the shell",
      "src/consensus/core/bad.ts",
      'import { Clock } from "../../runtime/clock.ts";',
      /a reducer imports only itself/,
    ],
    [
      "a reducer that imports the engine",
      "src/consensus/core/bad.ts",
      'import { Producer } from "../producer.ts";',
      /a reducer imports only itself/,
    ],
    [
      "a node: module in a reducer",
      "src/consensus/core/bad.ts",
      'import { randomBytes } from "node:crypto";',
      /no node: module/,
    ],
    [
      "a timer in a reducer",
      "src/consensus/core/bad.ts",
      "setTimeout(() => {}, 5);",
      /the engine carries out/,
    ],
    ["the environment outside cli", "src/node/bad.ts", "const e = process.env.X;", /cli\/options/],
    ["console outside cli", "rpc/bad.ts", 'console.log("x");', /Logger/],
    ["a file over 400 lines", "src/chain/bad.ts", "\n".repeat(401), /401 lines/],
    [
      "a lonely test",
      "test/unit/bad.test.ts",
      `it${".only"}("x", () => {});`,
      /switches others off/,
    ],
  ];
  for (const [name, file, text, caught] of planted)
    it(`catches ${name}`, () => {
      const found = judgeFile(file, text);
      assert.equal(found.length, 1);
      assert.match(found[0] ?? "", caught);
    });

  it("lets a word in a comment pass", () => {
    assert.deepEqual(
      judgeFile("src/types/good.ts", "// never Date.now() here\nexport const x = 1;\n"),
      [],
    );
  });
});
