import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Hex, keccak256, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { compileContract } from "../support/compile.ts";
import { accounts, type DevProcess, keys, startDevProcess } from "../support/devProcess.ts";

const FILE_TIMEOUT_MS = 20_000;
const RECEIPT_POLLS = 100;
const RECEIPT_POLL_MS = 20;
const friend = "0x00000000000000000000000000000000000f00d1";
const origin = "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn";

type Json = Readonly<Record<string, unknown>>;

function asObject(value: unknown): Json {
  assert.ok(typeof value === "object" && value !== null);
  return Object.fromEntries(Object.entries(value));
}

/** The requests of the wallet, as its threads and source show them: rows in the order of one transaction. */
describe("MetaMask", function () {
  this.timeout(FILE_TIMEOUT_MS);
  let node: DevProcess;
  let token: string;
  const account = privateKeyToAccount(keys[0]);
  const text = (method: string, ...params: readonly unknown[]) => node.call(method, ...params);
  const quantity = async (method: string, ...params: readonly unknown[]) => {
    const value = await text(method, ...params);
    assert.match(String(value), /^0x(?:0|[1-9a-f][0-9a-f]*)$/, `${method} gives a quantity`);
    return BigInt(String(value));
  };

  before(async () => {
    node = await startDevProcess();
    const { bytecode } = await compileContract("contracts/samples/SampleToken.sol");
    const data: Hex = `${bytecode}${(10n ** 21n).toString(16).padStart(64, "0")}`;
    token = String((await send({ data, gas: 2_000_000n }))["contractAddress"]);
  });
  after(() => node[Symbol.asyncDispose]());

  /** Fills, signs, sends and polls as the wallet does; gives the receipt. */
  async function send(wanted: {
    to?: Hex;
    data?: Hex;
    value?: bigint;
    gas: bigint;
  }): Promise<Json> {
    const latest = await quantity("eth_blockNumber");
    const gasPrice = await quantity("eth_gasPrice");
    const block = asObject(await text("eth_getBlockByNumber", toHex(latest), false));
    const baseFee = BigInt(String(block["baseFeePerGas"]));
    // the wallet takes this price as the highest fee: it must still hold after a full block
    if (!node.isPeer) assert.ok(gasPrice * 8n >= baseFee * 9n);
    const raw = await account.signTransaction({
      ...wanted,
      type: "eip1559",
      chainId: 31337,
      nonce: Number(await quantity("eth_getTransactionCount", account.address, "pending")),
      maxFeePerGas: gasPrice,
      maxPriorityFeePerGas: await quantity("eth_maxPriorityFeePerGas"),
    });
    const hash = await text("eth_sendRawTransaction", raw);
    assert.equal(hash, keccak256(raw));
    for (let poll = 0; poll < RECEIPT_POLLS; poll++) {
      const receipt = await text("eth_getTransactionReceipt", hash);
      if (receipt !== null) return asObject(receipt);
      await sleep(RECEIPT_POLL_MS);
    }
    throw new Error("no receipt");
  }

  it("adds the network: the chain id is unpadded hex and equals net_version", async () => {
    assert.equal(await text("eth_chainId"), "0x7a69");
    assert.equal(await text("net_version"), "31337");
  });

  it("may ask from its extension's page: preflight, then the request", async () => {
    const preflight = await fetch(node.url, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
        "access-control-request-private-network": "true",
      },
    });
    assert.ok(preflight.status === 200 || preflight.status === 204, String(preflight.status));
    const allowed = preflight.headers.get("access-control-allow-origin");
    assert.ok(allowed === "*" || allowed === origin, String(allowed));
    const headers = preflight.headers.get("access-control-allow-headers") ?? "";
    assert.match(headers.toLowerCase(), /content-type|\*/);
    assert.match(preflight.headers.get("access-control-allow-methods") ?? "", /POST|\*/);
    if (!node.isPeer) {
      assert.equal(preflight.headers.get("access-control-allow-private-network"), "true");
    }
    const answer = await node.post(
      { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] },
      { origin },
    );
    assert.equal(answer.status, 200);
    assert.ok(["*", origin].includes(answer.headers.get("access-control-allow-origin") ?? ""));
    assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
  });

  it("sends coins: block, price, code, ERC-165 probe, gas, balance, nonce, receipt", async () => {
    const balance = await quantity("eth_getBalance", account.address, "latest");
    assert.ok(balance > 10n ** 18n);
    assert.equal(await text("eth_getCode", friend, "latest"), "0x");
    const gas = await quantity("eth_estimateGas", {
      from: account.address,
      to: friend,
      value: "0x9",
    });
    assert.equal(gas, 21_000n);
    const receipt = await send({ to: friend, value: 9n, gas });
    assert.equal(receipt["status"], "0x1");
    assert.equal(await quantity("eth_getBalance", friend, "latest"), 9n);
  });

  it("learns that a token is no ERC-721 by calls that revert with code 3", async () => {
    const probe = { to: token, data: `0x01ffc9a780ac58cd${"0".repeat(56)}` };
    await assert.rejects(text("eth_call", probe, "latest"), { code: 3 });
    const code = String(await text("eth_getCode", token, "latest"));
    assert.ok(code.length > 2);
  });

  it("reads a token's name, symbol, decimals and balance", async () => {
    const call = (data: string) => text("eth_call", { to: token, data }, "latest");
    const symbol = String(await call("0x95d89b41"));
    assert.equal(Buffer.from(symbol.slice(2), "hex").subarray(64, 68).toString(), "SMPL");
    assert.equal(BigInt(String(await call("0x313ce567"))), 18n);
    const owner = account.address.slice(2).toLowerCase().padStart(64, "0");
    assert.equal(BigInt(String(await call(`0x70a08231${owner}`))), 10n ** 21n);
  });

  it("sends tokens", async () => {
    const data: Hex = `0xa9059cbb${friend.slice(2).padStart(64, "0")}${"5".padStart(64, "0")}`;
    const from = account.address;
    const gas = await quantity("eth_estimateGas", { from, to: token, data, value: "0x0" });
    const receipt = await send({ to: `0x${token.slice(2)}`, data, gas: (gas * 3n) / 2n });
    assert.equal(receipt["status"], "0x1");
    assert.ok(Array.isArray(receipt["logs"]) && receipt["logs"].length === 1);
  });

  it("shows fees from the history of five blocks, also at block 0", async () => {
    for (const newest of ["latest", "0x0"]) {
      const percentiles = [10, 20, 30];
      const history = asObject(await text("eth_feeHistory", "0x5", newest, percentiles));
      const { baseFeePerGas, gasUsedRatio, reward } = history;
      assert.ok(Array.isArray(baseFeePerGas) && Array.isArray(gasUsedRatio));
      assert.equal(baseFeePerGas.length, gasUsedRatio.length + 1);
      assert.ok(Array.isArray(reward) && reward.length === gasUsedRatio.length);
    }
  });

  it("gets the whole of a batch of 30, each answer with its id", async () => {
    const calls = Array.from({ length: 30 }, (_, id) => ({
      jsonrpc: "2.0",
      id,
      method: "eth_getBalance",
      params: [accounts[id % accounts.length], "latest"],
    }));
    const answers: unknown = await (await node.post(calls)).json();
    assert.ok(Array.isArray(answers));
    assert.deepEqual(
      answers.map(({ id }) => id).sort((a, b) => a - b),
      calls.map(({ id }) => id),
    );
    assert.ok(answers.every(({ result }) => BigInt(result) > 0n));
  });

  it("may leave params out, or null", async () => {
    for (const params of [{}, { params: null }, { params: [] }]) {
      const reply = await node.post({ jsonrpc: "2.0", id: 7, method: "eth_chainId", ...params });
      assert.deepEqual(await reply.json(), { jsonrpc: "2.0", id: 7, result: "0x7a69" });
    }
  });

  it("may give input and data when they are equal", async () => {
    const data = "0x95d89b41";
    const both = await text("eth_call", { to: token, input: data, data }, "latest");
    assert.equal(both, await text("eth_call", { to: token, data }, "latest"));
    assert.equal(both, await text("eth_call", { to: token, input: data }, "latest"));
  });

  it("is refused when input and data differ", async function () {
    if (node.isPeer) this.skip(); // anvil takes one of them
    const call = { to: token, input: "0x95d89b41", data: "0x313ce567" };
    await assert.rejects(text("eth_call", call, "latest"), { code: -32602 });
  });

  it("signs in with an unlocked account's personal_sign and eth_signTypedData_v4", async () => {
    const { recoverMessageAddress, recoverTypedDataAddress } = await import("viem");
    const signature = String(await text("personal_sign", toHex("sign in"), account.address));
    const recovered = await recoverMessageAddress({
      message: "sign in",
      signature: `0x${signature.slice(2)}`,
    });
    assert.equal(recovered, account.address);
    const data = {
      domain: { name: "Site", chainId: 31337 },
      types: { Login: [{ name: "nonce", type: "uint256" }] },
      primaryType: "Login",
      message: { nonce: "5" },
    } as const;
    const typed = String(
      await text(
        "eth_signTypedData_v4",
        account.address,
        JSON.stringify({
          ...data,
          types: {
            ...data.types,
            EIP712Domain: [
              { name: "name", type: "string" },
              { name: "chainId", type: "uint256" },
            ],
          },
        }),
      ),
    );
    assert.equal(
      await recoverTypedDataAddress({
        ...data,
        message: { nonce: 5n },
        signature: `0x${typed.slice(2)}`,
      }),
      account.address,
    );
  });
});
