import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { keccak256 } from "../../../src/crypto/keccak.ts";
import { type Bytes, EMPTY_BYTES } from "../../../src/primitives/bytes.ts";
import { hexToBytes } from "../../../src/primitives/hex.ts";
import { Trie } from "../../../src/state/trie.ts";
import { EMPTY_TRIE_ROOT } from "../../../src/types/account.ts";
import { describeFixtures, evmFixturesDir } from "../../support/fixtures.ts";
import { MapStore } from "./mapStore.ts";

const value = z.string().nullable();
const rootFile = z.record(
  z.string(),
  z.object({
    in: z.union([z.array(z.tuple([z.string(), value])), z.record(z.string(), value)]),
    root: z.string(),
  }),
);
const orderFile = z.record(
  z.string(),
  z.object({
    in: z.array(z.string()),
    tests: z.array(z.tuple([z.string(), z.string(), z.string()])),
  }),
);

/** Text that starts with 0x is hex, anything else is itself. */
function bytesOf(text: string): Bytes {
  return text.startsWith("0x") ? hexToBytes(text) : new TextEncoder().encode(text);
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

function rootTests(file: string, isSecure: boolean): void {
  for (const [title, vector] of Object.entries(rootFile.parse(read(file)))) {
    it(`${basename(file)} ${title}`, () => {
      for (const writes of ordersOf(vector.in)) {
        assert.equal(rootOf(writes, isSecure), vector.root);
      }
    });
  }
}

type Writes = readonly (readonly [key: string, value: string | null])[];

/** A list is in order; an object holds in any order, so both ways are tried. */
function ordersOf(input: Writes | Readonly<Record<string, string | null>>): Writes[] {
  if (isList(input)) return [input];
  const writes = Object.entries(input);
  return [writes, writes.toReversed()];
}

function isList(input: unknown): input is Writes {
  return Array.isArray(input);
}

function rootOf(writes: Writes, isSecure: boolean): string {
  const trie = new Trie(new MapStore(), EMPTY_TRIE_ROOT);
  for (const [key, entry] of writes) {
    const path = isSecure ? keccak256(bytesOf(key)) : bytesOf(key);
    trie.put(path, entry === null ? EMPTY_BYTES : bytesOf(entry));
  }
  return trie.rootHash();
}

/** Each test: a key, the key before it and the key after it, "" for none. */
function orderTests(file: string): void {
  for (const [title, vector] of Object.entries(orderFile.parse(read(file)))) {
    it(`${basename(file)} ${title}`, () => {
      const trie = new Trie(new MapStore(), EMPTY_TRIE_ROOT);
      for (const key of vector.in) trie.put(bytesOf(key), bytesOf(key));
      const keys = [...trie.entries()].map(([key]) => Buffer.from(key).toString());
      for (const [key, previous, next] of vector.tests) {
        assert.equal(keys.filter((other) => other < key).at(-1) ?? "", previous);
        const [first, second] = trie.entries(bytesOf(key));
        const after = Buffer.from(first?.[0] ?? EMPTY_BYTES).toString() === key ? second : first;
        assert.equal(Buffer.from(after?.[0] ?? EMPTY_BYTES).toString(), next);
      }
    });
  }
}

describeFixtures("Trie, TrieTests of ethereum/tests", evmFixturesDir(), (fixtures) => {
  const directory = join(fixtures, "tests/TrieTests");
  for (const name of readdirSync(directory)) {
    const file = join(directory, name);
    if (name === "trietestnextprev.json") orderTests(file);
    else rootTests(file, /secure/i.test(name));
  }
});
