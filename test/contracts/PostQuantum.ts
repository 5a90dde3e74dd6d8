// Runs on a QNet node: `npx hardhat test --network devnet` beside `npm start`.
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { before, describe, it } from "node:test";
import { network } from "hardhat";
import {
  type Address,
  concatHex,
  encodeAbiParameters,
  encodeFunctionData,
  getAddress,
  type Hex,
  keccak256,
  parseEther,
  stringToHex,
  toHex,
} from "viem";

const { viem } = await network.create();
const [relayer, entryPoint, friend] = await viem.getWalletClients();
const client = await viem.getPublicClient();

const ML_DSA_44 = 0x11;
const SLH_DSA_SHA2_128S = 0x14;
const IDS = { "ml-dsa-44": 0x11, "ml-dsa-65": 0x12, "ml-dsa-87": 0x13, "slh-dsa-sha2-128s": 0x14 };
const MESSAGE_CONTEXT = stringToHex("QNet/msg/1");
const VALID = "0x1626ba7e";
const INVALID = "0xffffffff";

interface Signer {
  readonly algorithm: number;
  readonly publicKey: Hex;
  sign(message: Hex, context?: Hex): Hex;
}

function signer(type: keyof typeof IDS): Signer {
  // @ts-expect-error: the types of node:crypto list each key type in an overload of its own
  const pair: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync(type);
  return {
    algorithm: IDS[type],
    publicKey: toHex(pair.publicKey.export({ format: "raw-public" })),
    sign: (message, context = MESSAGE_CONTEXT) =>
      toHex(
        sign(null, Buffer.from(message.slice(2), "hex"), {
          key: pair.privateKey,
          context: Buffer.from(context.slice(2), "hex"),
        }),
      ),
  };
}

/** The last byte changed. */
function damaged(signature: Hex): Hex {
  return `${signature.slice(0, -2)}${signature.endsWith("00") ? "01" : "00"}` as Hex;
}

describe("PostQuantum", () => {
  const message = stringToHex("Hello world");

  for (const type of ["ml-dsa-44", "ml-dsa-65", "ml-dsa-87", "slh-dsa-sha2-128s"] as const) {
    it(`verifies ${type}, with a context and without`, async () => {
      const verifier = await viem.deployContract("PostQuantumVerifier");
      const { algorithm, publicKey, sign } = signer(type);
      const plain = sign(message, "0x");
      const bound = sign(message);
      const verify = (...args: readonly unknown[]) =>
        verifier.read.verify([algorithm, publicKey, ...args] as never);
      assert.equal(await verify(message, plain), true);
      assert.equal(await verify(message, damaged(plain)), false);
      assert.equal(await verify(stringToHex("Hello World"), plain), false);
      assert.equal(await verify(message, bound), false);
      assert.equal(await verify(message, bound, MESSAGE_CONTEXT), true);
      assert.equal(await verify(message, bound, stringToHex("QNet/tx/1")), false);
      assert.equal(await verify(message, plain, "0x"), true);
    });
  }

  it("takes no key or signature of another length, however the bytes are cut", async () => {
    const verifier = await viem.deployContract("PostQuantumVerifier");
    const { algorithm, publicKey, sign } = signer("ml-dsa-44");
    const signature = sign(message, "0x");
    const moved = [`${publicKey}${signature.slice(2, 4)}`, `0x${signature.slice(4)}`];
    for (const [key, signed] of [moved, ["0x", signature], [publicKey, "0x"]]) {
      const args = [algorithm, key, message, signed];
      assert.equal(await verifier.read.verify(args as never), false);
    }
    const long = [ML_DSA_44, publicKey, message, signature, `0x${"00".repeat(256)}`];
    assert.equal(await verifier.read.verify(long as never), false);
  });

  it("derives the address of a key", async () => {
    const verifier = await viem.deployContract("PostQuantumVerifier");
    const { algorithm, publicKey } = signer("ml-dsa-44");
    const hash = keccak256(concatHex([toHex(algorithm), publicKey]));
    assert.equal(
      await verifier.read.addressOf([algorithm, publicKey]),
      getAddress(`0x${hash.slice(26)}`),
    );
  });
});

describe("PostQuantumAccount", () => {
  const owner = signer("ml-dsa-44");
  const other = signer("ml-dsa-44");

  const deploy = () =>
    viem.deployContract(
      "PostQuantumAccount",
      [keccak256(owner.publicKey), entryPoint.account.address],
      {
        value: parseEther("1"),
      },
    );
  type Account = Awaited<ReturnType<typeof deploy>>;
  let account: Account;
  before(async () => {
    account = await deploy();
  });
  const proof = (by: Signer, digest: Hex) => concatHex([by.publicKey, by.sign(digest)]);
  const digestOf = async (to: Address, value: bigint) =>
    account.read.digestOf([await account.read.nonce(), to, value, "0x"]);

  it("pays when its owner signed, whoever brings the message, and once only", async () => {
    const to = getAddress(`0x${"ab".repeat(20)}`);
    const before = await client.getBalance({ address: to });
    const signed = proof(owner, await digestOf(to, 5n));
    const hash = await account.write.execute([to, 5n, "0x", signed], { account: friend.account });
    const { gasUsed } = await client.getTransactionReceipt({ hash });
    assert.ok(gasUsed > 100_000n && gasUsed < 250_000n, `${gasUsed}`);
    assert.equal(await client.getBalance({ address: to }), before + 5n);
    await viem.assertions.revertWithCustomError(
      account.write.execute([to, 5n, "0x", signed]),
      account,
      "BadProof",
    );
  });

  it("refuses another key, a changed call, and a signature meant for a transaction", async () => {
    const to = friend.account.address;
    const digest = await digestOf(to, 7n);
    const foreign = concatHex([owner.publicKey, owner.sign(digest, stringToHex("QNet/tx/1"))]);
    for (const [value, bad] of [
      [7n, proof(other, digest)],
      [8n, proof(owner, digest)],
      [7n, foreign],
      [7n, "0x"],
    ] as const) {
      await viem.assertions.revertWithCustomError(
        account.write.execute([to, value, "0x", bad]),
        account,
        "BadProof",
      );
    }
  });

  it("signs for others, as ERC-1271 has it, for this account alone", async () => {
    const hash = keccak256(stringToHex("a permit"));
    const bound = (address: Address) =>
      keccak256(
        encodeAbiParameters(
          [{ type: "string" }, { type: "uint256" }, { type: "address" }, { type: "bytes32" }],
          ["ERC-1271", BigInt(client.chain.id), address, hash],
        ),
      );
    const good = proof(owner, bound(account.address));
    assert.equal(await account.read.isValidSignature([hash, good]), VALID);
    assert.equal(await account.read.isValidSignature([hash, damaged(good)]), INVALID);
    assert.equal(await account.read.isValidSignature([hash, proof(owner, hash)]), INVALID);
    const second = await deploy();
    assert.equal(await second.read.isValidSignature([hash, good]), INVALID);
  });

  it("validates operations of its entry point, and of nobody else", async () => {
    const operationHash = keccak256(stringToHex("operation"));
    const operation = (signature: Hex) => ({
      sender: account.address,
      nonce: 0n,
      initCode: "0x" as const,
      callData: "0x" as const,
      accountGasLimits: toHex(0, { size: 32 }),
      preVerificationGas: 0n,
      gasFees: toHex(0, { size: 32 }),
      paymasterAndData: "0x" as const,
      signature,
    });
    const validate = async (signature: Hex) => {
      const args = [operation(signature), operationHash, 0n] as const;
      const { result } = await account.simulate.validateUserOp([...args], {
        account: entryPoint.account,
      });
      return result;
    };
    assert.equal(await validate(proof(owner, operationHash)), 0n);
    assert.equal(await validate(proof(other, operationHash)), 1n);
    const args = [operation("0x"), operationHash, 0n] as const;
    await viem.assertions.revertWithCustomErrorWithArgs(
      account.write.validateUserOp([...args]),
      account,
      "NotTheEntryPoint",
      [getAddress(relayer.account.address)],
    );
    const data = encodeFunctionData({ abi: account.abi, functionName: "nonce" });
    await account.write.executeFromEntryPoint([account.address, 0n, data], {
      account: entryPoint.account,
    });
  });
});

describe("PostQuantumVault", () => {
  const owners = [signer("ml-dsa-44"), signer("slh-dsa-sha2-128s"), signer("ml-dsa-44")] as const;
  const keys = owners.map((one) => keccak256(concatHex([toHex(one.algorithm), one.publicKey])));
  const approve = (index: 0 | 1 | 2, digest: Hex) => {
    const { algorithm, publicKey, sign } = owners[index];
    return { index: BigInt(index), algorithm, publicKey, signature: sign(digest) };
  };
  const to = getAddress(`0x${"cd".repeat(20)}`);
  const deploy = () =>
    viem.deployContract("PostQuantumVault", [keys, 2n], { value: parseEther("1") });

  it("spends with two of three keys of two kinds, once", async () => {
    const vault = await deploy();
    const before = await client.getBalance({ address: to });
    const digest = await vault.read.digestOf([0n, to, 9n]);
    const approvals = [approve(0, digest), approve(1, digest)];
    assert.equal(approvals[1]?.algorithm, SLH_DSA_SHA2_128S);
    await vault.write.spend([to, 9n, approvals]);
    assert.equal(await client.getBalance({ address: to }), before + 9n);
    await viem.assertions.revertWithCustomErrorWithArgs(
      vault.write.spend([to, 9n, approvals]),
      vault,
      "BadSignature",
      [0n],
    );
  });

  it("refuses one key twice, too few keys, strangers and bad signatures", async () => {
    const vault = await deploy();
    const digest = await vault.read.digestOf([0n, to, 1n]);
    const [first, second, third] = [approve(0, digest), approve(1, digest), approve(2, digest)];
    const cases = [
      [[first], "TooFewApprovals", [1n, 2n]],
      [[first, first], "NotAscending", [0n]],
      [[third, first], "NotAscending", [0n]],
      [[{ ...first, index: 2n }, second], "NotAnOwner", [2n]],
      [[first, { ...third, index: 3n }], "NotAnOwner", [3n]],
      [[first, { ...third, signature: damaged(third.signature) }], "BadSignature", [2n]],
    ] as const;
    for (const [approvals, error, args] of cases) {
      const spending = vault.write.spend([to, 1n, [...approvals]]);
      await viem.assertions.revertWithCustomErrorWithArgs(spending, vault, error, [...args]);
    }
    await assert.rejects(viem.deployContract("PostQuantumVault", [keys, 4n]), /reverted/);
  });
});
