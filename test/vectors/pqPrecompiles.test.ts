/**
 * Published precompile cases, output and gas: alone, inside the EVM, and through eth_call on a running node. A contract
 * forwards each with exactly its gas, which succeeds, and with one less, which fails.
 */
import assert from "node:assert/strict";
import { pqVerifier } from "../../src/crypto/pqVerifier.ts";
import { executeCall } from "../../src/execution/executeCall.ts";
import { precompilesFor } from "../../src/execution/precompiles/table.ts";
import { bytesToHex, hexToBytes } from "../../src/primitives/hex.ts";
import { devnetGenesis } from "../support/chains.ts";
import { addressAt, contextFor, envFor, stateWith } from "../support/execution.ts";
import { describeFixtures } from "../support/fixtures.ts";
import {
  addressOfCase,
  FAILED,
  FORWARDER,
  forwarded,
  pqFixturesDir,
  precompileCases,
  succeeded,
} from "../support/pqVectors.ts";
import { startTestServer, type TestServer } from "../support/rpcClient.ts";
import { startTestNode } from "../support/rpcNode.ts";

const rules = devnetGenesis().config.forks.rules({ number: 1n, timestamp: 1n, difficulty: 0n });
const forwarder = addressAt(0xf0);

describeFixtures("precompilesFor", pqFixturesDir(), (directory) => {
  for (const one of precompileCases(directory)) {
    it(one.name, async () => {
      const precompile = precompilesFor(rules).find(
        ({ address }) => address === addressOfCase(one),
      );
      assert.ok(precompile);
      const input = hexToBytes(one.input);
      assert.equal(precompile.gas(input), BigInt(one.gas));
      assert.equal(bytesToHex(await precompile.run(input, pqVerifier)), one.output);
    });
  }
});

describeFixtures("executeCall through a forwarding contract", pqFixturesDir(), (directory) => {
  const state = stateWith(new Map([[forwarder, { code: FORWARDER }]]));
  const forward = async (data: Uint8Array) => {
    const message = { to: forwarder, gasLimit: 16_000_000n, data };
    const { returnData } = await executeCall(state, envFor(rules), message, contextFor(rules));
    return bytesToHex(returnData);
  };
  for (const one of precompileCases(directory)) {
    it(one.name, async () => {
      const [gas, address, input] = [BigInt(one.gas), addressOfCase(one), hexToBytes(one.input)];
      assert.equal(await forward(forwarded(gas, address, input)), succeeded(one.output));
      assert.equal(await forward(forwarded(gas - 1n, address, input)), FAILED);
    });
  }
});

describeFixtures("eth_call on a running node", pqFixturesDir(), (directory) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({}, await startTestNode(devnetGenesis()));
  });
  after(() => server[Symbol.asyncDispose]());

  const forward = (data: Uint8Array) =>
    server.call("eth_call", { to: forwarder, data: bytesToHex(data) }, "latest", {
      [forwarder]: { code: `0x${FORWARDER}` },
    });
  for (const one of precompileCases(directory)) {
    it(one.name, async () => {
      const [gas, address, input] = [BigInt(one.gas), addressOfCase(one), hexToBytes(one.input)];
      assert.equal(await server.call("eth_call", { to: address, data: one.input }), one.output);
      assert.equal(await forward(forwarded(gas, address, input)), succeeded(one.output));
      assert.equal(await forward(forwarded(gas - 1n, address, input)), FAILED);
    });
  }
});
