import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hexToBytes } from "../../src/primitives/hex.ts";
import { rulesForName } from "../../src/types/forks.ts";
import { DecodeError } from "../../src/types/rlp.ts";
import { senderOf } from "../../src/types/sender.ts";
import {
  decodeTransaction,
  typeRow,
  validateTransactionShape,
} from "../../src/types/transactionCodec.ts";
import { isTypeActive } from "../../src/types/transactionTypes.ts";
import { describeFixtures, evmFixturesDir, jsonFiles } from "../support/fixtures.ts";

interface Accepted {
  readonly hash: string;
  readonly sender: string;
}
interface Vector {
  readonly txbytes: string;
  readonly result: Readonly<Record<string, Accepted | { readonly exception: string }>>;
}

/** What only execution can say: gas and fees against rules and state. */
const BEYOND_THE_CODEC = [
  "INTRINSIC_GAS_TOO_LOW",
  "GASLIMIT_PRICE_PRODUCT_OVERFLOW",
  "INITCODE_SIZE_EXCEEDED",
];

/** Hash and sender, or undefined if the codec or the fork's rules for signatures and types refuse. */
function read(text: string, fork: string): Accepted | undefined {
  const rules = rulesForName(fork, 1n)?.rules({ number: 1n, timestamp: 1n, difficulty: 0n });
  assert.ok(rules !== undefined, fork);
  try {
    const transaction = decodeTransaction(hexToBytes(text));
    validateTransactionShape(transaction);
    const { chainId } = transaction;
    if (!isTypeActive(typeRow(transaction.type), rules)) return undefined;
    if (chainId !== undefined && (chainId !== 1n || !rules.has("spuriousDragon"))) return undefined;
    const sender = senderOf(transaction, { allowHighS: !rules.has("homestead") });
    return { hash: transaction.hash, sender };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

describeFixtures("TransactionTests", evmFixturesDir(), (directory) => {
  for (const file of jsonFiles(join(directory, "tests/TransactionTests"))) {
    const vectors: Record<string, Vector> = JSON.parse(readFileSync(file, "utf8"));
    for (const [name, { txbytes, result }] of Object.entries(vectors))
      it(name, () => {
        for (const [fork, expected] of Object.entries(result)) {
          const got = read(txbytes, fork);
          if ("hash" in expected)
            assert.deepEqual(got, { hash: expected.hash, sender: expected.sender }, fork);
          else if (!BEYOND_THE_CODEC.some((code) => expected.exception.endsWith(code)))
            assert.equal(got, undefined, `${fork}: ${expected.exception}`);
        }
      });
  }
});
