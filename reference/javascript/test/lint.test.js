// The linter, over every file of the package.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ESLint } from "eslint";

test("the linter finds nothing", async () => {
  const results = await new ESLint({ cwd: join(import.meta.dirname, "..") }).lintFiles(["."]);
  const found = results.flatMap(({ filePath, messages }) => messages.map(({ line, ruleId, message }) => `${filePath}:${line} ${ruleId} ${message}`));
  assert.ok(results.length > 70);
  assert.deepEqual(found, []);
});
