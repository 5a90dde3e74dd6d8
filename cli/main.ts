import { enableCompileCache } from "node:module";

enableCompileCache();
(await import("../src/runtime/heap.ts")).boundHeap();
await (await import("./run.ts")).main();
