import type { Bytes } from "../../../src/primitives/bytes.ts";
import type { Hash } from "../../../src/primitives/hex.ts";
import type { StateChanges, StateStore } from "../../../src/state/state.ts";

/** A StateStore in memory that can be damaged. */
export class MapStore implements StateStore {
  readonly nodes = new Map<string, Bytes>();
  readonly codes = new Map<Hash, Bytes>();

  getNode(hash: Bytes): Bytes | undefined {
    return this.nodes.get(Buffer.from(hash).toString("hex"));
  }

  getCode(hash: Hash): Bytes | undefined {
    return this.codes.get(hash);
  }

  add(nodes: ReadonlyMap<string, Bytes>): void {
    for (const [hex, raw] of nodes) this.nodes.set(hex, raw);
  }

  apply(changes: StateChanges): void {
    this.add(changes.nodes);
    for (const [hash, code] of changes.code) this.codes.set(hash, code);
  }
}
