import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium } from "../source/chromium.js";

describe("Chromium", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "robgrad-chromium-"));
    writeFileSync(join(folder, "chromium"), "");
    chmodSync(join(folder, "chromium"), 0o755);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is what CHROMIUM_PATH names, and nothing where that is empty", () => {
    expect(findChromium({ CHROMIUM_PATH: join(folder, "chromium"), PATH: "/elsewhere" })).toBe(
      join(folder, "chromium"),
    );
    expect(findChromium({ CHROMIUM_PATH: "", PATH: folder })).toBeUndefined();
    expect(() => findChromium({ CHROMIUM_PATH: join(folder, "missing") })).toThrow("found nothing");
  });

  it("is found on the path", () => {
    expect(findChromium({ PATH: folder })).toBe(join(folder, "chromium"));
  });
});
