import { describe, expect, it } from "vitest";
import { withTestedVersion } from "../source/catalog.js";
import { importedEntries, isPrinted, packageOf, promisedNumbers } from "../source/guide.js";

describe("importedEntries", () => {
  it("finds packages in imports of one line and of several, and leaves files of the page", () => {
    const code = [
      `import { a, b } from "@scope/one";`,
      `import type { C } from "@scope/one/testing";`,
      ...["import {", "  d,", `} from "two";`],
      `import { e } from "./three.js";`,
      `import "four";`,
    ].join("\n");
    expect(importedEntries(code)).toEqual(["@scope/one", "@scope/one/testing", "two", "four"]);
    expect(importedEntries(code).map(packageOf)).toEqual(["@scope/one", "@scope/one", "two", "four"]);
  });
});

describe("promisedNumbers", () => {
  it("are those of comments behind console.log, and no parts of names and powers", () => {
    const code = [`console.log(await x.item()); // about 0.25 beside −3: x1^2 in float32`, `const y = 7; // 7`].join(
      "\n",
    );
    expect(promisedNumbers(code)).toEqual(["0.25", "−3"]);
  });
});

describe("isPrinted", () => {
  it("compares to the digits that are promised", () => {
    expect(isPrinted("0.25", "[ 0.2512, -3 ]")).toBe(true);
    expect(isPrinted("0.25", "[ 0.2612, -3 ]")).toBe(false);
    expect(isPrinted("−3", "[ 0.2512, -3 ]")).toBe(true);
    expect(isPrinted("3", "[ 0.2512, -3 ]")).toBe(false);
    expect(isPrinted("0", "1.4e-17")).toBe(true);
  });
});

describe("withTestedVersion", () => {
  it("adds the catalog's version, and none to other packages", () => {
    expect(withTestedVersion("vitest")).toMatch(/^vitest@\d+\.\d+\.\d+$/);
    expect(withTestedVersion("@viz-js/viz")).toMatch(/^@viz-js\/viz@\d/);
    expect(withTestedVersion("@robgrad/tensor")).toBe("@robgrad/tensor");
  });
});
