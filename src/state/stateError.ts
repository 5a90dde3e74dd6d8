/** What can go wrong when state is read: always a damaged or incomplete store, never an answer of zero. */
import { NodeError } from "../primitives/errors.ts";
import type { Hash } from "../primitives/hex.ts";

export type StateErrorReason =
  /** `path`: nibbles from the root to the absent node, as hex digits. */
  | {
      readonly code: "MISSING_NODE";
      readonly root: Hash;
      readonly path: string;
      readonly hash: Hash;
    }
  | { readonly code: "MISSING_CODE"; readonly hash: Hash }
  | { readonly code: "BAD_NODE"; readonly hash: Hash; readonly detail: string }
  /** An account or a slot whose bytes are not what was ever stored. */
  | { readonly code: "BAD_VALUE"; readonly detail: string };

/** The store under a trie or a state lacks something it must have, or holds something malformed. */
export class StateError extends NodeError<StateErrorReason> {}
