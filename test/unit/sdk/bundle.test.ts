import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** Bound of the bundle, so that an import gone wrong is noticed; today's size stands in docs/guides/post-quantum.md. */
const MAX_GZIP_BYTES = 40_000;

describe("the SDK in a browser", function () {
  this.timeout(60_000);

  it("bundles without any module of Node, and runs where there is none", async () => {
    const { outputFiles, metafile } = await build({
      stdin: {
        contents: `
          import { mnemonicToQuantumAccount } from "./sdk/sdk.ts";
          globalThis.address = mnemonicToQuantumAccount(
            "test test test test test test test test test test test junk").address;`,
        resolveDir: process.cwd(),
        loader: "ts",
      },
      bundle: true,
      minify: true,
      platform: "browser",
      format: "iife",
      write: false,
      metafile: true,
    });
    const external = Object.values(metafile.inputs).flatMap(({ imports }) =>
      imports.filter(({ path }) => path.startsWith("node:")),
    );
    assert.deepEqual(external, []);
    const [output] = outputFiles;
    assert.ok(output !== undefined);
    const size = gzipSync(output.contents).length;
    assert.ok(size < MAX_GZIP_BYTES, `${size} bytes`);
    // a global object with what browsers have, and nothing of Node
    const page: Record<string, unknown> = {
      TextEncoder,
      TextDecoder,
      crypto,
      setTimeout,
      clearTimeout,
      URL,
    };
    page["globalThis"] = page;
    page["self"] = page;
    runInNewContext(output.text, page);
    assert.equal(page["address"], "0x7dd7d83248c877bc6ff24b35d02f07df730af327");
  });
});
