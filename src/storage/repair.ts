/** Last resort for a database that does not open. */
import { Level } from "level";
import { assert } from "../primitives/errors.ts";
import { databaseFiles, wasCreated } from "./lock.ts";
import { errorText, StorageError } from "./storageError.ts";

/**
 * Lets LevelDB rebuild its index files from what is left. Entries may be missing afterwards: run `verifyDatabase` next.
 * The database must be closed. Throws StorageError UNAVAILABLE when there is none, DAMAGED when the attempt fails.
 */
export async function repairDatabase(path: string): Promise<void> {
  const files = databaseFiles(path);
  if (!wasCreated(files)) {
    throw new StorageError({ code: "UNAVAILABLE", path, detail: "no database was created here" });
  }
  try {
    // there at run time (it is classic-level's), absent from the type declarations
    const repair: unknown = Reflect.get(Level, "repair");
    assert(typeof repair === "function", "level has repair on Node");
    await repair.call(Level, files.level);
  } catch (error) {
    throw new StorageError({ code: "DAMAGED", path, detail: errorText(error) }, { cause: error });
  }
}
