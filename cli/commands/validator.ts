/** `qnet validator`: what the operator of a validator does. */
import { validatorDefinition } from "../definitions.ts";
import { EXIT, UsageError } from "../exit.ts";
import type { CommandIo } from "../io.ts";
import type { OptionValues } from "../options.ts";
import { parseOptions } from "../parseOptions.ts";
import {
  createKey,
  ownerCall,
  printEntry,
  register,
  rotateKey,
  showStatus,
  topUp,
} from "../validatorActions.ts";
import { adoptRecords, exportRecords, importRecords } from "../validatorProtection.ts";

/** One call of the command: its options and the words after the verb. */
export interface ValidatorRequest {
  readonly values: OptionValues<(typeof validatorDefinition.options)[number]>;
  readonly operands: readonly string[];
  readonly io: CommandIo;
}

const actions: Readonly<Record<string, (request: ValidatorRequest) => Promise<void>>> = {
  keygen: createKey,
  apply: printEntry,
  register,
  "top-up": topUp,
  status: showStatus,
  claim: ownerCall("claim"),
  unjail: ownerCall("unjail"),
  "rotate-key": rotateKey,
  exit: ownerCall("requestExit"),
  withdraw: ownerCall("withdraw"),
  "protection export": exportRecords,
  "protection import": importRecords,
  "protection adopt": adoptRecords,
};

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(validatorDefinition, args, io);
  const verb = operands.slice(0, operands[0] === "protection" ? 2 : 1);
  const name = verb.join(" ");
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined)
    throw new UsageError(`usage: qnet validator ${validatorDefinition.operands}`);
  await action({ values, operands: operands.slice(verb.length), io });
  return EXIT.ok;
}
