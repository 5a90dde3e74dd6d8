/** A process made to be killed: it says `loaded`, waits for `go`, and tells in lines what it does. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const TIMEOUT_MS = 120_000;
const POLL_MS = 2;

/** A child that runs this script of test/support; its modules load while others run. */
export class Victim {
  readonly #child: ChildProcess;
  #output = "";
  readonly #closed: Promise<unknown>;

  constructor(script: string, args: readonly string[]) {
    this.#child = spawn(process.execPath, [script, ...args], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdout?.on("data", (data: Buffer) => {
      this.#output += data.toString();
    });
    this.#closed = once(this.#child, "close");
  }

  /** Lets it begin, once it is loaded. */
  async go(): Promise<void> {
    await this.until((lines) => lines.includes("loaded"));
    this.#child.stdin?.write("go\n");
  }

  /** Waits until its lines are as wished. */
  async until(done: (lines: readonly string[]) => boolean): Promise<void> {
    const deadline = performance.now() + TIMEOUT_MS;
    while (!done(this.#lines())) {
      assert.equal(this.#child.exitCode, null, "the child runs");
      assert.ok(performance.now() < deadline, "the child comes on");
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Kills it with SIGKILL and gives all lines that it told. */
  async end(): Promise<readonly string[]> {
    this.#child.kill("SIGKILL");
    await this.#closed;
    return this.#lines();
  }

  /** Whole ones only. */
  #lines(): readonly string[] {
    return this.#output.split("\n").slice(0, -1);
  }
}
