/** `qnet doctor`: what this machine has and lacks for running a node, one line each; status 1 when something must be fixed. */
import { doctorDefinition } from "../definitions.ts";
import { diagnose, type Finding } from "../diagnosis.ts";
import { EXIT, UsageError } from "../exit.ts";
import { type CommandIo, printLine } from "../io.ts";
import { parseOptions } from "../parseOptions.ts";

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(doctorDefinition, args, io);
  if (operands.length > 0) throw new UsageError(`doctor takes no argument "${operands[0]}"`);
  const findings = await diagnose({
    datadir: values.datadir,
    host: values["http.addr"],
    port: values["http.port"],
  });
  if (values.json) printLine(io, JSON.stringify(findings));
  else for (const finding of findings) printLine(io, lineOf(finding));
  return findings.some(({ verdict }) => verdict === "bad") ? EXIT.general : EXIT.ok;
}

function lineOf({ what, verdict, detail }: Finding): string {
  return `${verdict.padEnd(5)} ${what.padEnd(12)} ${detail}`;
}
