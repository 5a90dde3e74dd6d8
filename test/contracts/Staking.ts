// Runs on a QNet node: `npx hardhat test --network devnet` beside `npm start`. The staking contract is in block 0.
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { network } from "hardhat";
import {
  type Address,
  concatHex,
  encodePacked,
  getAddress,
  type Hex,
  hexToBytes,
  keccak256,
  numberToHex,
  parseEther,
  parseGwei,
  toHex,
  zeroAddress,
} from "viem";

const { viem } = await network.create();
const [owner, reporter, receiver] = await viem.getWalletClients();
const client = await viem.getPublicClient();
const node = await viem.getTestClient({ mode: "hardhat" });
/** Blocks of an epoch of the development chain. */
const EPOCH_LENGTH = 6n;
const staking = await viem.getContractAt("Staking", getAddress(`0x${"515000".padStart(40, "0")}`));

const SYSTEM = getAddress("0xfffffffffffffffffffffffffffffffffffffffe");
const STAKE = parseEther("10000");
const SEAL = 1;
const VOTE = 2;
const ACK = 3;
const KEY_PROOF = 4;
/** Statuses of IStaking.sol. */
const REGISTERED = 1;
const EXITING = 2;
const JAILED = 3;
const SLASHED = 4;

interface Key {
  readonly publicKey: Hex;
  sign(message: Hex): Hex;
}

function newKey(): Key {
  // @ts-expect-error: the types of node:crypto list each key type in an overload of its own
  const pair: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync("ml-dsa-44");
  return {
    publicKey: toHex(pair.publicKey.export({ format: "raw-public" })),
    sign: (message) => toHex(sign(null, hexToBytes(message), pair.privateKey)),
  };
}

/** keccak256("QNET1" ‖ kind ‖ chain id ‖ salt ‖ body): consensus, "Hashing, signing". */
async function message(kind: number, body: Hex): Promise<Hex> {
  const parts = [kind, BigInt(client.chain.id), await staking.read.SALT(), body] as const;
  return keccak256(
    encodePacked(["string", "uint8", "uint64", "bytes32", "bytes"], ["QNET1", ...parts]),
  );
}

const u32 = (value: number) => numberToHex(value, { size: 4 });
const u64 = (value: number) => numberToHex(value, { size: 8 });
const word = (value: number) => numberToHex(value, { size: 32 });
const ack = (id: number, epoch: number, tag: number) => concatHex([u32(id), u64(epoch), word(tag)]);
const vote = (id: number, source: number, target: number, tag: number) =>
  concatHex([u32(id), u64(source), word(1), u64(target), word(tag), word(tag)]);
const seal = (id: number, slot: number, tag: number) =>
  concatHex([u64(1), u64(slot), "0x00000000", u32(id), word(tag)]);

/** Proof for `account` that somebody holds the key. */
async function proofOf(key: Key, account: Address): Promise<Hex> {
  const body = encodePacked(
    ["address", "address", "bytes32"],
    [staking.address, account, keccak256(key.publicKey)],
  );
  return key.sign(await message(KEY_PROOF, body));
}

async function register(key: Key): Promise<number> {
  const account = owner.account.address;
  const id = Number(await staking.read.validatorCount());
  const args = [key.publicKey, await proofOf(key, account), receiver.account.address, account];
  await viem.assertions.emit(
    staking.write.register([...args] as never, { value: STAKE }),
    staking,
    "Registered",
  );
  return id;
}

/** Two bodies signed by the validator's first key. */
async function evidence(id: number, key: Key, [kindA, a]: Signed, [kindB, b]: Signed) {
  const sigA = key.sign(await message(kindA, a));
  const sigB = key.sign(await message(kindB, b));
  return [id, 0, a, sigA, 0, b, sigB] as const;
}
type Signed = readonly [kind: number, body: Hex];

/**
 * The system call, and the mint that the withdrawal of its block would be. Not in the block in which the chain makes that
 * call itself, the first of each epoch; the chain's next one comes too late then, and changes nothing.
 */
async function endEpoch(ids: readonly number[], reward: number): Promise<void> {
  if ((await client.getBlockNumber()) % EPOCH_LENGTH === 0n) await node.mine({ blocks: 1 });
  const { epoch } = await staking.read.totals();
  const minted = reward * ids.length;
  const rows = ids.map((id) => concatHex([u32(id), "0x00010000", "0x03", u64(reward)]));
  const summary = concatHex([
    u64(epoch + 1),
    "0x00",
    u32(6),
    u64(minted),
    numberToHex(ids.length, { size: 2 }),
    ...rows,
    "0x0000",
  ]);
  await node.impersonateAccount({ address: SYSTEM });
  await node.setBalance({ address: SYSTEM, value: parseEther("1") });
  await staking.write.onEpoch([summary], { account: SYSTEM });
  const held = await client.getBalance({ address: staking.address });
  await node.setBalance({ address: staking.address, value: held + parseGwei(String(minted)) });
}

const stakeOf = async (id: number) => (await staking.read.validatorOf([id])).ledger.stake;
const statusOf = async (id: number) => (await staking.read.validatorOf([id])).ledger.status;
const balanceOf = (address: Address) => client.getBalance({ address });

describe("Staking", () => {
  let snapshot: Hex;
  before(async () => {
    snapshot = await node.snapshot();
    for (const { account } of [owner, reporter])
      await node.setBalance({ address: account.address, value: 100n * STAKE });
  });
  after(() => node.revert({ id: snapshot }));

  it("is in block 0 with the validator of the genesis", async () => {
    const publicKey = await staking.read.publicKeyOf([0, 0]);
    assert.equal(await staking.read.idOfKey([keccak256(publicKey)]), 0);
    assert.equal(await statusOf(0), REGISTERED);
    assert.ok((await stakeOf(0)) * 10n ** 9n >= STAKE);
    const code = await client.getCode({ address: staking.address, blockNumber: 0n });
    assert.ok(code !== undefined && code.length > 2);
  });

  it("registers who proves to hold the key, and refuses a copied proof", async () => {
    const key = newKey();
    const id = await register(key);
    assert.equal(await stakeOf(id), STAKE / 10n ** 9n);
    assert.deepEqual((await staking.read.eligible([0n, 100n])).includes(id), true);
    const unused = newKey();
    const copied = await proofOf(unused, owner.account.address);
    const args = [unused.publicKey, copied, receiver.account.address, owner.account.address];
    await viem.assertions.revertWithCustomError(
      staking.write.register([...args] as never, { value: STAKE, account: reporter.account }),
      staking,
      "BadKeyProof",
    );
  });

  for (const [name, offence, make] of [
    [
      "two votes for one target",
      1,
      (id) => [
        [VOTE, vote(id, 0, 5, 1)],
        [VOTE, vote(id, 0, 5, 2)],
      ],
    ],
    [
      "two acks of one epoch",
      2,
      (id) => [
        [ACK, ack(id, 5, 1)],
        [ACK, ack(id, 5, 2)],
      ],
    ],
    [
      "a vote across an ack",
      3,
      (id) => [
        [ACK, ack(id, 5, 1)],
        [VOTE, vote(id, 4, 6, 1)],
      ],
    ],
    [
      "a vote around a vote",
      4,
      (id) => [
        [VOTE, vote(id, 1, 6, 1)],
        [VOTE, vote(id, 2, 5, 1)],
      ],
    ],
  ] as const satisfies readonly (readonly [string, number, (id: number) => [Signed, Signed]])[])
    it(`burns 5 % for ${name}, an eighth of it to the reporter, and never pays it out`, async () => {
      const key = newKey();
      const id = await register(key);
      const [a, b] = make(id);
      const args = await evidence(id, key, a, b);
      const [burnt, stake] = [await balanceOf(zeroAddress), await stakeOf(id)];
      const lost = stake / 20n;
      await viem.assertions.emitWithArgs(
        staking.write.slashDoubleVote([...args], { account: reporter.account }),
        staking,
        "Slashed",
        [id, offence, getAddress(reporter.account.address), lost - lost / 8n, lost / 8n],
      );
      assert.equal((await balanceOf(zeroAddress)) - burnt, (lost - lost / 8n) * 10n ** 9n);
      assert.equal(await stakeOf(id), stake - lost);
      assert.equal(await statusOf(id), SLASHED);
      await viem.assertions.revertWithCustomError(
        staking.write.slashDoubleVote([...args]),
        staking,
        "AlreadySlashed",
      );
    });

  it("does not punish an honest validator", async () => {
    const key = newKey();
    const id = await register(key);
    const args = await evidence(id, key, [VOTE, vote(id, 0, 5, 1)], [VOTE, vote(id, 5, 6, 1)]);
    await viem.assertions.revertWithCustomError(
      staking.write.slashDoubleVote([...args]),
      staking,
      "NoOffence",
    );
    const forged = await evidence(id, newKey(), [ACK, ack(id, 5, 1)], [ACK, ack(id, 5, 2)]);
    await viem.assertions.revertWithCustomError(
      staking.write.slashDoubleVote([...forged]),
      staking,
      "BadSignature",
    );
    assert.equal(await statusOf(id), REGISTERED);
  });

  it("jails for a double seal", async () => {
    const key = newKey();
    const id = await register(key);
    const args = await evidence(id, key, [SEAL, seal(id, 7, 1)], [SEAL, seal(id, 7, 2)]);
    await staking.write.slashDoubleSeal([...args], { account: reporter.account });
    assert.equal(await statusOf(id), JAILED);
    assert.equal(await stakeOf(id), ((STAKE / 10n ** 9n) * 99n) / 100n);
  });

  it("pays rewards and, after the exit, the stake to the receiver", async () => {
    const id = await register(newKey());
    await endEpoch([id], 1_000);
    const before = await balanceOf(receiver.account.address);
    await staking.write.claim([id]);
    assert.equal((await balanceOf(receiver.account.address)) - before, parseGwei("1000"));
    await staking.write.requestExit([id]);
    assert.equal(await statusOf(id), EXITING);
    await viem.assertions.revertWithCustomError(
      staking.write.withdraw([id]),
      staking,
      "StillBonded",
    );
    await endEpoch([], 0);
    await staking.write.withdraw([id]);
    assert.equal((await balanceOf(receiver.account.address)) - before, parseGwei("1000") + STAKE);
  });

  it("lets nobody but the system end an epoch", async () => {
    await viem.assertions.revertWithCustomError(
      staking.write.onEpoch(["0x"]),
      staking,
      "OnlySystem",
    );
  });
});
