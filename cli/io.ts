/** What a command may touch of the process, so that tests can run commands in process. */

/** Where text goes. */
export interface TextStream {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
}

/** Surroundings of one command. */
export interface CommandIo {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when the process is asked to stop; a command then ends within two seconds. */
  readonly stop: AbortSignal;
  /** Runs a task whenever the process is told to read its files again (SIGHUP). */
  readonly onReload?: (task: () => void) => void;
  /** Reads a secret from the terminal; undefined: there is no terminal. */
  readonly askSecret?: ((question: string) => Promise<string>) | undefined;
}

/** What the module of a command exports; returns the exit status. */
export interface CommandModule {
  run(args: readonly string[], io: CommandIo): Promise<number>;
}

/** Prints a line of output. */
export function printLine(io: CommandIo, line: string): void {
  io.stdout.write(`${line}\n`);
}

/** Resolves when the process is asked to stop. */
export function stopRequested(io: CommandIo): Promise<void> {
  return new Promise((resolve) => {
    if (io.stop.aborted) resolve();
    else io.stop.addEventListener("abort", () => resolve(), { once: true });
  });
}
