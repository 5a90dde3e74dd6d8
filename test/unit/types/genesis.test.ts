import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { keccakHash } from "../../../src/crypto/keccak.ts";
import { recoverAddress } from "../../../src/crypto/secp256k1.ts";
import {
  bytesToHex,
  hexToBytes,
  parseAddress,
  parseHash,
  ZERO_HASH,
} from "../../../src/primitives/hex.ts";
import { consensusMessage, MESSAGE_KIND } from "../../../src/types/consensusMessage.ts";
import {
  formatGenesis,
  type Genesis,
  GenesisError,
  genesisHeader,
  genesisJsonSchema,
  parseBlobSchedule,
  parseGenesis,
  parseGenesisText,
} from "../../../src/types/genesis.ts";

const plain = { config: { chainId: 1 }, gasLimit: 5000, alloc: {} };

function networkText(name: string): string {
  return readFileSync(new URL(`../../../genesis/${name}.json`, import.meta.url), "utf8");
}

function issuesOf(parse: () => Genesis): Record<string, string> {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof GenesisError)) throw error;
    return Object.fromEntries(error.reason.issues.map(({ path, message }) => [path, message]));
  }
  return assert.fail("was accepted");
}

/** Issues of the devnet's file after `change` to its parsed JSON. */
function devnetIssues(change: (json: ReturnType<typeof JSON.parse>) => void): string[] {
  const json = JSON.parse(networkText("devnet"));
  change(json);
  return Object.keys(issuesOf(() => parseGenesis(json)));
}

describe("parseGenesisText", () => {
  it("keeps integers beyond 2^53", () => {
    const genesis = parseGenesisText(
      '{"config":{"chainId":18446744073709551615},"gasLimit":5000,"difficulty":123456789012345678901234567890,"alloc":{}}',
    );
    assert.equal(genesis.config.chainId, 2n ** 64n - 1n);
    assert.equal(genesis.difficulty, 123456789012345678901234567890n);
    assert.equal(parseGenesisText(formatGenesis(genesis)).difficulty, genesis.difficulty);
  });

  it("refuses repeated keys, also by another spelling", () => {
    const twice = '{"config":{"chainId":1},"gasLimit":5000,"alloc":{"0xAA":{},"0xAA":{}}}';
    assert.deepEqual(
      issuesOf(() => parseGenesisText(twice)),
      { "alloc.0xAA": "is given twice" },
    );
    const address = "aa".repeat(20);
    const alloc = { [address]: {}, [`0x${address.toUpperCase()}`]: {} };
    const issues = issuesOf(() => parseGenesis({ ...plain, alloc }));
    assert.match(Object.values(issues).join(), /second time/);
  });

  it("refuses text that is not JSON, and endless nesting", () => {
    assert.match(issuesOf(() => parseGenesisText("{"))[""] ?? "", /not JSON/);
    const deep = `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`;
    assert.match(issuesOf(() => parseGenesisText(deep))[""] ?? "", /deeper/);
  });
});

describe("parseGenesis", () => {
  it("takes numbers as integers, decimal text and hex text", () => {
    for (const chainId of [26, "26", "0x1a"]) {
      assert.equal(parseGenesis({ ...plain, config: { chainId } }).config.chainId, 26n);
    }
  });

  it("reads alloc keys with and without 0x, short storage words, and drops zero slots", () => {
    const alloc = {
      ["11".repeat(20)]: {
        balance: "0xff",
        code: "0x6001",
        storage: { "0x1": "0x02", "0x3": "0x00" },
      },
    };
    const account = parseGenesis({ ...plain, alloc }).alloc.get(
      parseAddress(`0x${"11".repeat(20)}`),
    );
    assert.equal(account?.balance, 255n);
    assert.equal(bytesToHex(account?.code ?? new Uint8Array()), "0x6001");
    assert.deepEqual(
      [...(account?.storage ?? [])],
      [[`0x${"1".padStart(64, "0")}`, `0x${"2".padStart(64, "0")}`]],
    );
  });

  it("names every problem with its JSON path", () => {
    const issues = issuesOf(() =>
      parseGenesis({
        config: { chainId: 2 ** 60 },
        gasLimit: -1,
        alloc: { "0x12": { balance: "x" } },
      }),
    );
    assert.deepEqual(Object.keys(issues).sort(), [
      "alloc.0x12.balance",
      "config.chainId",
      "gasLimit",
    ]);
    assert.match(issues["config.chainId"] ?? "", /lost digits/);
  });

  it("refuses rule changes it does not know, the DAO fork and clique", () => {
    const config = {
      chainId: 1,
      amsterdamTime: 5,
      daoForkBlock: 3,
      daoForkSupport: true,
      clique: { period: 5 },
    };
    assert.deepEqual(Object.keys(issuesOf(() => parseGenesis({ ...plain, config }))), [
      "config.amsterdamTime",
      "config.daoForkSupport",
      "config.clique",
    ]);
    const unused = { chainId: 1, amsterdamTime: null, daoForkBlock: 3, daoForkSupport: false };
    assert.equal(parseGenesis({ ...plain, config: unused }).config.chainId, 1n);
  });

  it("has no qnet section on a plain Ethereum chain", () => {
    assert.equal(parseGenesis(plain).config.qnet, undefined);
  });
});

describe("config.qnet", () => {
  it("is valid in the three networks of this repository", () => {
    const ids = { mainnet: 20814n, testnet: 20815n, devnet: 31337n };
    for (const [name, chainId] of Object.entries(ids)) {
      const { config, alloc } = parseGenesisText(networkText(name));
      assert.equal(config.chainId, chainId);
      assert.equal(config.qnet?.consensus?.validators.length, name === "devnet" ? 1 : 0);
      assert.equal(config.qnet?.consensus?.dev, name === "devnet");
      assert.equal(config.forks.rules({ number: 0n, timestamp: 0n, difficulty: 0n }).fork, "osaka");
      assert.equal(alloc.size, name === "devnet" ? 26 : 6);
      const falcon = config.qnet?.precompiles.some((entry) => entry.name === "VERIFY_FALCON512");
      assert.equal(falcon, name !== "mainnet");
    }
  });

  it("refuses a key proof for another owner, salt, chain or contract", () => {
    const expected = ["config.qnet.consensus.validators.0.keyProof"];
    type Json = ReturnType<typeof JSON.parse>;
    const changes: ((json: Json) => void)[] = [
      (json) => {
        json.config.qnet.consensus.validators[0].owner = `0x${"22".repeat(20)}`;
      },
      (json) => {
        json.config.qnet.consensus.salt = `0x${"22".repeat(32)}`;
      },
      (json) => {
        json.config.chainId = 31338;
      },
      (json) => {
        json.config.qnet.consensus.staking = `0x${"22".repeat(20)}`;
      },
    ];
    for (const change of changes) assert.deepEqual(devnetIssues(change), expected);
  });

  it("refuses consensus parameters that contradict each other", () => {
    const cases: readonly (readonly [string, unknown, string])[] = [
      ["slotMs", 1500, "slotMs"],
      ["tickMs", 300, "tickMs"],
      ["commitBlocks", 6, "commitBlocks"],
      ["epochLength", 1_024, "epochLength"],
      ["slotGasLimit", 29_000_000, "slotGasLimit"],
      ["unbonding", 5, "unbonding"],
      ["maxSupply", "1", "maxSupply"],
      ["minStake", "1000000000000000", "validators"],
    ];
    for (const [field, value, path] of cases) {
      const issues = devnetIssues((json) => {
        json.config.qnet.consensus[field] = value;
      });
      assert.ok(issues.includes(`config.qnet.consensus.${path}`), `${field}: ${issues.join()}`);
    }
  });

  it("demands the code of each system contract that blocks call from the start", () => {
    for (const address of [
      "0x000f3df6d732807ef1319fb7b8bb8522d0beac02",
      "0x0000f90827f1c53a10cb7a02335b175320002935",
      "0x00000961ef480eb55e80d19ad83579a64c007002",
      "0x0000bbddc7ce488642fb579f8b00f3a590007251",
    ]) {
      const without = devnetIssues((json) => {
        delete json.alloc[address].code;
      });
      assert.deepEqual(without, [`alloc.${address}`]);
    }
  });

  it("refuses unknown fields and unknown key types", () => {
    assert.deepEqual(
      devnetIssues(({ config }) => {
        config.qnet.consensus.epochLenght = 6;
        config.qnet.consensus.keyType = 2;
      }),
      ["config.qnet.consensus.keyType", "config.qnet.consensus.epochLenght"],
    );
  });

  it("refuses precompiles on built-in addresses and two at one address", () => {
    const issues = devnetIssues(({ config }) => {
      config.qnet.precompiles[0].address = `0x${"0a".padStart(40, "0")}`;
      config.qnet.consensus.validators = [];
      config.qnet.precompiles[2].address = config.qnet.precompiles[1].address;
    });
    assert.deepEqual(issues, ["config.qnet.precompiles.0", "config.qnet.precompiles.2"]);
    const scheduled = JSON.parse(networkText("devnet"));
    const [first] = scheduled.config.qnet.precompiles;
    scheduled.config.qnet.precompiles.push({ ...first, time: 100, baseGas: 7000 });
    first.until = 100;
    assert.equal(parseGenesis(scheduled).config.qnet?.precompiles.length, 8);
  });

  it("knows transactions of type 0x51 from their time on, which is not before Osaka", () => {
    const pathOfTime = "config.qnet.pqTransactions.time";
    const early = devnetIssues(({ config }) => {
      config.osakaTime = 10;
    });
    assert.deepEqual(early, [pathOfTime]);
    const json = JSON.parse(networkText("devnet"));
    json.config.qnet.pqTransactions.time = 100;
    const { forks } = parseGenesis(json).config;
    assert.deepEqual(forks.extensions.points, [100n]);
    const priceAt = (timestamp: bigint) =>
      forks
        .rules({ number: 1n, timestamp, difficulty: 0n })
        .pqTransactions?.verifyGas.get("ML-DSA-44");
    assert.deepEqual([99n, 100n].map(priceAt), [undefined, 6_500n]);
    // nodes that do not know the change must find themselves on another fork
    const ids = [99n, 100n].map((timestamp) => forks.forkId(ZERO_HASH, { number: 1n, timestamp }));
    assert.equal(ids[0]?.next, 100n);
    assert.notDeepEqual(ids[0]?.hash, ids[1]?.hash);
  });

  it("holds Multicall3 as its keyless deployment made it", () => {
    // sender and nonce 0 determine the address, and the signature covers the code
    const code = parseGenesisText(networkText("mainnet")).alloc.get(
      parseAddress("0xca11bde05977b3631167028862be2a173976ca11"),
    )?.code;
    assert.ok(code);
    const creation = `608060405234801561001057600080fd5b50610ee0806100206000396000f3fe${bytesToHex(code).slice(2)}`;
    const unsigned = hexToBytes(`0xf90f108085174876e800830f42408080b90f00${creation}`);
    const signer = recoverAddress(
      hexToBytes(keccakHash(unsigned)),
      0xedce47092c0f398cebf3ffc267f05c8e7076e3b89445e0fe50f6332273d4569bn,
      0x1b0b9d000e19b24c5869b0fc3b22b0d6fa47cd63316875cbbd577d76e6fde086n,
      1,
    );
    assert.equal(signer, "0x05f32b3cc3888453ff71b01135b34ff8e41263f2");
  });
});

describe("consensusMessage", () => {
  it("gives the known answer of the specification", () => {
    const domain = { chainId: 31337n, salt: parseHash(`0x${"11".repeat(32)}`) };
    const ack = hexToBytes(`0x${"00".repeat(4)}${"1".padStart(16, "0")}${"bb".repeat(32)}`);
    assert.equal(
      bytesToHex(consensusMessage(domain, MESSAGE_KIND.ack, ack)),
      "0x8e1929816911709e6e08a703bfde730e59e88a3a714e64f60a3d7b64d7ef0ca8",
    );
  });
});

describe("genesisHeader", () => {
  it("has the fields of the forks of block 0", () => {
    const osaka = genesisHeader(parseGenesisText(networkText("devnet")), ZERO_HASH);
    assert.equal(osaka.baseFeePerGas, 1_000_000_000n);
    assert.equal(osaka.parentBeaconBlockRoot, ZERO_HASH);
    assert.ok(osaka.requestsHash);
    const frontier = genesisHeader(parseGenesis(plain), ZERO_HASH);
    assert.equal(frontier.baseFeePerGas, undefined);
    assert.equal(frontier.withdrawalsRoot, undefined);
    assert.equal(frontier.difficulty, 131_072n);
  });
});

describe("parseBlobSchedule", () => {
  it("takes the fixtures' spelling", () => {
    const text = { Cancun: { target: "0x03", max: "0x06", baseFeeUpdateFraction: "0x32f0ed" } };
    assert.equal(parseBlobSchedule(text).get("cancun")?.max, 6n);
  });
});

describe("genesisJsonSchema", () => {
  it("describes every field of the shipped files", () => {
    const schema = JSON.stringify(genesisJsonSchema());
    for (const field of ["blobSchedule", "keyProof", "witnessGasPerByte", "alloc", "bpo5Time"]) {
      assert.ok(schema.includes(`"${field}"`), field);
    }
  });
});
