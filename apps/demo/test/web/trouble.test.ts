import { expect, it } from "vitest";
import { inChromium } from "./visit.js";

inChromium("what goes wrong is said, and the page stays usable", (visit) => {
  it("starts another worker when one ends", () =>
    visit({ state: "step=50" }, async (page) => {
      await page.getByText("After 50 steps").waitFor();
      const [worker] = page.workers();
      await worker!.evaluate(
        () =>
          void setTimeout(() => {
            throw new Error("out of order");
          }),
      );
      const notice = page.getByRole("alert");
      await notice.getByText(/The worker that trains has ended.*out of order/).waitFor();
      await notice.getByRole("button", { name: "Start another" }).click();
      await page.getByRole("slider", { name: /^Step/ }).fill("70");
      await page.getByText("After 70 steps").waitFor();
      expect(await notice.getByText(/has ended/).count()).toBe(0);
    }));

  it("goes on with WebAssembly when the GPU is lost", () =>
    visit({ state: "step=5&device=webgpu&competitors=vanilla" }, async (page) => {
      await page.getByText("After 5 steps").waitFor();
      const session = await page.context().browser()!.newBrowserCDPSession();
      await session.send("Browser.crashGpuProcess");
      const notice = page.getByRole("alert");
      await page.getByRole("slider", { name: /^Step/ }).fill("6");
      await notice.getByText(/The GPU cannot be used/).waitFor();
      await notice.getByRole("button", { name: "Go on with WebAssembly" }).click();
      await page.getByText("After 6 steps").waitFor();
      expect(await page.getByLabel("Device").inputValue()).toBe("wasm");
    }));

  it("names what it cannot read in the address, and a rule that cannot be made", () =>
    visit(
      {
        state:
          "seed=abc&fraction=2&competitors=vanilla;krum:byzantine=-1@all;krum:byzantine=99@all;nonsense@all&colour=red",
      },
      async (page) => {
        const notice = page.getByRole("alert");
        await notice.getByText('seed: expected a whole number from 0 to 9007199254740991, found "abc"').waitFor();
        await notice.getByText('fraction: expected a number from 0 to 0.5, found "2"').waitFor();
        await notice.getByText(/colour: expected view, seed/).waitFor();
        await notice.getByText(/The rule krum:byzantine=-1@all cannot take part/).waitFor();
        await notice.getByText(/The rule nonsense@all cannot take part.*expected one of vanilla/).waitFor();
        await page.getByText("After 0 steps").waitFor();
        await page.getByRole("slider", { name: /^Step/ }).fill("2");
        await page.getByText(/Training ended:.*byzantine/).waitFor();
        await page.getByText("After 2 steps").waitFor();
      },
    ));

  it("takes a number within its bounds only, and says what they are", () =>
    visit({}, async (page) => {
      await page.getByLabel("Seed").fill("-3");
      await page.getByLabel("Seed").blur();
      await page.getByText("expected a whole number from 0 to").waitFor();
      await page.getByLabel("Seed").fill("7");
      await page.getByLabel("Seed").blur();
      await expect.poll(() => page.url()).toMatch(/#seed=7$/);
    }));
});
