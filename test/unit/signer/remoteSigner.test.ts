import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createServer, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { selfSignedCertificate, type TlsIdentity } from "../../../src/crypto/certificate.ts";
import { PQ_ACCOUNT_ALGORITHMS, PQ_CONTEXTS } from "../../../src/crypto/pqAccounts.ts";
import { PqVerifier } from "../../../src/crypto/pqVerifier.ts";
import type { Bytes } from "../../../src/primitives/bytes.ts";
import { bytesToHex, parseAddress } from "../../../src/primitives/hex.ts";
import { silentLogger } from "../../../src/runtime/log.ts";
import { remoteSigner, remoteSigners } from "../../../src/signer/remoteSigner.ts";
import { localSigner, type Signer, SignerError } from "../../../src/signer/signer.ts";
import { type SignerServer, startSignerServer } from "../../../src/signer/signerServer.ts";
import { tlsOptions } from "../../../src/signer/transport.ts";

const NOW = Math.floor(Date.now() / 1000);
const text = new TextEncoder();
const CONTEXT = text.encode(PQ_CONTEXTS.transaction);
const MESSAGE = randomBytes(32);

function identity(commonName: string, notAfter = NOW + 3_600): TlsIdentity {
  const times = { notBefore: NOW - 60, notAfter, serial: randomBytes(16) };
  const content = { commonName, hosts: ["127.0.0.1", "localhost"], ...times };
  return selfSignedCertificate("ML-DSA-44", randomBytes(32), content);
}

const hasCode =
  (code: string, detail = /./) =>
  (error: unknown) =>
    error instanceof SignerError && error.reason.code === code && detail.test(error.message);

describe("remoteSigner", () => {
  const [server, client, stranger] = [identity("signer"), identity("node"), identity("stranger")];
  const verifier = new PqVerifier();
  let running: SignerServer;
  let url: string;
  let keys: Signer[];
  const side = { identity: client, trusted: server.certificate };

  before(async () => {
    keys = await Promise.all(
      PQ_ACCOUNT_ALGORITHMS.map((name, at) => localSigner(name, new Uint8Array(32).fill(at + 1))),
    );
    const options = { host: "127.0.0.1", port: 0, identity: server, trusted: client.certificate };
    running = await startSignerServer({ signers: keys, log: silentLogger }, options);
    url = `https://127.0.0.1:${running.port}`;
  });
  after(() => running.close());

  it("signs with each of the signer's keys", async () => {
    // SLH-DSA takes 0.3 s, and many times that on a busy machine
    const signers = await remoteSigners(verifier, { url, ...side, timeoutMs: 60_000 });
    assert.deepEqual(
      signers.map(({ address, algorithm }) => [address, algorithm]),
      keys.map(({ address, algorithm }) => [address, algorithm]),
    );
    for (const { algorithm, publicKey, sign } of signers) {
      const signature = await sign(MESSAGE, CONTEXT);
      assert.equal(verifier.verify(algorithm, publicKey, MESSAGE, signature, CONTEXT), true);
    }
    await signers[0]?.close();
  }).timeout(60_000);

  it("speaks TLS 1.3 with X25519MLKEM768 and ML-DSA certificates on both sides", async () => {
    const socket: TLSSocket = connect({
      port: running.port,
      host: "127.0.0.1",
      ...tlsOptions(side),
    });
    await new Promise((resolve, reject) => {
      socket.on("secureConnect", resolve);
      socket.on("error", reject);
    });
    assert.equal(socket.authorized, true);
    assert.equal(socket.getProtocol(), "TLSv1.3");
    const group = socket.getEphemeralKeyInfo();
    assert.equal(group !== null && "name" in group && group.name, "X25519MLKEM768");
    const { publicKey } = socket.getPeerX509Certificate() ?? {};
    assert.equal(publicKey?.asymmetricKeyType, "ml-dsa-44");
    socket.destroy();
  });

  it("is reached by nobody without a trusted certificate, nor by classical key exchange", async () => {
    const call = (options: object) =>
      new Promise<string>((resolve) => {
        const all = { ...tlsOptions(side), ...options, agent: false };
        const request = httpsRequest(`${url}/upcheck`, all, (response) => {
          response.resume();
          resolve(String(response.statusCode));
        });
        request.on("error", () => resolve("refused"));
        request.end();
      });
    assert.equal(await call({}), "200");
    assert.equal(await call({ cert: stranger.certificate, key: stranger.privateKey }), "refused");
    assert.equal(await call({ cert: undefined, key: undefined }), "refused");
    assert.equal(await call({ ecdhCurve: "X25519" }), "refused");
    assert.equal(await call({ maxVersion: "TLSv1.2", minVersion: "TLSv1.2" }), "refused");
    const old = identity("node", NOW - 1);
    assert.equal(await call({ cert: old.certificate, key: old.privateKey }), "refused");
  });

  it("trusts no server but its own", async () => {
    const other = { identity: client, trusted: stranger.certificate };
    await assert.rejects(remoteSigners(verifier, { url, ...other }), hasCode("SIGNER_UNREACHABLE"));
    const port = String(running.port);
    const wrongName = { ...side, url: `https://127.0.0.2:${port}` };
    await assert.rejects(remoteSigners(verifier, wrongName), hasCode("SIGNER_UNREACHABLE"));
    const plain = { ...side, url: `http://127.0.0.1:${port}` };
    await assert.rejects(remoteSigners(verifier, plain), hasCode("SIGNER_UNREACHABLE", /https/));
  });

  it("is refused other contexts, unknown keys and messages that are too long", async () => {
    const address = keys[0]?.address ?? parseAddress(`0x${"00".repeat(20)}`);
    const signer = await remoteSigner(verifier, address, { url, ...side });
    const refused = hasCode("SIGNER_REFUSED", /context ""/);
    await assert.rejects(signer.sign(MESSAGE, new Uint8Array(0)), refused);
    await assert.rejects(signer.sign(MESSAGE, text.encode("x")), hasCode("SIGNER_REFUSED"));
    await assert.rejects(signer.sign(new Uint8Array(65_537), CONTEXT), hasCode("MESSAGE_TOO_LONG"));
    assert.ok(await signer.sign(new Uint8Array(65_536), CONTEXT));
    const unknown = parseAddress(`0x${"11".repeat(20)}`);
    await assert.rejects(
      remoteSigner(verifier, unknown, { url, ...side }),
      hasCode("SIGNER_REFUSED", /no key of/),
    );
    await signer.close();
  });

  it("answers requests that are none with a status and a reason", async () => {
    const post = (path: string, body: string, method = "POST") =>
      new Promise<[number | undefined, string]>((resolve, reject) => {
        const options = { ...tlsOptions(side), agent: false, method };
        const request = httpsRequest(url + path, options, (response) => {
          let answer = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            answer += chunk;
          });
          response.on("end", () => resolve([response.statusCode, answer]));
        });
        request.on("error", reject);
        request.end(body);
      });
    const path = `/api/v1/qnet/sign/${keys[0]?.address}`;
    assert.equal((await post(path, "{"))[0], 400);
    assert.equal((await post(path, '{"message":"0x1","context":"QNet/tx/1"}'))[0], 400);
    assert.equal((await post(path, '{"message":"0x11"}'))[0], 400);
    assert.equal((await post("/", ""))[0], 404);
    assert.equal((await post(path, "", "GET"))[0], 404);
    assert.equal((await post("/api/v1/qnet/sign/0x12", "{}"))[0], 404);
    const long = await post(path, " ".repeat(140_000)).catch(() => [413]);
    assert.equal(long[0], 413);
  });
});

/** A signer that answers what it likes. */
async function startLiar(trusted: string, identity_: TlsIdentity, replies: readonly unknown[]) {
  const queue = [...replies];
  const options = { ...tlsOptions({ identity: identity_, trusted }), requestCert: true };
  const server = createServer(options, (request, response) => {
    request.resume();
    const reply = queue.shift();
    if (reply !== undefined)
      response.end(typeof reply === "string" ? reply : JSON.stringify(reply));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

describe("a signer that lies", () => {
  const [server, client] = [identity("signer"), identity("node")];
  const side = { identity: client, trusted: server.certificate };
  const verifier = new PqVerifier();
  const liar = (...replies: readonly unknown[]) => startLiar(client.certificate, server, replies);
  const described = async (seed: number) => {
    const { address, algorithm, publicKey } = await localSigner(
      "ML-DSA-44",
      new Uint8Array(32).fill(seed),
    );
    return { address, algorithm, publicKey: bytesToHex(publicKey) };
  };

  it("passes off no other key's signature, and none over another message", async () => {
    const other = await localSigner("ML-DSA-44", new Uint8Array(32).fill(2));
    const signature = bytesToHex(await other.sign(MESSAGE, CONTEXT));
    await using running = await liar([await described(1)], { signature }, { signature: "0x" }, {});
    const [signer] = await remoteSigners(verifier, { url: running.url, ...side });
    assert.ok(signer);
    const nonsense = hasCode("BAD_SIGNER_REPLY");
    const sign = (message: Bytes) => signer.sign(message, CONTEXT);
    await assert.rejects(sign(MESSAGE), nonsense);
    await assert.rejects(sign(MESSAGE), nonsense);
    await assert.rejects(sign(MESSAGE), nonsense);
    await signer.close();
  });

  it("is refused when it speaks no JSON, too much, or of keys that are none", async () => {
    const key = await described(1);
    for (const reply of [
      "no json",
      {},
      [{ ...key, algorithm: "RSA" }],
      [{ ...key, publicKey: "0x12" }],
      [{ ...key, publicKey: "zz" }],
      [null],
    ]) {
      await using running = await liar(reply);
      await assert.rejects(
        remoteSigners(verifier, { url: running.url, ...side }),
        hasCode("BAD_SIGNER_REPLY"),
      );
    }
    await using running = await liar("x".repeat(1_100_000));
    await assert.rejects(
      remoteSigners(verifier, { url: running.url, ...side }),
      hasCode("SIGNER_UNREACHABLE", /more than/),
    );
  });

  it("is given up when it does not answer in time", async () => {
    await using running = await liar();
    await assert.rejects(
      remoteSigners(verifier, { url: running.url, ...side, timeoutMs: 200 }),
      hasCode("SIGNER_UNREACHABLE", /no answer in 200 ms/),
    );
  });
});
