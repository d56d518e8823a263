import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromium } from "../source/chromium.js";
import { findProgram } from "../source/find-program.js";
import { firefox } from "../source/firefox.js";

describe.each([
  { name: "Chromium", program: "chromium", whereabouts: chromium, variable: "CHROMIUM_PATH" },
  { name: "Firefox", program: "firefox-esr", whereabouts: firefox, variable: "FIREFOX_PATH" },
])("$name", ({ program, whereabouts, variable }) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "robgrad-browser-"));
    writeFileSync(join(folder, program), "");
    chmodSync(join(folder, program), 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it(`is what ${variable} names, and nothing where that is empty`, () => {
    const path = join(folder, program);
    expect(findProgram(whereabouts, { [variable]: path, PATH: "/elsewhere" })).toBe(path);
    expect(findProgram(whereabouts, { [variable]: "", PATH: folder })).toBeUndefined();
    expect(() => findProgram(whereabouts, { [variable]: join(folder, "missing") })).toThrow("found nothing");
  });

  it("is found on the path", () => {
    expect(findProgram(whereabouts, { PATH: folder })).toBe(join(folder, program));
  });
});
