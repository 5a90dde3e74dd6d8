import assert from "node:assert/strict";
import stakingFile from "../../../genesis/staking.json" with { type: "json" };
import { buildGenesisBlock } from "../../../src/chain/genesis.ts";
import {
  readCandidates,
  readStakedKey,
  readStakedValidator,
  readStakingTotals,
  VALIDATOR_STATUSES,
} from "../../../src/chain/stakingState.ts";
import { keccakHash } from "../../../src/crypto/keccak.ts";
import { bytesToHex, parseAddress } from "../../../src/primitives/hex.ts";
import { GenesisError, genesisSupply, parseGenesis } from "../../../src/types/genesis.ts";
import { compileContract, type StoragePlace } from "../../support/compile.ts";
import {
  GWEI,
  ownerOf,
  StakingChain,
  stakingGenesis,
  testKey,
  withdrawalOf,
} from "../../support/stakingChain.ts";

const MIN = 10_000n * GWEI;

function places(list: readonly StoragePlace[] | undefined): string[] {
  return (list ?? []).map(({ slot, offset, label }) => `${slot}:${offset} ${label}`);
}

describe("staking contract in the state", function () {
  this.timeout(60_000);

  it("is the code that contracts/Staking.sol compiles to: node test/tools/write-staking.mjs", async () => {
    const { bytecode } = await compileContract("contracts/Staking.sol");
    assert.equal(stakingFile.creationCode, bytecode);
  });

  it("has its variables where consensus reads them", async () => {
    const { storageLayout } = await compileContract("contracts/Staking.sol");
    assert.deepEqual(places(storageLayout.storage), [
      "0:0 _totals",
      "2:0 _validators",
      "3:0 _eligible",
      "4:0 _holders",
      "5:0 _keys",
      "6:0 _epochTimes",
      "7:0 _doubleSealed",
      "8:0 _guilt",
      "9:0 _slashed",
    ]);
    const members = (name: string) =>
      places(
        Object.entries(storageLayout.types ?? {}).find(([key]) =>
          key.startsWith(`t_struct(${name})`),
        )?.[1].members,
      );
    assert.deepEqual(members("Totals"), [
      "0:0 stake",
      "0:8 rewards",
      "0:16 minted",
      "0:24 epoch",
      "0:28 frozen",
      "1:0 activeStake",
    ]);
    assert.deepEqual(members("Ledger"), [
      "0:0 stake",
      "0:8 rewards",
      "0:16 lastListed",
      "0:20 since",
      "0:24 reputation",
      "0:26 status",
      "0:27 strikes",
      "0:28 keyCount",
    ]);
    assert.deepEqual(members("Validator"), [
      "0:0 ledger",
      "1:0 owner",
      "1:20 place",
      "2:0 withdrawal",
      "3:0 feeRecipient",
      "4:0 keyHash",
    ]);
  });

  it("reads what the contract's own views say", async () => {
    const stakes = Array.from({ length: 11 }, (_, index) => MIN + BigInt((index * 7) % 5));
    const chain = await StakingChain.create({ stakes });
    const { staking } = chain.config;
    await chain.send(ownerOf(3), "requestExit", [3]);
    chain.fund(ownerOf(4), 5n * GWEI);
    await chain.send(ownerOf(4), "topUp", [4], 5n * GWEI);
    for (const id of stakes.keys()) {
      const read = readStakedValidator(chain.state, staking, id);
      const viewed = (await chain.view("validatorOf", id)) as Viewed;
      assert.ok(read);
      const { ledger } = viewed;
      assert.deepEqual(
        { ...read, owner: read.owner, status: VALIDATOR_STATUSES.indexOf(read.status) },
        {
          id,
          ...ledger,
          owner: viewed.owner.toLowerCase(),
          withdrawal: viewed.withdrawal.toLowerCase(),
          feeRecipient: viewed.feeRecipient.toLowerCase(),
          keyHash: viewed.keyHash,
        },
      );
      const key = readStakedKey(chain.state, staking, read);
      assert.equal(key?.index, 0);
      assert.equal(bytesToHex(key.publicKey), await chain.view("publicKeyOf", id, 0));
    }
    assert.equal(readStakedValidator(chain.state, staking, stakes.length), undefined);
    const { validators, ...totals } = readStakingTotals(chain.state, staking);
    assert.equal(validators, stakes.length);
    assert.deepEqual(totals, await chain.view("totals"));
    const eligible = (await chain.view("eligible", 0n, 100n)) as number[];
    const candidates = readCandidates(chain.state, staking, 100);
    assert.deepEqual(candidates.map(({ id }) => id).sort(byNumber), eligible.sort(byNumber));
    assert.ok(!eligible.includes(3));
  });

  it("ranks candidates by stake, then id, and takes no more than maxActive", async () => {
    const stakes = [MIN, MIN + 2n, MIN + 1n, MIN + 2n];
    const { state, config } = await StakingChain.create({ stakes });
    const candidates = readCandidates(state, config.staking, 3);
    assert.deepEqual(
      candidates.map(({ id, stake }) => [id, stake]),
      [
        [1, MIN + 2n],
        [3, MIN + 2n],
        [2, MIN + 1n],
      ],
    );
    assert.equal(candidates[0]?.keyHash, keccakHash(testKey(1).publicKey));
    assert.equal(candidates[0]?.reputation, 5_000);
  });

  it("reads nothing where there is no contract", async () => {
    const { state } = await StakingChain.create({ stakes: [MIN] });
    const elsewhere = parseAddress(`0x${"12".repeat(20)}`);
    assert.deepEqual(readCandidates(state, elsewhere, 10), []);
    assert.equal(readStakedValidator(state, elsewhere, 0), undefined);
    assert.equal(readStakingTotals(state, elsewhere).validators, 0);
  });
});

interface Viewed {
  readonly ledger: Readonly<Record<string, bigint | number>>;
  readonly owner: string;
  readonly withdrawal: string;
  readonly feeRecipient: string;
  readonly keyHash: string;
}

function byNumber(a: number, b: number): number {
  return a - b;
}

describe("block 0 of a chain with validators", () => {
  it("holds the stakes as coins of the contract, which paid nobody and has its code", async () => {
    const chain = await StakingChain.create({ stakes: [MIN, 2n * MIN] });
    const { staking } = chain.config;
    assert.equal(chain.balance(staking), 3n * MIN * GWEI);
    let held = 0n;
    for (const [, { balance }] of chain.state.accounts()) held += balance;
    assert.equal(held, genesisSupply(chain.genesis), "every coin of block 0 is counted");
    assert.equal(chain.state.account(staking)?.nonce, 3n, "1, and a key's code for each validator");
    assert.equal(chain.balance(withdrawalOf(0)), 0n);
    assert.ok(chain.state.code(staking).length > 10_000);
    assert.equal(await chain.view("SALT"), chain.config.salt);
    assert.equal(await chain.view("epochTime", 0n), chain.genesis.timestamp);
  });

  it("is the same whenever it is built", async () => {
    const genesis = stakingGenesis({ stakes: [MIN] });
    const [one, other] = [await buildGenesisBlock(genesis), await buildGenesisBlock(genesis)];
    assert.equal(one.block.hash, other.block.hash);
  });

  const refused: readonly [name: string, change: (file: GenesisFile) => void, path: RegExp][] = [
    [
      "an account in the contract's place",
      (file) => {
        file.alloc["0x0000000000000000000000000000000000515000"] = { balance: "1" };
      },
      /alloc\.0x0{34}515000/,
    ],
    [
      "no precompile for the keys",
      (file) => {
        file.config.qnet.precompiles = [];
      },
      /consensus\.pqVerifier/,
    ],
    [
      "more validators than may be active",
      (file) => {
        file.config.qnet.consensus["maxActive"] = 1;
      },
      /consensus\.validators/,
    ],
    [
      "stakes beyond the cap",
      (file) => {
        file.config.qnet.consensus["maxSupply"] = String(2n * MIN - 1n);
        file.alloc = Object.fromEntries(
          Object.entries(file.alloc).filter(([, { code }]) => code !== undefined),
        );
      },
      /consensus\.maxSupply/,
    ],
  ];
  for (const [name, change, path] of refused)
    it(`is refused with ${name}`, () => {
      const { json } = stakingGenesis({ stakes: [MIN, MIN] });
      const file: GenesisFile = JSON.parse(JSON.stringify(json));
      change(file);
      assert.throws(
        () => parseGenesis(file),
        (error) =>
          error instanceof GenesisError &&
          error.reason.issues.some((issue) => path.test(issue.path)),
      );
    });
});

interface GenesisFile {
  alloc: Record<string, { balance?: string; code?: string }>;
  config: { qnet: { precompiles: unknown[]; consensus: Record<string, unknown> } };
}
