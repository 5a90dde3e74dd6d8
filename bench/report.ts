/** Text of a result with everything needed to judge it; kept in bench/results. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import { join } from "node:path";

const folder = join(import.meta.dirname, "results");

/** What was run, with which arguments, and how long it took. */
interface BenchRun {
  readonly name: string;
  readonly args: readonly string[];
  readonly seconds: number;
}

/** Adds machine, versions and commit to `body`, writes bench/results/<name>.md and returns the text. */
export function report(run: BenchRun, body: string): string {
  const { name } = run;
  const text = `# Benchmark: ${name}\n\n${conditions(run)}\n\n${body}\n`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.md`), text);
  return text;
}

function conditions({ name, args, seconds }: BenchRun): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const processor = `${availableParallelism()} cores of ${cpus()[0]?.model ?? "unknown"}`;
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, commit ${commit()}, Node ${process.version}, Linux ${release()}, ${processor}, ${memory}. Command: \`npm run bench -- ${[name, ...args].join(" ")}\`, ${seconds} s.`;
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync("git", args, { encoding: "utf8", cwd: import.meta.dirname }).trim();
  try {
    return (
      git("rev-parse", "--short", "HEAD") +
      (git("status", "--porcelain", "--", "../src", "../rpc", "../cli") === ""
        ? ""
        : " with changes")
    );
  } catch {
    return "unknown";
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** A Markdown table. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
