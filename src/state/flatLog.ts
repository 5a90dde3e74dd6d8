/** Notes what a State puts into its tries, for the flat entries of the same state. */
import type { Bytes } from "../primitives/bytes.ts";
import { type FlatAccountChange, type FlatChanges, type FlatKey, flatKey } from "./flatState.ts";
import type { AccountCell, StorageArea } from "./overlay.ts";
import { encodeSlot } from "./slotCodec.ts";
import { nodeKey } from "./trieNode.ts";

/** Changes since the last `take`. */
export class FlatLog {
  #changes = new Map<FlatKey, FlatAccountChange>();
  /** Cleared areas whose clear is noted: it must not be noted twice, slots may have been written since. */
  readonly #cleared = new Set<StorageArea>();

  /** The account as its leaf has it, empty when it is gone; before its slots. */
  account({ trieKey, storage }: AccountCell, value: Bytes): FlatAccountChange {
    const key = flatKey(trieKey);
    let change = this.#changes.get(key);
    if (change === undefined) {
      change = { value, cleared: false, slots: undefined };
      this.#changes.set(key, change);
    }
    change.value = value;
    if (storage.isCleared && !this.#cleared.has(storage)) {
      this.#cleared.add(storage);
      change.cleared = true;
      change.slots = undefined;
    }
    return change;
  }

  /** Everything since the last time; the state at the new root is the ground for what follows. */
  take(): FlatChanges {
    const changes = this.#changes;
    this.#changes = new Map();
    for (const area of this.#cleared) area.isCleared = false;
    this.#cleared.clear();
    return changes;
  }
}

/** Notes a slot of the account; the empty value is zero. */
export function noteSlot(change: FlatAccountChange, slotHash: Bytes, value: Bytes): void {
  change.slots ??= new Map();
  change.slots.set(nodeKey(slotHash), value.length === 0 ? value : encodeSlot(value));
}
