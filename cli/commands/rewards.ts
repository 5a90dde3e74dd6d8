/** `qnet rewards`: what a validator has earned. */
import { rewardsDefinition } from "../definitions.ts";
import { EXIT, UsageError } from "../exit.ts";
import type { CommandIo } from "../io.ts";
import { parseOptions } from "../parseOptions.ts";
import { checkRewards, ownerCall } from "../validatorActions.ts";

const actions = { check: checkRewards, claim: ownerCall("claim") } as const;

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(rewardsDefinition, args, io);
  const [verb = "", ...rest] = operands;
  if ((verb !== "check" && verb !== "claim") || rest.length > 0)
    throw new UsageError(`usage: qnet rewards ${rewardsDefinition.operands}`);
  await actions[verb]({ values, operands: rest, io });
  return EXIT.ok;
}
