import { inject } from "vitest";

// What tests in Node read from the environment.
const page = globalThis as { process?: { env?: Record<string, string> } };
page.process ??= {};
page.process.env = { ...page.process.env, ...inject("environment") };
