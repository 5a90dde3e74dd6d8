/** Child process of database.test.ts: opens a database and keeps it, with "write" as second argument writing batches of 50 without end. */
import { bigIntToHash } from "../../../src/primitives/hex.ts";
import { columns, put } from "../../../src/storage/columns.ts";
import { openDatabase } from "../../../src/storage/database.ts";

const [path, mode] = process.argv.slice(2);
const database = await openDatabase({ path });
await database.batch([put(columns.canonical, 1n, bigIntToHash(1n))]);
process.send?.("open");
setInterval(() => undefined, 1_000);
process.on("disconnect", () => process.exit());

for (let batch = 0; mode === "write"; batch++) {
  const ops = Array.from({ length: 50 }, (_, entry) => {
    const key = Buffer.alloc(16);
    key.writeUInt32BE(process.pid, 0);
    key.writeUInt32BE(batch, 8);
    key.writeUInt32BE(entry, 12);
    return put(columns.logIndex, key, key);
  });
  await database.batch(ops, { sync: batch % 2 === 0 });
}
