/** Asking for a secret on the terminal, without echo. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** Prints `question` on stderr and reads one line that is not shown. */
export function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  return new Promise((resolve, reject) => {
    reader.once("SIGINT", () => {
      reader.close();
      process.kill(process.pid, "SIGINT");
      reject(new Error("interrupted"));
    });
    reader.once("line", (line) => {
      reader.close();
      process.stderr.write("\n");
      resolve(line);
    });
  });
}
