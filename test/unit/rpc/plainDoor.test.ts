import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { addressOf } from "../../../rpc/listen.ts";
import { PlainDoor } from "../../../rpc/plainDoor.ts";
import type { PlainAnswerer } from "../../../rpc/plainRequest.ts";
import { uncompressed } from "../../../rpc/reply.ts";
import { exchange, gone, open, parseResponses, postText } from "../../support/rawHttp.ts";

const TIMEOUTS = { keepAliveTimeout: 150, connectionsCheckingInterval: 30 };
const BIG_CHARACTERS = 4 << 20;

/** Echoes; a body may ask for a wait, or for a big reply. */
class Echo implements PlainAnswerer {
  answered = 0;

  isPlain = () => true;

  answer(body: string) {
    this.answered++;
    const text = body === "big" ? "x".repeat(BIG_CHARACTERS) : `door: ${body}`;
    const outgoing = uncompressed({ status: 200, text });
    return body.startsWith("slow") ? sleep(60).then(() => outgoing) : outgoing;
  }
}

interface Scene extends AsyncDisposable {
  readonly port: number;
  readonly echo: Echo;
  readonly door: PlainDoor;
  readonly server: Server;
  /** Requests that came to node:http */
  readonly passedOn: () => number;
}

/** A door before a node:http server that says it is one. */
async function startScene(): Promise<Scene> {
  let passedOn = 0;
  const settings = { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 30 };
  const server = createServer(settings, (request, response) => {
    passedOn++;
    request.resume();
    request.on("end", () => response.end("node:http"));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const echo = new Echo();
  const door = new PlainDoor(echo, TIMEOUTS);
  door.attach(server);
  return {
    port: addressOf(server).port,
    echo,
    door,
    server,
    passedOn: () => passedOn,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      door.close(0);
      server.closeAllConnections();
      await closed;
    },
  };
}

const bodies = (responses: readonly { readonly body: Buffer }[]) =>
  responses.map(({ body }) => String(body));

describe("PlainDoor", () => {
  it("answers whole plain requests itself, one after the other on a connection", async () => {
    await using scene = await startScene();
    const { responses } = await exchange(scene.port, [postText("a"), postText("é"), postText("b")]);
    assert.deepEqual(bodies(responses), ["door: a", "door: é", "door: b"]);
    assert.equal(scene.passedOn(), 0);
    const [first] = responses;
    assert.equal(first?.headers.get("connection"), "keep-alive");
    const ageMs = Date.now() - Date.parse(first.headers.get("date") ?? "");
    assert.ok(ageMs >= 0 && ageMs < 3_000, `date is ${ageMs} ms old`);
  });

  it("hands on what is not there whole, with every byte", async () => {
    await using scene = await startScene();
    const text = postText("abcdef");
    for (const at of [1, 20, text.length - 6, text.length - 1]) {
      const { responses } = await exchange(scene.port, [text.slice(0, at), text.slice(at)]);
      assert.deepEqual(bodies(responses), ["node:http"], `cut at ${at}`);
    }
    assert.equal(scene.echo.answered, 0);
  });

  it("hands on another kind of request that follows a plain one, and stays out of the way then", async () => {
    await using scene = await startScene();
    const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const { responses } = await exchange(scene.port, [postText("a"), get, postText("b")]);
    assert.deepEqual(bodies(responses), ["door: a", "node:http", "node:http"]);
  });

  it("keeps replies in the order of pipelined requests, the slow one first", async () => {
    await using scene = await startScene();
    for (const first of ["a", "slow a"]) {
      const { responses } = await exchange(scene.port, [
        postText(first) + postText("b") + postText("c"),
      ]);
      assert.deepEqual(bodies(responses), [`door: ${first}`, "node:http", "node:http"]);
      const apart = await exchange(scene.port, [postText(first), postText("b"), postText("c")]);
      assert.equal(apart.responses.length, 3);
      assert.equal(String(apart.responses[0]?.body), `door: ${first}`);
    }
  });

  it("passes a large body on whole", async () => {
    await using scene = await startScene();
    const { responses } = await exchange(scene.port, [postText("x".repeat(1 << 20))]);
    assert.deepEqual(bodies(responses), ["node:http"]);
  });

  it("answers who has closed its half, and then closes too", async () => {
    await using scene = await startScene();
    for (const body of ["a", "slow a"]) {
      const { responses, isClosed } = await exchange(scene.port, [postText(body)], { end: true });
      assert.deepEqual(bodies(responses), [`door: ${body}`]);
      assert.ok(isClosed);
    }
  });

  it("survives who goes away before the reply", async () => {
    await using scene = await startScene();
    for (const body of ["slow a", "big"]) {
      const socket = await open(scene.port);
      socket.write(postText(body));
      await sleep(5);
      socket.resetAndDestroy();
    }
    await sleep(80);
    const { responses } = await exchange(scene.port, [postText("a")]);
    assert.deepEqual(bodies(responses), ["door: a"]);
  });

  it("takes no more requests from who does not read the replies", async () => {
    await using scene = await startScene();
    const socket = await open(scene.port);
    socket.pause();
    for (let i = 0; i < 40; i++) {
      socket.write(postText("big"));
      await sleep(3);
    }
    const answered = scene.echo.answered + scene.passedOn();
    // what the system takes off our hands: some MB
    assert.ok(answered <= 8, `${answered} replies of 4 MiB were made for nobody`);
    socket.destroy();
  });

  it("sends a big reply whole", async () => {
    await using scene = await startScene();
    const { responses } = await exchange(scene.port, [postText("big")]);
    assert.equal(responses[0]?.body.length, BIG_CHARACTERS);
  });

  it("ends a connection that has been idle for the time of keep-alive", async () => {
    await using scene = await startScene();
    const socket = await open(scene.port);
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    for (let i = 0; i < 4; i++) {
      socket.write(postText("a"));
      await sleep(60);
    }
    assert.equal(parseResponses(Buffer.concat(chunks)).length, 4, "busy ones stay");
    const idleSince = Date.now();
    await gone(socket);
    assert.ok(Date.now() - idleSince >= TIMEOUTS.keepAliveTimeout - 61);
  });

  it("leaves connections that never say anything, or say it byte by byte, to the timeouts of node:http", async () => {
    await using scene = await startScene();
    for (const start of ["", "POST / HTTP/1.1\r\n"]) {
      const socket = await open(scene.port);
      socket.on("data", () => undefined);
      if (start !== "") socket.write(start);
      const startedMs = Date.now();
      await gone(socket);
      assert.ok(Date.now() - startedMs < 2_000);
    }
  });

  it("closes idle connections at once and busy ones after their reply", async () => {
    await using scene = await startScene();
    const idle = await open(scene.port);
    const busy = await open(scene.port);
    const chunks: Buffer[] = [];
    busy.on("data", (chunk: Buffer) => chunks.push(chunk));
    idle.on("data", () => undefined);
    idle.write(postText("a"));
    busy.write(postText("slow b"));
    await sleep(20);
    const ends = Promise.all([gone(idle), gone(busy)]);
    scene.door.close(1_000);
    await ends;
    const [response] = parseResponses(Buffer.concat(chunks));
    assert.equal(String(response?.body), "door: slow b");
    assert.equal(response?.headers.get("connection"), "close");
  });
});
