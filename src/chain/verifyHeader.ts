/** Validity of a header as the child of its parent: all forks, everything but the ethash seal. Pure. */

import {
  baseFeeOfChild,
  excessBlobGasOfChild,
  GAS_PER_BLOB,
  maxBlobGas,
} from "../execution/gas.ts";
import { bytesToHex } from "../primitives/hex.ts";
import type { ForkName, Rules } from "../types/forks.ts";
import { EMPTY_OMMERS_HASH } from "../types/genesis.ts";
import type { Header } from "../types/header.ts";
import { demand, demandEqual } from "./blockError.ts";
import { difficultyOfChild } from "./difficulty.ts";

const MAX_EXTRA_DATA_BYTES = 32;
const GAS_LIMIT_DIVISOR = 1_024n;
const MIN_GAS_LIMIT = 5_000n;
const MAX_GAS_LIMIT = 2n ** 63n - 1n;
/** EIP-1559: the gas limit of the first London block may be this many times its parent's. */
const ELASTICITY = 2n;
const ZERO_NONCE = "0x0000000000000000";

/** What differs from plain Ethereum. */
export interface HeaderLeniency {
  /** Fields a developer set by hand (dev chains): their formula is not applied. */
  readonly exempt?: ReadonlySet<keyof Header>;
  /** Chains with several blocks a second: a child may have its parent's timestamp. */
  readonly equalTimestamps?: boolean;
}

/** Fields that exist from a fork on, and only then. */
const FIELDS_SINCE: readonly (readonly [keyof Header, ForkName])[] = [
  ["baseFeePerGas", "london"],
  ["withdrawalsRoot", "shanghai"],
  ["blobGasUsed", "cancun"],
  ["excessBlobGas", "cancun"],
  ["parentBeaconBlockRoot", "cancun"],
  ["requestsHash", "prague"],
];

/** Throws BlockError INVALID_HEADER unless `header` may follow `parent`; `rules` are the header's. The parent's hash is the caller's check. */
export function verifyHeader(
  header: Header,
  parent: Header,
  rules: Rules,
  leniency: HeaderLeniency = {},
): void {
  demandEqual("INVALID_HEADER", "number", parent.number + 1n, header.number);
  verifyTimestamp(header, parent, leniency);
  demand(header.extraData.length <= MAX_EXTRA_DATA_BYTES, "INVALID_HEADER", {
    field: "extraData",
    expected: `at most ${MAX_EXTRA_DATA_BYTES} bytes`,
    got: `${header.extraData.length} bytes`,
  });
  verifyPresence(header, rules);
  verifyGas(header, parent, rules, leniency);
  if (rules.has("paris")) verifyMerged(header);
  else {
    const expected = difficultyOfChild(parent, header.timestamp, rules);
    demandEqual("INVALID_HEADER", "difficulty", expected, header.difficulty);
  }
  if (rules.has("cancun")) verifyBlobGas(header, parent, rules, leniency);
}

function verifyTimestamp(header: Header, parent: Header, leniency: HeaderLeniency): void {
  const least = leniency.equalTimestamps === true ? parent.timestamp : parent.timestamp + 1n;
  demand(header.timestamp >= least, "INVALID_HEADER", {
    field: "timestamp",
    expected: `at least ${least}`,
    got: header.timestamp,
  });
}

function verifyPresence(header: Header, rules: Rules): void {
  for (const [field, fork] of FIELDS_SINCE) {
    const due = rules.has(fork);
    demand(due === (header[field] !== undefined), "INVALID_HEADER", {
      field,
      expected: due ? `present from ${fork} on` : `absent before ${fork}`,
      got: due ? "absent" : "present",
    });
  }
}

function verifyGas(header: Header, parent: Header, rules: Rules, leniency: HeaderLeniency): void {
  demand(header.gasUsed <= header.gasLimit, "INVALID_HEADER", {
    field: "gasUsed",
    expected: `at most the gas limit, ${header.gasLimit}`,
    got: header.gasUsed,
  });
  const first = rules.has("london") && parent.baseFeePerGas === undefined;
  if (!leniency.exempt?.has("gasLimit"))
    verifyGasLimit(header.gasLimit, first ? parent.gasLimit * ELASTICITY : parent.gasLimit);
  if (rules.has("london") && !leniency.exempt?.has("baseFeePerGas")) {
    const expected = baseFeeOfChild(parent);
    demandEqual("INVALID_HEADER", "baseFeePerGas", expected, header.baseFeePerGas);
  }
}

/** The gas limit nearest to `target` that a child of a block with the limit `before` may have. */
export function gasLimitTowards(before: bigint, target: bigint): bigint {
  const most = before / GAS_LIMIT_DIVISOR - 1n;
  if (target > before + most) return before + most;
  return target < before - most ? before - most : target;
}

function verifyGasLimit(gasLimit: bigint, before: bigint): void {
  const change = gasLimit > before ? gasLimit - before : before - gasLimit;
  const most = before / GAS_LIMIT_DIVISOR;
  demand(
    change < most && gasLimit >= MIN_GAS_LIMIT && gasLimit <= MAX_GAS_LIMIT,
    "INVALID_HEADER",
    {
      field: "gasLimit",
      expected: `less than ${most} away from ${before} and at least ${MIN_GAS_LIMIT}`,
      got: gasLimit,
    },
  );
}

/** Source: EIP-3675. */
function verifyMerged(header: Header): void {
  demandEqual("INVALID_HEADER", "difficulty", 0n, header.difficulty);
  demandEqual("INVALID_HEADER", "nonce", ZERO_NONCE, bytesToHex(header.nonce));
  demandEqual("INVALID_HEADER", "sha3Uncles", EMPTY_OMMERS_HASH, header.sha3Uncles);
}

function verifyBlobGas(
  header: Header,
  parent: Header,
  rules: Rules,
  leniency: HeaderLeniency,
): void {
  const used = header.blobGasUsed ?? 0n;
  const most = maxBlobGas(rules);
  demand(used <= most && used % GAS_PER_BLOB === 0n, "INVALID_HEADER", {
    field: "blobGasUsed",
    expected: `a multiple of ${GAS_PER_BLOB} up to ${most}`,
    got: used,
  });
  if (leniency.exempt?.has("excessBlobGas")) return;
  const expected = excessBlobGasOfChild(parent, rules);
  demandEqual("INVALID_HEADER", "excessBlobGas", expected, header.excessBlobGas);
}

/** The part of the merge that needs total difficulty: work ends exactly where it reaches the terminal value. Source: EIP-3675. */
export function verifyMergePoint(
  header: Header,
  parentTotalDifficulty: bigint,
  terminal: bigint | undefined,
): void {
  if (terminal === undefined) return;
  const merged = header.difficulty === 0n;
  const reached = parentTotalDifficulty >= terminal;
  demand(merged === reached, "INVALID_HEADER", {
    field: "difficulty",
    expected: reached
      ? "0: the parent reached the terminal total difficulty"
      : "above 0: before the merge",
    got: header.difficulty,
  });
}
