import { describe, expect, it } from "vitest";
import { addressOf, linkTarget } from "../src/pages.js";

describe("addressOf", () => {
  it("leaves a page where it is, but for the folder docs and the names of overviews", () => {
    const pages = [
      "docs/README.md",
      "docs/rules/README.md",
      "docs/rules/krum.md",
      "packages/nn/README.md",
      "CONTRIBUTING.md",
    ];
    expect(pages.map(addressOf)).toEqual([
      ...["index.md", "rules/index.md", "rules/krum.md", "packages/nn/index.md", "contributing.md"],
    ]);
  });

  it("refuses a page that no section has", () => {
    expect(() => addressOf("docs/new.md")).toThrow("docs/new.md: expected a section");
  });
});

describe("linkTarget", () => {
  it("follows a path, a folder and an anchor as GitHub does", () => {
    expect(linkTarget("../leaderboard.md", "docs/rules/README.md")).toBe("/leaderboard.md");
    expect(linkTarget("../packages/nn", "docs/README.md")).toBe("/packages/nn/index.md");
    expect(linkTarget("../README.md#2-use-it", "docs/README.md")).toBe("/three-uses.md#2-use-it");
  });

  it("leaves other sites and anchors of the page alone", () => {
    expect(linkTarget("https://byzfl.epfl.ch/", "docs/attacks.md")).toBe("https://byzfl.epfl.ch/");
    expect(linkTarget("#data", "packages/datasets/README.md")).toBe("#data");
  });

  it("refuses a link that leads out of the site", () => {
    expect(() => linkTarget("../LICENSE", "docs/README.md")).toThrow("found ../LICENSE (LICENSE)");
    expect(() => linkTarget("gone.md", "docs/README.md")).toThrow(
      "docs/README.md: expected links to pages of the site",
    );
  });
});
