/** A walk over every node of a trie that trusts nothing: for checking a store, not for reading one. */
import { keccak256 } from "../crypto/keccak.ts";
import { type Bytes, concatBytes, EMPTY_BYTES, equalBytes } from "../primitives/bytes.ts";
import { bytesToHash, type Hash, hexToBytes } from "../primitives/hex.ts";
import { EMPTY_TRIE_ROOT } from "../types/account.ts";
import { fromNibbles } from "./nibbles.ts";
import type { NodeStore } from "./nodeBuffer.ts";
import { StateError } from "./stateError.ts";
import {
  BRANCH,
  type Child,
  decodeNode,
  LEAF,
  nodeKey,
  nodeKeyBytes,
  type TrieNode,
} from "./trieNode.ts";

/** What the walk met: a sound node, a value, or a node below which it could not look. */
export type AuditStep =
  | { readonly kind: "node"; readonly sizeBytes: number }
  | { readonly kind: "value"; readonly key: Bytes; readonly value: Bytes }
  | {
      readonly kind: "problem";
      readonly problem: "missing" | "wrong hash" | "malformed";
      readonly hash: Hash;
      /** Nibbles from the root, as hex digits. */
      readonly path: string;
    };

interface Pending {
  readonly child: Child;
  readonly path: Bytes;
}

/** Every node under `root`, hashes recomputed; depth first, holding at most one branch's children a level. */
export function* auditTrie(store: NodeStore, root: Hash): Generator<AuditStep> {
  if (root === EMPTY_TRIE_ROOT) return;
  const stack: Pending[] = [{ child: nodeKey(hexToBytes(root)), path: EMPTY_BYTES }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    let node = next.child;
    if (typeof node === "string") {
      const hash = nodeKeyBytes(node);
      const raw = store.getNode(hash);
      const found = raw === undefined ? "missing" : soundNode(raw, hash);
      if (typeof found === "string") {
        const path = Array.from(next.path, (nibble) => nibble.toString(16)).join("");
        yield { kind: "problem", problem: found, hash: bytesToHash(hash), path };
        continue;
      }
      yield { kind: "node", sizeBytes: raw?.length ?? 0 };
      node = found;
    }
    const value = expand(node, next.path, stack);
    if (value !== undefined) yield value;
  }
}

function soundNode(raw: Bytes, hash: Bytes): TrieNode | "wrong hash" | "malformed" {
  if (!equalBytes(keccak256(raw), hash)) return "wrong hash";
  try {
    return decodeNode(raw, nodeKey(hash));
  } catch (error) {
    if (error instanceof StateError) return "malformed";
    throw error;
  }
}

/** Pushes the children of a node; gives its value, if it has one. */
function expand(node: TrieNode, path: Bytes, stack: Pending[]): AuditStep | undefined {
  if (node.kind === BRANCH) {
    for (let nibble = node.children.length - 1; nibble >= 0; nibble--) {
      const child = node.children[nibble];
      if (child !== undefined)
        stack.push({ child, path: concatBytes(path, Uint8Array.of(nibble)) });
    }
    return node.value === undefined ? undefined : valueStep(path, node.value);
  }
  const below = concatBytes(path, node.path);
  if (node.kind === LEAF) return valueStep(below, node.value);
  stack.push({ child: node.child, path: below });
  return undefined;
}

function valueStep(path: Bytes, value: Bytes): AuditStep {
  return { kind: "value", key: fromNibbles(path), value };
}
