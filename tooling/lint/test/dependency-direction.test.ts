import { Linter } from "eslint";
import { resolve } from "node:path";
import tseslint from "typescript-eslint";
import { describe, expect, it } from "vitest";
import { dependencyDirection } from "../rules/dependency-direction.js";

const workspaceRoot = resolve(import.meta.dirname, "../../..");

/** The message ids that the rule reports for code planted in a file of the workspace. */
function objections(file: string, code: string): string[] {
  const linter = new Linter({ cwd: workspaceRoot });
  const messages = linter.verify(
    code,
    {
      files: ["**/*.ts"],
      languageOptions: { parser: tseslint.parser as Linter.Parser },
      plugins: { robgrad: { rules: { "dependency-direction": dependencyDirection } } },
      rules: { "robgrad/dependency-direction": "error" },
    },
    resolve(workspaceRoot, file),
  );
  return messages.map((message) => message.messageId ?? message.message);
}

describe("dependency-direction", () => {
  it.each([
    ["packages/tensor/src/tensor.ts", `import { Variable } from "@robgrad/autograd";`, "direction"],
    ["packages/tensor/src/tensor.ts", `import type { Variable } from "@robgrad/autograd";`, "direction"],
    ["packages/tensor/src/tensor.ts", `export * from "@robgrad/nn";`, "direction"],
    ["packages/tensor/src/tensor.ts", `export { iris } from "@robgrad/datasets";`, "direction"],
    ["packages/autograd/src/variable.ts", `type Rule = import("@robgrad/aggregators").Aggregator;`, "direction"],
    ["packages/autograd/src/variable.ts", `import { Linear } from "@robgrad/nn";`, "direction"],
    ["packages/autograd/test/variable.test.ts", `import { mean } from "@robgrad/aggregators";`, "direction"],
    ["packages/aggregators/src/mean.ts", `import { Variable } from "@robgrad/autograd";`, "direction"],
    ["packages/aggregators/src/mean.ts", `const late = await import("@robgrad/nn");`, "direction"],
    ["packages/nn/src/link.ts", `import { mean } from "@robgrad/aggregators";`, "direction"],
    ["packages/datasets/src/iris.ts", `import { Variable } from "@robgrad/autograd";`, "direction"],
    ["packages/nn/src/link.ts", `import { Shape } from "@robgrad/tensor/src/shape.js";`, "deep"],
    ["apps/demo/src/study/study.ts", `import { Shape } from "@robgrad/tensor/dist/index.js";`, "deep"],
    ["packages/nn/src/link.ts", `import { Link } from "@robgrad/nn";`, "itself"],
    ["packages/nn/src/link.ts", `import { Variable } from "../../autograd/src/variable.js";`, "outside"],
    ["packages/datasets/src/csv.ts", `import { readFileSync } from "node:fs";`, "node"],
    ["packages/datasets/src/csv.ts", `import { readFileSync } from "fs";`, "node"],
    ["packages/tensor/src/device/cpu/device.ts", `const { Worker } = await import("node:worker_threads");`, "node"],
    ["apps/demo/src/study/study.ts", `import { writeFile } from "node:fs/promises";`, "node"],
    ["apps/demo/src/study/study.ts", `import { table } from "../cli/table.js";`, "separate"],
    ["packages/tensor/src/tensor.ts", `import fc from "fast-check";`, "optional"],
    ["packages/tensor/src/tensor.ts", `import { chunk } from "lodash";`, "undeclared"],
    ["packages/aggregators/src/mean.ts", `import { expect } from "vitest";`, "optional"],
  ])("in %s refuses %s", (file, code, expected) => {
    expect(objections(file, code)).toEqual([expected]);
  });

  it.each([
    ["packages/autograd/src/variable.ts", `import type { Tensor } from "@robgrad/tensor";`],
    ["packages/autograd/test/variable.test.ts", `import { tolerance } from "@robgrad/tensor/testing";`],
    ["packages/autograd/test/variable.test.ts", `import { readFileSync } from "node:fs";`],
    ["packages/autograd/test/variable.test.ts", `import { Variable } from "@robgrad/autograd";`],
    ["packages/nn/src/links/linear.ts", `import { Link } from "../link.js";`],
    ["packages/nn/src/links/linear.ts", `import { Variable } from "@robgrad/autograd"; import "@robgrad/tensor";`],
    ["packages/aggregators/src/testing.ts", `import { describe } from "vitest";`],
    [
      "apps/demo/src/cli/main.ts",
      `import { writeFile } from "node:fs/promises"; import { study } from "../study/study.js";`,
    ],
    ["integration/test/listing-4.test.ts", `import "@robgrad/aggregators"; import "@robgrad/autograd";`],
  ])("in %s accepts %s", (file, code) => {
    expect(objections(file, code)).toEqual([]);
  });
});
