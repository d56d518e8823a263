// @ts-check
import eslint from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import { resolve } from "node:path";
import tseslint from "typescript-eslint";
import { dependencyDirection } from "./rules/dependency-direction.js";

export default defineConfig(
  globalIgnores([
    "**/dist/",
    "**/dist-web/",
    "examples/",
    "**/.temporary/",
    "**/.turbo/",
    "**/results/",
    "packages/datasets/src/embedded/",
    "packages/nn/src/onnx/generated/",
  ]),
  {
    files: ["**/*.{ts,tsx}"],
    extends: [eslint.configs.recommended, tseslint.configs.recommended],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: resolve(import.meta.dirname, "../.."),
      },
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    plugins: { robgrad: { rules: { "dependency-direction": dependencyDirection } } },
    rules: {
      "robgrad/dependency-direction": "error",
      eqeqeq: "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/no-empty-object-type": ["error", { allowInterfaces: "with-single-extends" }],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { arguments: false } }],
      // Tensor, Variable and Scalar get their elementwise methods from tables.
      "@typescript-eslint/no-unsafe-declaration-merging": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "none" },
      ],
    },
  },
  {
    files: ["packages/*/src/**/*.ts", "apps/demo/src/{study,web}/**/*.{ts,tsx}"],
    rules: {
      "no-restricted-globals": ["error", ...["Buffer", "__dirname", "__filename", "global", "process", "require"]],
    },
  },
  {
    files: ["**/*.js"],
    extends: [eslint.configs.recommended],
    languageOptions: {
      globals: Object.fromEntries(
        ["Buffer", "console", "process", "setTimeout", "URL"].map((name) => [name, "readonly"]),
      ),
    },
  },
);
