/** `qnet genesis build`: the launch of a network, from its template and its validators' entries. */
import { writeFile } from "node:fs/promises";
import { genesisDefinition } from "../definitions.ts";
import { EXIT, UsageError } from "../exit.ts";
import { describeLaunch, fillTemplate, readEntries, readTemplate } from "../genesisLaunch.ts";
import { type CommandIo, printLine } from "../io.ts";
import { jsonLine } from "../jsonLine.ts";
import { parseOptions } from "../parseOptions.ts";

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(genesisDefinition, args, io);
  const [verb, ...files] = operands;
  const { output } = values;
  if (verb !== "build" || files.length === 0 || output === undefined)
    throw new UsageError(`usage: qnet genesis ${genesisDefinition.operands} --output FILE`);
  const validators = readEntries(files);
  const text = fillTemplate(readTemplate(values.template), {
    validators,
    timestamp: values.timestamp,
  });
  const { facts } = await describeLaunch(text);
  // a file that was built before may be the one that others have: it is not written over
  await writeFile(output, text, { flag: "wx" });
  printLine(io, jsonLine({ ...facts, file: output }));
  return EXIT.ok;
}
