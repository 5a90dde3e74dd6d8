import assert from "node:assert/strict";
import { parseHash } from "../../../src/primitives/hex.ts";
import { crc32 } from "../../../src/types/forkId.ts";
import { ForkError, type ForkName, ForkSchedule, rulesForName } from "../../../src/types/forks.ts";
import { parseGenesis } from "../../../src/types/genesis.ts";

const everyFork = {
  config: {
    chainId: 3503995874084926,
    homesteadBlock: 0,
    eip150Block: 3,
    eip155Block: 6,
    eip158Block: 6,
    byzantiumBlock: 9,
    constantinopleBlock: 12,
    petersburgBlock: 15,
    istanbulBlock: 18,
    muirGlacierBlock: 21,
    berlinBlock: 24,
    londonBlock: 27,
    arrowGlacierBlock: 30,
    grayGlacierBlock: 33,
    mergeNetsplitBlock: 36,
    shanghaiTime: 390,
    cancunTime: 420,
    pragueTime: 450,
    osakaTime: 480,
    bpo1Time: 510,
    bpo2Time: 540,
    terminalTotalDifficulty: 4732352,
    blobSchedule: {
      cancun: { target: 3, max: 6, baseFeeUpdateFraction: 3338477 },
      prague: { target: 6, max: 9, baseFeeUpdateFraction: 5007716 },
      osaka: { target: 6, max: 9, baseFeeUpdateFraction: 5007716 },
      bpo1: { target: 10, max: 15, baseFeeUpdateFraction: 8346193 },
      bpo2: { target: 14, max: 21, baseFeeUpdateFraction: 11684671 },
    },
  },
  gasLimit: "0x5f5e100",
  alloc: {},
};
const genesisHash = parseHash("0x44fd89d504659cd58f48f4796b77a7e7012cf296a2409afa2f6c3cb99b5b3d99");
const { forks } = parseGenesis(everyFork).config;

function schedule(name: string): ForkSchedule {
  const found = rulesForName(name, 1n);
  assert.ok(found, name);
  return found;
}

describe("ForkSchedule", () => {
  it("activates block forks by number", () => {
    const at = (number: bigint) => forks.rules({ number, timestamp: number * 10n, difficulty: 1n });
    assert.equal(at(0n).fork, "homestead");
    assert.equal(at(5n).fork, "tangerineWhistle");
    assert.equal(at(6n).fork, "spuriousDragon");
    assert.equal(at(26n).fork, "berlin");
    assert.equal(at(27n).has("london"), true);
    assert.equal(at(26n).has("london"), false);
  });

  it("takes a block for merged when the chain merges and its difficulty is zero", () => {
    const before = forks.rules({ number: 38n, timestamp: 395n, difficulty: 131072n });
    assert.equal(before.fork, "grayGlacier");
    assert.equal(before.has("shanghai"), false);
    assert.equal(forks.rules({ number: 38n, timestamp: 380n, difficulty: 0n }).fork, "paris");
    assert.equal(forks.rules({ number: 39n, timestamp: 390n, difficulty: 0n }).fork, "shanghai");
  });

  it("gives the blob parameters in force", () => {
    const at = (timestamp: bigint) => forks.rules({ number: 50n, timestamp, difficulty: 0n }).blobs;
    assert.equal(at(419n), undefined);
    assert.equal(at(420n)?.max, 6n);
    assert.equal(at(480n)?.baseFeeUpdateFraction, 5_007_716n);
    assert.equal(at(539n)?.target, 10n);
    assert.equal(at(540n)?.max, 21n);
  });

  it("hands out one object per set of active forks", () => {
    const rules = forks.rules({ number: 54n, timestamp: 540n, difficulty: 0n });
    assert.equal(forks.rules({ number: 55n, timestamp: 999n, difficulty: 0n }), rules);
    assert.notEqual(forks.rules({ number: 54n, timestamp: 539n, difficulty: 0n }), rules);
    assert.equal(rules.maxRlpBlockBytes, 8_388_608);
  });

  it("computes the fork identifier that the execution API suite expects", () => {
    assert.deepEqual(forks.forkId(genesisHash, { number: 54n, timestamp: 540n }), {
      hash: "0xe272ecbe",
      next: 0n,
    });
    assert.equal(forks.forkId(genesisHash, { number: 0n, timestamp: 0n }).next, 3n);
    assert.equal(forks.forkId(genesisHash, { number: 35n, timestamp: 350n }).next, 36n);
    assert.equal(forks.forkId(genesisHash, { number: 36n, timestamp: 360n }).next, 390n);
  });

  it("names the current, next and last fork", () => {
    const head = { number: 46n, timestamp: 460n };
    assert.equal(forks.current(head)?.fork, "prague");
    assert.deepEqual(forks.next(head), { fork: "osaka", by: "time", at: 480n });
    assert.equal(forks.last()?.fork, "bpo2");
    assert.equal(forks.next({ number: 54n, timestamp: 540n }), undefined);
  });

  it("refuses forks out of order, gaps and blob forks without parameters", () => {
    const build = (entries: readonly (readonly [ForkName, bigint])[]) =>
      new ForkSchedule({ chainId: 1n, activations: new Map(entries) });
    for (const entries of [
      [
        ["homestead", 5n],
        ["tangerineWhistle", 4n],
      ],
      [
        ["homestead", 0n],
        ["byzantium", 0n],
      ],
      [["bpo1", 5n]],
    ] as const) {
      assert.throws(() => build(entries), ForkError);
    }
  });
});

describe("rulesForName", () => {
  it("knows the fixtures' spellings", () => {
    const fork = (name: string) =>
      schedule(name).rules({ number: 1n, timestamp: 1n, difficulty: 0n }).fork;
    assert.equal(fork("Merge"), "paris");
    assert.equal(fork("EIP150"), "tangerineWhistle");
    assert.equal(fork("EIP158"), "spuriousDragon");
    assert.equal(fork("ConstantinopleFix"), "petersburg");
    assert.equal(fork("Constantinople"), "constantinople");
    assert.equal(fork("BPO5"), "bpo5");
  });

  it("switches at the point of a transition", () => {
    const osaka = schedule("PragueToOsakaAtTime15k");
    assert.equal(osaka.rules({ number: 1n, timestamp: 14_999n, difficulty: 0n }).fork, "prague");
    assert.equal(osaka.rules({ number: 1n, timestamp: 15_000n, difficulty: 0n }).fork, "osaka");
    const london = schedule("BerlinToLondonAt5");
    assert.equal(london.rules({ number: 4n, timestamp: 99n, difficulty: 1n }).fork, "berlin");
    assert.equal(london.rules({ number: 5n, timestamp: 99n, difficulty: 1n }).fork, "london");
  });

  it("is undefined for what is not supported", () => {
    for (const name of ["Amsterdam", "HomesteadToDaoAt5", "", "OsakaToPragueAtTime15k"]) {
      assert.equal(rulesForName(name, 1n), undefined, name);
    }
  });
});

describe("crc32", () => {
  it("has the check value of its catalogue", () => {
    assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  });
});
