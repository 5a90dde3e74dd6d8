import assert from "node:assert/strict";
import {
  demandMnemonic,
  deriveAccounts,
  derivePqAccounts,
  seedOf,
} from "../../../cli/devAccounts.ts";
import { buildDevGenesis, tickOf } from "../../../cli/devGenesis.ts";
import { demandSameChain } from "../../../cli/devStored.ts";
import { UsageError } from "../../../cli/exit.ts";
import { loadGenesis } from "../../../cli/genesisFiles.ts";
import { type OptionName, TEST_MNEMONIC } from "../../../cli/options.ts";
import { bytesToHex } from "../../../src/primitives/hex.ts";
import { PQ_SEEDS } from "../../support/pqTransactions.ts";

const seed = seedOf(TEST_MNEMONIC);
const accounts = deriveAccounts(seed, "m/44'/60'/0'/0/", 10);
const pqAccounts = derivePqAccounts(seed, 10);
const defaults = {
  chainId: 31_337n,
  gasLimit: 30_000_000n,
  baseFee: 10n ** 9n,
  timestamp: 5n,
  accounts: [...accounts, ...pqAccounts],
  balance: 10_000n * 10n ** 18n,
  blockTimeMs: undefined,
  microblocks: false,
};

describe("deriveAccounts", () => {
  it("finds the accounts that every tutorial assumes", () => {
    assert.equal(accounts[0]?.address, "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    assert.equal(accounts[9]?.address, "0xa0ee7a142d267c1f36714e4a8f75612f20a79720");
  });

  it("finds the ML-DSA-44 accounts of the known answer", () => {
    const [first, second] = pqAccounts;
    assert.equal(first?.address, "0x7dd7d83248c877bc6ff24b35d02f07df730af327");
    assert.equal(first && bytesToHex(first.seed), bytesToHex(PQ_SEEDS[0]));
    assert.equal(second?.address, "0x67a87504518758ad15e52fe42af099b461a099f8");
    assert.equal(new Set(pqAccounts.map(({ address }) => address)).size, 10);
  });

  it("refuses a bad path, demandMnemonic a bad mnemonic", () => {
    assert.throws(() => deriveAccounts(seed, "44/60", 1), UsageError);
    assert.throws(() => demandMnemonic(`${TEST_MNEMONIC} junk`), UsageError);
  });
});

describe("buildDevGenesis", () => {
  it("is the devnet with the flags' values", () => {
    const built = buildDevGenesis({ ...defaults, timestamp: 0n });
    const file = loadGenesis("devnet");
    assert.deepEqual(built.alloc, file.alloc);
    assert.deepEqual(built.config.qnet, file.config.qnet);
    const other = buildDevGenesis({ ...defaults, gasLimit: 60_000_000n, blockTimeMs: 250 });
    assert.equal(other.gasLimit, 60_000_000n);
    assert.equal(other.config.qnet?.consensus?.slotGasLimit, 60_000_000n);
    assert.equal(other.config.qnet?.consensus?.tickMs, 250);
  });

  it("takes the main network's cadence for microblocks, and nothing else of it", () => {
    const built = buildDevGenesis({ ...defaults, microblocks: true }).config.qnet?.consensus;
    const plain = buildDevGenesis(defaults).config.qnet?.consensus;
    assert.ok(built && plain);
    const { slotMs, tickMs, epochLength, commitBlocks, emptyBlocks, dev } = built;
    assert.deepEqual(
      [slotMs, tickMs, epochLength, commitBlocks, emptyBlocks, dev],
      [2000, 250, 90, 60, true, true],
    );
    assert.deepEqual(built.validators, plain.validators);
    assert.deepEqual([built.salt, built.maxActive], [plain.salt, plain.maxActive]);
  });

  it("signs the public validator's key proof again for another chain id", () => {
    assert.equal(buildDevGenesis({ ...defaults, chainId: 1337n }).config.chainId, 1337n);
  });
});

describe("tickOf", () => {
  it("takes whole seconds and divisors of a second", () => {
    assert.equal(tickOf(3000), 1000);
    assert.equal(tickOf(250), 250);
  });

  it("names the nearest block time that is possible", () => {
    assert.throws(() => tickOf(300), /nearest that is: 0\.25$/);
    assert.throws(() => tickOf(1500), /nearest that is: [12]$/);
    assert.throws(() => tickOf(1), /nearest that is: 0\.004$/);
  });
});

describe("demandSameChain", () => {
  const values = {
    "chain-id": 31_337n,
    "gas-limit": 30_000_000n,
    "base-fee": 10n ** 9n,
    timestamp: undefined,
    "block-time": undefined as number | undefined,
    microblocks: false,
    accounts: 10,
    balance: defaults.balance,
    mnemonic: TEST_MNEMONIC,
    "derivation-path": "m/44'/60'/0'/0/",
  };
  const stored = buildDevGenesis(defaults);
  const check = (changed: Partial<typeof values>, flagAccounts = accounts) => {
    const given = new Set(Object.keys(changed));
    const isGiven = (name: OptionName) => given.has(name);
    demandSameChain(
      stored,
      { values: { ...values, ...changed }, isGiven, accounts: flagAccounts },
      "/d",
    );
  };

  it("accepts flags that agree", () => {
    check({});
    check({ "chain-id": 31_337n, balance: defaults.balance });
  });

  it("refuses contradicting flags by name", () => {
    assert.throws(() => check({ "gas-limit": 1n }), /--gas-limit contradicts the chain in \/d/);
    assert.throws(() => check({ "chain-id": 1n }), /--chain-id/);
    assert.throws(() => check({ "block-time": 250 }), /--block-time/);
    assert.throws(() => check({ microblocks: true }), /--microblocks/);
    assert.throws(() => check({ balance: 1n }), /--balance/);
    const eleven = deriveAccounts(seed, "m/44'/60'/0'/0/", 11);
    assert.throws(() => check({ accounts: 11 }, eleven), /--accounts/);
    const others = deriveAccounts(seed, "m/44'/60'/1'/0/", 10);
    assert.throws(() => check({ mnemonic: "other" }, others), /--mnemonic/);
  });

  it("refuses a chain that is no development chain", () => {
    const plain = { ...stored, config: { ...stored.config, qnet: undefined } };
    const flags = { values, isGiven: () => false, accounts };
    assert.throws(() => demandSameChain(plain, flags, "/d"), /no development chain/);
  });
});
