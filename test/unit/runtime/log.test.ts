import assert from "node:assert/strict";
import { NodeError } from "../../../src/primitives/errors.ts";
import { createLogger, type LogOptions } from "../../../src/runtime/log.ts";
import { formatDuration } from "../../../src/runtime/logText.ts";

function logTo(options: Partial<LogOptions>) {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(text) };
  return { log: createLogger({ verbosity: 3, format: "terminal", stream, ...options }), lines };
}

describe("createLogger", () => {
  it("writes geth's aligned line", () => {
    const { log, lines } = logTo({});
    log.info("Imported block", {
      number: 1_234n,
      hash: `0x${"ab".repeat(32)}`,
      txs: 5,
      elapsedMs: 12.4,
      peer: undefined,
    });
    const [line = ""] = lines;
    assert.match(line, /^INFO {1}\[\d\d-\d\d\|\d\d:\d\d:\d\d\.\d{3}\] Imported block {27}number=/);
    assert.ok(line.endsWith("number=1,234 hash=ababab..ababab txs=5 elapsed=12ms\n"), line);
  });

  it("keeps to its verbosity", () => {
    const { log, lines } = logTo({ verbosity: 2 });
    log.info("quiet");
    log.debug("quiet");
    log.warn("loud");
    log.error("loud");
    assert.deepEqual(
      lines.map((line) => line.slice(0, 5)),
      ["WARN ", "ERROR"],
    );
    const silent = logTo({ verbosity: 0 });
    silent.log.error("quiet");
    assert.deepEqual(silent.lines, []);
  });

  it("takes another verbosity while it runs, its children too", () => {
    const { log, lines } = logTo({ verbosity: 1 });
    const child = log.child({ part: "pool" });
    child.info("unheard");
    log.setVerbosity(4);
    child.debug("heard");
    log.setVerbosity(0);
    child.error("unheard");
    assert.equal(lines.length, 1);
    assert.match(String(lines[0]), /heard +part=pool/);
  });

  it("lets nothing escape from a value into the terminal", () => {
    const { log, lines } = logTo({});
    log.info("Peer said", { text: "a\u001b[2J\nINFO forged", name: "plain" });
    const [line = ""] = lines;
    assert.equal(lines.length, 1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it must not be there
    assert.doesNotMatch(line.trimEnd(), /[\u001b\n]/);
    assert.ok(line.endsWith("name=plain\n"));
  });

  it("colours only when asked", () => {
    const { log, lines } = logTo({ colour: true });
    log.warn("Careful", { key: 1 });
    assert.ok(lines[0]?.startsWith("\u001b[33mWARN \u001b[0m["));
    const tty = { write: (text: string) => lines.push(text), isTTY: true, hasColors: () => false };
    createLogger({ verbosity: 3, format: "terminal", stream: tty }).warn("Careful");
    assert.ok(lines[1]?.startsWith("WARN ["));
  });

  it("writes JSON with geth's keys, bigints as text, errors whole", () => {
    const { log, lines } = logTo({ format: "json" });
    const error = new NodeError({ code: "LATE", ms: 5n });
    log.child({ part: "pool" }).error("Failed", { number: 7n, error, msg: "field" });
    const record = JSON.parse(lines[0] ?? "");
    assert.equal(record.lvl, "error");
    assert.equal(record.msg, "Failed");
    assert.equal(record.part, "pool");
    assert.equal(record.number, "7");
    assert.equal(record.msg_, "field");
    assert.deepEqual(record.error.reason, { code: "LATE", ms: "5" });
    assert.equal(new Date(record.t).toISOString(), record.t);
  });
});

describe("formatDuration", () => {
  it("chooses the unit people read", () => {
    assert.deepEqual([0.25, 3.456, 12.4, 3_456, 243_000, 3_720_000].map(formatDuration), [
      "250µs",
      "3.46ms",
      "12ms",
      "3.456s",
      "4m3s",
      "1h2m",
    ]);
  });
});
