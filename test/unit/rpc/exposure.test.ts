import assert from "node:assert/strict";
import { keccak256 } from "../../../src/crypto/keccak.ts";
import { signDigest } from "../../../src/crypto/secp256k1.ts";
import { concatBytes } from "../../../src/primitives/bytes.ts";
import { bytesToHex, hexToBytes } from "../../../src/primitives/hex.ts";
import { encodeRlp } from "../../../src/types/rlp.ts";
import { TEST_ADDRESSES, TEST_KEYS } from "../../support/chains.ts";
import { type DevNode, startDevNode } from "../../support/devNode.ts";
import { PQ_SEEDS, pqAccount, signPq } from "../../support/pqTransactions.ts";

const pq = pqAccount(PQ_SEEDS[0]);
const [alice, bob, carol] = TEST_ADDRESSES;
const CAROLS_KEY = TEST_KEYS[2] ?? assert.fail();

describe("qnet_getExposure", () => {
  let dev: DevNode;
  beforeEach(async () => {
    dev = await startDevNode();
  });
  afterEach(() => dev[Symbol.asyncDispose]());

  // biome-ignore lint/suspicious/noExplicitAny: the JSON of the reply, described by the test
  const call = async (method: string, ...params: readonly unknown[]): Promise<any> =>
    await dev.call(method, ...params);
  /** The answer without its text. */
  const exposure = async (account: unknown) => {
    const { covers, ...rest } = await call("qnet_getExposure", account);
    assert.ok(covers.length > 50);
    return rest;
  };

  it("says since when a secp256k1 key is in the open, and that the whole balance is at risk", async () => {
    const before = await exposure(alice);
    assert.deepEqual([before.control, before.secp256k1KeyRevealed], ["unknown", false]);
    assert.equal(before.atRisk, "0x0");
    await call("evm_mine");
    const hash = await call("eth_sendTransaction", { from: alice, to: bob, value: "0x1" });
    for (let more = 0; more < 5; more++)
      await call("eth_sendTransaction", { from: alice, to: bob, value: "0x1" });
    const balance = await call("eth_getBalance", alice, "latest");
    assert.deepEqual(await exposure(alice), {
      address: alice,
      control: "secp256k1",
      secp256k1KeyRevealed: true,
      by: "transaction",
      blockNumber: "0x2",
      transactionHash: hash,
      balance,
      atRisk: balance,
    });
    assert.equal((await exposure(bob)).secp256k1KeyRevealed, false, "who only receives shows none");
  });

  it("counts a transaction that still waits", async () => {
    await call("evm_setAutomine", false);
    const hash = await call("eth_sendTransaction", { from: alice, to: bob, value: "0x1" });
    const { by, blockNumber, transactionHash, secp256k1KeyRevealed } = await exposure(alice);
    assert.deepEqual(
      [by, blockNumber, transactionHash, secp256k1KeyRevealed],
      ["pending transaction", null, hash, true],
    );
  });

  it("has nothing at risk behind a post-quantum key", async () => {
    const own = await exposure(pq.address);
    assert.deepEqual([own.control, own.algorithm, own.by], ["post-quantum", "ML-DSA-44", null]);
    const { raw, hash } = signPq(pq, { maxFeePerGas: 10_000_000_000n });
    await call("eth_sendRawTransaction", bytesToHex(raw));
    const { balance, ...rest } = await exposure(pq.address);
    assert.ok(BigInt(balance) > 0n);
    assert.deepEqual(rest, {
      address: pq.address,
      control: "post-quantum",
      algorithm: "ML-DSA-44",
      secp256k1KeyRevealed: false,
      by: "transaction",
      blockNumber: "0x1",
      transactionHash: hash,
      atRisk: "0x0",
    });
  });

  it("sees an authorization in somebody else's transaction (EIP-7702)", async () => {
    const delegate = `0x${"ab".repeat(20)}`;
    const payload = encodeRlp([hexToBytes("0x7a69"), hexToBytes(delegate), new Uint8Array(0)]);
    const digest = keccak256(concatBytes(Uint8Array.of(5), payload));
    const { r, s, yParity } = signDigest(digest, CAROLS_KEY);
    const hex = (value: bigint | number) => `0x${value.toString(16)}`;
    const authorization = {
      chainId: "0x7a69",
      address: delegate,
      nonce: "0x0",
      yParity: hex(yParity),
      r: hex(r),
      s: hex(s),
    };
    const hash = await call("eth_sendTransaction", {
      from: alice,
      to: bob,
      authorizationList: [authorization],
    });
    const { control, by, secp256k1KeyRevealed, transactionHash } = await exposure(carol);
    assert.deepEqual(
      [control, by, secp256k1KeyRevealed, transactionHash],
      ["secp256k1", "authorization", true, hash],
    );
  });

  it("does not guess about contracts, edited nonces and impersonated senders", async () => {
    const contract = await exposure("0xca11bde05977b3631167028862be2a173976ca11");
    assert.deepEqual([contract.control, contract.secp256k1KeyRevealed], ["contract", false]);
    const edited = `0x${"12".repeat(20)}`;
    await call("anvil_setNonce", edited, "0x5");
    await call("anvil_setBalance", edited, "0xde0b6b3a7640000");
    await call("evm_mine");
    const unsigned = await exposure(edited);
    assert.deepEqual(
      [unsigned.control, unsigned.secp256k1KeyRevealed, unsigned.atRisk],
      ["unknown", null, null],
    );
    const other = `0x${"34".repeat(20)}`;
    await call("anvil_setBalance", other, "0xde0b6b3a7640000");
    await call("anvil_impersonateAccount", other);
    await call("eth_sendTransaction", { from: other, to: bob, value: "0x1" });
    assert.equal((await exposure(other)).secp256k1KeyRevealed, null);
  });
});
