import { enableCompileCache } from "node:module";

enableCompileCache();
await (await import("./run.ts")).main();
