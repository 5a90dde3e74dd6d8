import assert from "node:assert/strict";
import { BlockHeader, type HeaderData } from "@ethereumjs/block";
import { Common, Hardfork, Mainnet } from "@ethereumjs/common";
import fc from "fast-check";
import { difficultyOfChild } from "../../../src/chain/difficulty.ts";
import { parseHash } from "../../../src/primitives/hex.ts";
import { type ForkName, rulesForName } from "../../../src/types/forks.ts";
import { EMPTY_OMMERS_HASH } from "../../../src/types/genesis.ts";

const OTHER = parseHash(`0x${"11".repeat(32)}`);
const DAO_BLOCK = 1_920_000n;
const FORKS: readonly (readonly [ForkName, Hardfork])[] = [
  ["frontier", Hardfork.Chainstart],
  ["homestead", Hardfork.Homestead],
  ["byzantium", Hardfork.Byzantium],
  ["constantinople", Hardfork.Constantinople],
  ["muirGlacier", Hardfork.MuirGlacier],
  ["arrowGlacier", Hardfork.ArrowGlacier],
  ["grayGlacier", Hardfork.GrayGlacier],
];

function rulesOf(fork: ForkName) {
  const schedule = rulesForName(fork, 1n);
  assert.ok(schedule);
  return schedule.rules({ number: 0n, timestamp: 0n, difficulty: 1n });
}

/** What @ethereumjs/block demands of the ten blocks from the DAO fork on; empty elsewhere. */
function extraDataAt(number: bigint): Uint8Array {
  const drift = number - DAO_BLOCK;
  return Buffer.from(drift >= 0n && drift <= 9n ? "dao-hard-fork" : "");
}

describe("difficultyOfChild", () => {
  it("gives block 1 of Ethereum's main network its difficulty", () => {
    const parent = {
      difficulty: 17_179_869_184n,
      number: 0n,
      timestamp: 0n,
      sha3Uncles: EMPTY_OMMERS_HASH,
    };
    assert.equal(difficultyOfChild(parent, 1_438_269_988n, rulesOf("frontier")), 17_171_480_576n);
  });

  it("lets London put the bomb off by 9,700,000 blocks (EIP-3554), which @ethereumjs/block leaves out", () => {
    const parent = { difficulty: 2n ** 30n, timestamp: 0n, sha3Uncles: EMPTY_OMMERS_HASH };
    const at = (number: bigint) =>
      difficultyOfChild({ ...parent, number: number - 1n }, 9n, rulesOf("london"));
    assert.equal(at(9_899_999n), 2n ** 30n);
    assert.equal(at(9_900_000n), 2n ** 30n + 1n);
    assert.equal(at(10_000_000n), 2n ** 30n + 2n);
  });

  for (const [fork, hardfork] of FORKS)
    it(`agrees with @ethereumjs/block under the rules of ${fork}`, () => {
      const common = new Common({ chain: Mainnet, hardfork });
      const rules = rulesOf(fork);
      fc.assert(
        fc.property(
          fc.bigInt(131_072n, 2n ** 60n),
          fc.bigInt(0n, 16_000_000n),
          fc.bigInt(1n, 3_000n),
          fc.boolean(),
          (difficulty, number, elapsed, ommers) => {
            const timestamp = 1_000_000n;
            const sha3Uncles = ommers ? OTHER : EMPTY_OMMERS_HASH;
            const make = ({ number: at, ...data }: HeaderData & { readonly number: bigint }) =>
              new BlockHeader(
                { ...data, number: at, extraData: extraDataAt(at) },
                { common, skipConsensusFormatValidation: true },
              );
            const uncleHash = Buffer.from(sha3Uncles.slice(2), "hex");
            const base = common.isActivatedEIP(1559) ? { baseFeePerGas: 7n } : {};
            const parent = make({ ...base, difficulty, number, timestamp, uncleHash });
            const child = make({ ...base, number: number + 1n, timestamp: timestamp + elapsed });
            const own = difficultyOfChild(
              { difficulty, number, timestamp, sha3Uncles },
              timestamp + elapsed,
              rules,
            );
            assert.equal(own, child.ethashCanonicalDifficulty(parent));
          },
        ),
        { numRuns: 100, examples: [[2n ** 40n, DAO_BLOCK - 1n, 13n, false]] },
      );
    });
});
