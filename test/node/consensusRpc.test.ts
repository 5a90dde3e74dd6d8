import assert from "node:assert/strict";
import { allMethods } from "../../rpc/methods/index.ts";
import { startRpcServer } from "../../rpc/server.ts";
import { verifyInclusion } from "../../src/consensus/finalityProof.ts";
import { type LightBlock, verifyStep } from "../../src/consensus/light.ts";
import { keccakHash } from "../../src/crypto/keccak.ts";
import { pqVerifier } from "../../src/crypto/pqVerifier.ts";
import { type Hash, hexToBytes, parseHash } from "../../src/primitives/hex.ts";
import { decodeAckQC } from "../../src/types/certificate.ts";
import { decodeHeader } from "../../src/types/header.ts";
import { decodeMacroHeader, hashMacroHeader } from "../../src/types/macroHeader.ts";
import { validatorGenesis } from "../support/validatorGenesis.ts";
import { seededNumbers, ValidatorNetwork } from "../support/validatorNetwork.ts";

/** What a light client is given by an untrusted node. */
interface RawProof {
  readonly macroHeader: string;
  readonly certificate: string;
  readonly validators: readonly RawValidator[];
  readonly header: string;
  readonly siblings: readonly string[];
}

interface RawValidator {
  readonly id: string;
  readonly stakeOld: string;
  readonly stakeNew: string;
  readonly keyHash: string;
  readonly publicKey: string;
}

describe("qnet methods of consensus", function () {
  this.timeout(120_000);

  async function network() {
    const validators = new ValidatorNetwork({
      genesis: validatorGenesis(2),
      factor: 10,
      random: seededNumbers(7),
    });
    await validators.start(0);
    const node = await validators.start(1);
    const server = await startRpcServer(node, {
      hosts: ["127.0.0.1"],
      port: 0,
      api: [...new Set(allMethods.map(({ name }) => name.slice(0, name.indexOf("_"))))],
      allowUnprotected: true,
    });
    // biome-ignore lint/suspicious/noExplicitAny: replies are read as a caller reads them
    const call = async (method: string, ...params: readonly unknown[]): Promise<any> => {
      const response = await fetch(server.httpUrl, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      });
      const reply = JSON.parse(await response.text());
      if (reply.error !== undefined) throw new Error(reply.error.message);
      return reply.result;
    };
    const close = async () => {
      await server.close();
      await validators[Symbol.asyncDispose]();
    };
    return { validators, node, call, wsUrl: server.wsUrl, [Symbol.asyncDispose]: close };
  }

  it("tell what consensus is doing, and prove it to a light client", async () => {
    await using setup = await network();
    const { validators, node, call } = setup;
    const epochOf = (one: typeof node) => one.consensus?.status.finalizedEpoch ?? 0;
    await validators.until("four epochs", (one) => epochOf(one) >= 4, 60_000);

    const status = await call("qnet_syncStatus");
    assert.ok(Number(status.finalizedEpoch) >= 4);
    assert.ok(Number(status.justifiedEpoch) >= Number(status.finalizedEpoch));
    const final = await call("qnet_getMacroHeader", "finalized");
    assert.equal(keccakHash(hexToBytes(final.raw)), final.hash);
    const block = await call("eth_getBlockByNumber", "finalized", false);
    assert.ok(Number(block.number) % 8 === 0);
    assert.equal(await call("qnet_getMacroHeader", "0xffff"), null);
    assert.equal(await call("qnet_getFinalityCertificate", "0x0"), null);

    const sidecar = await call("qnet_getSidecar", "0xa");
    const inBlock = await call("eth_getBlockByNumber", "0xa", false);
    assert.equal(keccakHash(hexToBytes(sidecar.core)), inBlock.extraData);
    assert.deepEqual([sidecar.epoch, sidecar.index], ["0x2", "0x2"]);
    assert.equal(Math.floor(Number(sidecar.timestampMs) / 1000), Number(inBlock.timestamp));
    const members = await call("qnet_getValidators", "0x2");
    assert.equal(members.length, 2);
    assert.ok(members.some(({ id }: RawValidator) => id === sidecar.proposer));
    const leader = await call(
      "qnet_getLeader",
      `0x${(Number(status.headSlot) + 500).toString(16)}`,
    );
    assert.ok(["0x0", "0x1"].includes(leader.id));
    assert.equal((await call("qnet_getReputation", "0x0")).status, "registered");
    assert.deepEqual(await call("qnet_getEvidence"), []);
    await assert.rejects(call("debug_setHead", "0x14"), /fork choice of its validators/);
    await assert.rejects(call("qnet_submitEvidence", "0xc0"), /proves nothing/);

    const proof: RawProof = await call("qnet_getFinalityProof", "0x14");
    const light = lightBlockOf(proof);
    const genesis = node.consensus?.checkpoint(0);
    assert.ok(genesis !== undefined);
    const { chainId } = node.chain.config;
    const salt = node.consensus?.engine.params.config.salt;
    assert.ok(salt !== undefined);
    const trusted = { header: genesis.header, members: genesis.config.members };
    const networkOf = { chainId, salt, trustPeriodMs: 0, verifier: pqVerifier };
    const reached = verifyStep(networkOf, trusted, light, 0);
    assert.equal(reached.header.epoch, 3);
    const header = decodeHeader(hexToBytes(hex(proof.header)));
    verifyInclusion(reached.header, { header, siblings: proof.siblings.map(parseHash) });
    assert.equal(header.number, 20n);
    assert.equal(hashMacroHeader(reached.header), light.certificate.macroHash);
  });

  it("push each final macro header to subscribers", async () => {
    await using setup = await network();
    const socket = new WebSocket(setup.wsUrl);
    // biome-ignore lint/suspicious/noExplicitAny: messages are read as a caller reads them
    const messages: any[] = [];
    socket.onmessage = ({ data }) => messages.push(JSON.parse(String(data)));
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    const request = { jsonrpc: "2.0", id: 1, method: "qnet_subscribe", params: ["finalized"] };
    socket.send(JSON.stringify(request));
    await setup.validators.until(
      "messages",
      () => messages.filter(({ method }) => method === "qnet_subscription").length >= 2,
      60_000,
    );
    socket.close();
    const news = messages.filter(({ method }) => method === "qnet_subscription");
    const epochs = news.map(({ params }) => Number(params.result.epoch));
    assert.equal(epochs[1], (epochs[0] ?? 0) + 1);
    assert.equal(news[0].params.subscription, messages[0].result);
  });

  function lightBlockOf(proof: RawProof): LightBlock {
    const keys = new Map<Hash, Uint8Array>();
    const members = proof.validators.map((one) => {
      keys.set(parseHash(one.keyHash), hexToBytes(hex(one.publicKey)));
      return {
        id: Number(one.id),
        stakeOld: BigInt(one.stakeOld),
        stakeNew: BigInt(one.stakeNew),
        keyHash: parseHash(one.keyHash),
      };
    });
    return {
      header: decodeMacroHeader(hexToBytes(hex(proof.macroHeader))),
      certificate: decodeAckQC(hexToBytes(hex(proof.certificate))),
      validators: { members, keys },
    };
  }
});

function hex(value: string): `0x${string}` {
  return `0x${value.slice(2)}`;
}
