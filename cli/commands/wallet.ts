/** `qnet wallet`: sending with keys that the node does not have. */
import { walletDefinition } from "../definitions.ts";
import { EXIT, UsageError } from "../exit.ts";
import type { CommandIo } from "../io.ts";
import { parseOptions } from "../parseOptions.ts";
import { send } from "../walletSend.ts";

/** Runs the command. */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, operands } = parseOptions(walletDefinition, args, io);
  const [verb, ...extra] = operands;
  if (verb !== "send" || extra.length > 0)
    throw new UsageError(`usage: qnet wallet ${walletDefinition.operands}`);
  await send(values, io);
  return EXIT.ok;
}
