// Runs on a QNet node: `npx hardhat test --network devnet` beside `npm start`. States and blocks are the node's own; the
// validators that make them final are the test's.
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { network } from "hardhat";
import {
  concatHex,
  encodePacked,
  type Hex,
  hexToBytes,
  keccak256,
  numberToHex,
  padHex,
  parseEther,
  toHex,
  toRlp,
  zeroHash,
} from "viem";

const { viem } = await network.create();
const [owner, friend] = await viem.getWalletClients();
const client = await viem.getPublicClient();
const node = await viem.getTestClient({ mode: "hardhat" });

const SALT = padHex("0x5a17");
const NETWORK = { chainId: 20814n, salt: SALT };
const EPOCH_BLOCKS = 4;

interface Validator {
  readonly id: number;
  readonly stake: bigint;
  readonly publicKey: Hex;
  readonly privateKey: KeyObject;
}

function makeValidator(id: number, stake: bigint): Validator {
  // @ts-expect-error: the types of node:crypto list each key type in an overload of its own
  const pair: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync("ml-dsa-44");
  const publicKey = toHex(pair.publicKey.export({ format: "raw-public" }));
  return { id, stake, publicKey, privateKey: pair.privateKey };
}

const membersOf = (validators: readonly Validator[]) =>
  validators.map(({ id, stake, publicKey }) => ({
    id,
    stakeOld: stake,
    stakeNew: stake,
    keyHash: keccak256(publicKey),
  }));

function merkleLevels(leaves: readonly Hex[]): Hex[][] {
  let width = 1;
  while (width < leaves.length) width *= 2;
  const levels = [Array.from({ length: width }, (_, index) => leaves[index] ?? zeroHash)];
  for (let level = levels[0] ?? []; level.length > 1; ) {
    const below = level;
    level = below.flatMap((left, index) =>
      index % 2 === 0 ? [keccak256(concatHex([left, below[index + 1] ?? zeroHash]))] : [],
    );
    levels.push(level);
  }
  return levels;
}

function validatorsHash(members: ReturnType<typeof membersOf>): Hex {
  const leaves = members.map((one) =>
    keccak256(
      encodePacked(
        ["uint32", "uint64", "uint64", "bytes32"],
        [one.id, one.stakeOld, one.stakeNew, one.keyHash],
      ),
    ),
  );
  return merkleLevels(leaves).at(-1)?.[0] ?? zeroHash;
}

/** Which member signs with whose key; others say nothing. */
type Signers = readonly (readonly [place: number, by: Validator])[];

function certificate(epoch: number, header: Hex, members: readonly Validator[], signers: Signers) {
  const bitmap = new Uint8Array(Math.ceil(members.length / 8));
  for (const [place] of signers)
    bitmap[place >> 3] = (bitmap[place >> 3] ?? 0) | (1 << (place & 7));
  const signatures = signers.map(([place, by]) => {
    const message = keccak256(
      encodePacked(
        ["string", "uint8", "uint64", "bytes32", "uint32", "uint64", "bytes32"],
        [
          "QNET1",
          3,
          NETWORK.chainId,
          SALT,
          members[place]?.id ?? 0,
          BigInt(epoch),
          keccak256(header),
        ],
      ),
    );
    return toHex(sign(null, hexToBytes(message), by.privateKey));
  });
  const publicKeys = signers.map(([place]) => members[place]?.publicKey ?? "0x");
  return { bitmap: toHex(bitmap), publicKeys, signatures };
}

interface HeaderFields {
  readonly epoch: number;
  readonly first: bigint;
  readonly stateRoot: Hex;
  readonly microRoot: Hex;
  readonly sets: readonly [Hex, Hex, Hex];
  readonly timeMs?: bigint;
}

function macroHeader(fields: HeaderFields): Hex {
  const { epoch, first, stateRoot, microRoot, sets, timeMs = 1_700_000_000_000n } = fields;
  const number = (value: bigint | number) => (BigInt(value) === 0n ? "0x" : numberToHex(value));
  const last = first + BigInt(EPOCH_BLOCKS) - 1n;
  return toRlp([
    number(1),
    number(epoch),
    zeroHash,
    number(first),
    number(last),
    zeroHash,
    stateRoot,
    microRoot,
    number(timeMs),
    zeroHash,
    number(0),
    number(0),
    ...sets,
    zeroHash,
  ]);
}

/** RLP of a block's header, checked against its hash. */
async function blockHeader(blockNumber: bigint): Promise<{ raw: Hex; hash: Hex }> {
  const raw = await client.request({
    method: "debug_getRawHeader",
    params: [numberToHex(blockNumber)],
  } as never);
  const { hash } = await client.getBlock({ blockNumber });
  assert.equal(keccak256(raw as Hex), hash);
  return { raw, hash };
}

describe("FinalityClient", () => {
  const validators = [10n, 20n, 30n, 40n].map((stake, index) => makeValidator(index * 3, stake));
  const members = membersOf(validators);
  const trusted = validatorsHash(members);
  const all: Signers = validators.map((one, place) => [place, one] as const);
  const strong = all.slice(1);
  let snapshot: Hex;
  let first: bigint;
  let header: Hex;
  let hashes: Hex[];
  let transaction: Hex;
  before(async () => {
    snapshot = await node.snapshot();
    first = (await client.getBlockNumber()) + 1n;
    transaction = await owner.sendTransaction({ to: friend.account.address, value: 5n });
    await node.mine({ blocks: EPOCH_BLOCKS - 1 });
    hashes = [];
    for (let index = 0n; index < EPOCH_BLOCKS; index++)
      hashes.push((await blockHeader(first + index)).hash);
    const { stateRoot } = await client.getBlock({ blockNumber: first + 3n });
    const microRoot = merkleLevels(hashes).at(-1)?.[0] ?? zeroHash;
    const sets = [trusted, trusted, trusted] as const;
    header = macroHeader({ epoch: 7, first, stateRoot, microRoot, sets });
  });
  after(() => node.revert({ id: snapshot }));

  const deploy = (trustPeriod = 0n) =>
    viem.deployContract("FinalityClient", [NETWORK, 7n, trusted, trustPeriod]);
  const advanced = async () => {
    const light = await deploy();
    const hash = await light.write.advance([
      header,
      members,
      certificate(7, header, validators, strong),
    ]);
    return { light, gasUsed: (await client.getTransactionReceipt({ hash })).gasUsed };
  };

  it("takes a checkpoint that two thirds of the stake acked, for gas in proportion", async () => {
    const { light, gasUsed } = await advanced();
    const [macroHash, epoch] = await light.read.head();
    assert.deepEqual([macroHash, epoch], [keccak256(header), 7n]);
    // three acks: 150,000 gas of calldata each by the floor of EIP-7623, and storing the head
    assert.ok(gasUsed > 450_000n && gasUsed < 900_000n, `${gasUsed}`);
  });

  it("refuses less stake, forged signatures, and bits without a member", async () => {
    const light = await deploy();
    const stranger = makeValidator(0, 1n);
    const good = certificate(7, header, validators, strong);
    const cases = [
      [certificate(7, header, validators, all.slice(0, 3)), "NoQuorum"],
      [certificate(7, header, validators, [[1, stranger], ...strong.slice(1)]), "BadSignature"],
      [certificate(6, header, validators, strong), "BadSignature"],
      [{ ...good, bitmap: "0xfe" as Hex }, "BadCertificate"],
      [{ ...good, bitmap: "0x0e00" as Hex }, "BadCertificate"],
      [{ ...good, signatures: good.signatures.slice(1) }, "BadCertificate"],
      [{ ...good, publicKeys: [stranger.publicKey, ...good.publicKeys.slice(1)] }, "BadSignature"],
    ] as const;
    for (const [bad, error] of cases)
      await viem.assertions.revertWithCustomError(
        light.write.advance([header, members, bad]),
        light,
        error,
      );
  });

  it("refuses another set, also one that signs for itself", async () => {
    const light = await deploy();
    const strangers = validators.map(({ id, stake }) => makeValidator(id, stake));
    const own = membersOf(strangers);
    const hash = validatorsHash(own);
    const fields = { epoch: 7, first, stateRoot: zeroHash, microRoot: zeroHash };
    const forged = macroHeader({ ...fields, sets: [hash, hash, hash] });
    const by = strangers.map((one, place) => [place, one] as const);
    await viem.assertions.revertWithCustomError(
      light.write.advance([forged, own, certificate(7, forged, strangers, by)]),
      light,
      "UnknownValidators",
    );
    await viem.assertions.revertWithCustomError(
      light.write.advance([header, own, certificate(7, header, strangers, by)]),
      light,
      "OtherValidators",
    );
  });

  it("follows a hand-off to the set that the checkpoint named, and not back in time", async () => {
    const { light } = await advanced();
    await viem.assertions.revertWithCustomError(
      light.write.advance([header, members, certificate(7, header, validators, strong)]),
      light,
      "OldEpoch",
    );
    const sets = [trusted, trusted, zeroHash] as const;
    const later = macroHeader({ epoch: 9, first, stateRoot: zeroHash, microRoot: zeroHash, sets });
    await light.write.advance([later, members, certificate(9, later, validators, all)]);
    const [, epoch] = await light.read.head();
    assert.equal(epoch, 9n);
  });

  it("trusts nobody for longer than the period after the newest checkpoint", async () => {
    const period = 1_000n;
    const light = await deploy(period);
    const { timestamp } = await client.getBlock();
    const sets = [trusted, trusted, trusted] as const;
    const made = (epoch: number, timeMs: bigint) => {
      const fields = { epoch, first, stateRoot: zeroHash, microRoot: zeroHash, sets, timeMs };
      const raw = macroHeader(fields);
      return [raw, members, certificate(epoch, raw, validators, strong)] as const;
    };
    await light.write.advance(made(7, 1_000n * (timestamp - 600n)));
    await viem.assertions.revertWithCustomError(
      light.write.advance(made(8, 1_000n * (timestamp - 601n))),
      light,
      "OldEpoch",
    );
    await node.setNextBlockTimestamp({ timestamp: timestamp + 300n });
    await light.write.advance(made(8, 1_000n * (timestamp - 500n)));
    assert.equal(await light.read.trustedAt(), timestamp - 500n);
    await node.setNextBlockTimestamp({ timestamp: timestamp + 501n });
    await viem.assertions.revertWithCustomErrorWithArgs(
      light.write.advance(made(9, 1_000n * timestamp)),
      light,
      "TrustExpired",
      [timestamp - 500n],
    );
  });

  it("proves balances and storage of the node's own state, and their absence", async () => {
    const { light } = await advanced();
    const blockNumber = first + 3n;
    const balance = async (address: Hex) => {
      const { accountProof } = await client.getProof({ address, storageKeys: [], blockNumber });
      return light.read.balanceOf([address, accountProof]);
    };
    const held = await client.getBalance({ address: friend.account.address, blockNumber });
    assert.equal(await balance(friend.account.address), held);
    assert.ok(held > parseEther("1"));
    assert.equal(await balance(`0x${"1234".repeat(10)}`), 0n);
    const staking = `0x${"515000".padStart(40, "0")}` as const;
    for (const key of [padHex("0x0"), padHex("0x2"), padHex("0x99")]) {
      const proof = await client.getProof({ address: staking, storageKeys: [key], blockNumber });
      const [{ value, proof: slotProof }] = proof.storageProof as never;
      const args = [staking, key, proof.accountProof, slotProof] as const;
      assert.equal(await light.read.slotOf([...args]), value);
    }
    const { accountProof } = await client.getProof({
      address: friend.account.address,
      storageKeys: [],
      blockNumber,
    });
    const cut = [friend.account.address, accountProof.slice(0, -1)] as const;
    await assert.rejects(light.read.balanceOf([...cut]), /BadProof/);
  });

  it("proves a transaction of a block of the epoch", async () => {
    const { light } = await advanced();
    const { raw, hash } = await blockHeader(first);
    const levels = merkleLevels(hashes);
    const siblings = levels.slice(0, -1).map((level) => level[1] ?? zeroHash);
    const signed = (await client.request({
      method: "eth_getRawTransactionByHash",
      params: [transaction],
    } as never)) as Hex;
    // a trie with one entry is one leaf: the key's nibbles after a flag, then the value
    const leaf = toRlp(["0x2080", signed]);
    const read = (number: bigint, path: readonly Hex[]) =>
      light.read.transactionAt([number, raw, [...path], 0n, [leaf]]);
    assert.equal(hash, hashes[0]);
    assert.equal(await read(first, siblings), signed);
    await assert.rejects(read(first + 1n, siblings), /NotFinal/);
    await assert.rejects(read(first, siblings.toReversed()), /NotFinal/);
    await assert.rejects(
      light.read.transactionAt([first, raw, siblings, 1n, [leaf]]),
      /NotFinal|BadProof/,
    );
  });
});
