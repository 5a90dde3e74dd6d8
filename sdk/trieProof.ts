/** Proofs of Merkle Patricia tries as eth_getProof gives them: nodes from the root down. Source: Yellow Paper, appendix D. */
import { bytesToHex, fromRlp, type Hex, hexToBytes, keccak256 } from "viem";

/** Deepest path of a 32-byte key, one node a nibble, and the root. */
const MAX_NODES = 65;
const EMPTY_ROOT: Hex = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421";

/** A proof that does not fit what it shall prove. */
export class ProofError extends Error {
  override readonly name = "ProofError";
}

/**
 * The value at `key` (bytes; hashed already where the trie hashes its keys) below `root`, or undefined if the proof shows that there is none.
 * Throws ProofError if the nodes prove neither.
 */
export function readTrieProof(root: Hex, key: Uint8Array, nodes: readonly Hex[]): Hex | undefined {
  if (nodes.length > MAX_NODES)
    throw new ProofError(`expected at most ${MAX_NODES} nodes, got ${nodes.length}`);
  if (nodes.length === 0) {
    if (root === EMPTY_ROOT) return undefined;
    throw new ProofError(`expected the node ${root}, got no proof`);
  }
  let path = nibblesOf(key);
  let child: unknown = root;
  for (let used = 0; ; ) {
    // a node shorter than 32 bytes stands in its parent, all others are named by their hash
    const node: readonly unknown[] = Array.isArray(child) ? child : openNode(nodes[used++], child);
    const step = descend(node, path);
    if ("value" in step) {
      if (used !== nodes.length) throw new ProofError("expected no node behind the last one");
      return step.value;
    }
    ({ path, child } = step);
  }
}

type Step =
  | { readonly value: Hex | undefined }
  | { readonly path: readonly number[]; readonly child: unknown };

function openNode(raw: Hex | undefined, expected: unknown): readonly unknown[] {
  if (raw === undefined) throw new ProofError(`expected the node ${String(expected)}, got no more`);
  const hash = keccak256(raw);
  if (hash !== expected) throw new ProofError(`expected the node ${String(expected)}, got ${hash}`);
  const decoded: unknown = fromRlp(raw, "hex");
  if (!Array.isArray(decoded)) throw new ProofError(`expected a list as node ${hash}`);
  return decoded;
}

function descend(node: readonly unknown[], path: readonly number[]): Step {
  if (node.length === 17) {
    const [first, ...rest] = path;
    const item = node[first ?? 16];
    if (first === undefined || item === "0x") return { value: readValue(item) };
    return { path: rest, child: item };
  }
  if (node.length !== 2)
    throw new ProofError(`expected 2 or 17 items in a node, got ${node.length}`);
  const [head, item] = node;
  if (typeof head !== "string") throw new ProofError("expected bytes as the path of a node");
  const nibbles = nibblesOf(hexToBytes(`0x${head.slice(2)}`));
  const flag = nibbles[0] ?? 0;
  const own = nibbles.slice(flag % 2 === 1 ? 1 : 2);
  const fits = own.every((nibble, at) => nibble === path[at]);
  const isLeaf = flag >= 2;
  if (isLeaf) return { value: fits && own.length === path.length ? readValue(item) : undefined };
  return fits ? { path: path.slice(own.length), child: item } : { value: undefined };
}

function readValue(item: unknown): Hex | undefined {
  if (item === "0x") return undefined;
  if (typeof item !== "string") throw new ProofError("expected bytes as a value");
  return bytesToHex(hexToBytes(`0x${item.slice(2)}`));
}

function nibblesOf(bytes: Uint8Array): readonly number[] {
  return [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);
}
