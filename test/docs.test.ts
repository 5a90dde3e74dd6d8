import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "../cli/package.ts";
import { REFERENCE_FOLDER, referencePages } from "../cli/reference.ts";

describe("docs/reference", () => {
  const folder = join(packageFolder(), REFERENCE_FOLDER);

  for (const [name, text] of referencePages()) {
    it(`has ${name} as the code declares it (else: npm run docs)`, () => {
      assert.equal(readFileSync(join(folder, name), "utf8"), text);
    });
  }

  it("holds generated pages only", () => {
    assert.deepEqual(readdirSync(folder).sort(), [...referencePages().keys()].sort());
  });
});
