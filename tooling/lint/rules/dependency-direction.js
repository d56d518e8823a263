// @ts-check
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { posix, relative, resolve, sep } from "node:path";
import { mayImport, nodeOnly, programs, separateFolders } from "../packages.js";

const workspaceRoot = resolve(import.meta.dirname, "../../..");

/** @param {string} folder */
const manifestOf = (folder) => JSON.parse(readFileSync(resolve(workspaceRoot, folder, "package.json"), "utf8"));

/** "@robgrad/tensor/testing" → ["tensor", "./testing"]; null for anything else. @param {string} specifier */
function robgradPackage(specifier) {
  const match = /^@robgrad\/([^/]+)(\/.*)?$/.exec(specifier);
  return match ? { name: /** @type {string} */ (match[1]), subpath: `.${match[2] ?? ""}` } : null;
}

/** "@scope/name/file" → "@scope/name"; "name/file" → "name". @param {string} specifier */
const packageName = (specifier) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

/**
 * Why the file may not import the specifier, or null when it may.
 *
 * @param {string} file  Path relative to the workspace root, with forward slashes.
 * @param {string} specifier
 * @returns {{ messageId: string, data: Record<string, string> } | null}
 */
function objection(file, specifier) {
  const home = Object.keys(mayImport).find((folder) => file.startsWith(`${folder}/`));
  if (!home) return null;
  const inSource = file.startsWith(`${home}/src/`);
  const data = { file, specifier, home };

  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(file), specifier);
    if (!target.startsWith(`${home}/`)) return { messageId: "outside", data };
    const forbidden = separateFolders.some(({ from, to }) => from.test(file) && to.test(target));
    return forbidden ? { messageId: "separate", data } : null;
  }

  if (isBuiltin(specifier)) {
    return inSource && !nodeOnly.some((pattern) => pattern.test(file)) ? { messageId: "node", data } : null;
  }

  const manifest = manifestOf(home);
  const imported = robgradPackage(specifier);
  if (imported) {
    const { name, subpath } = imported;
    if (manifest.name === `@robgrad/${name}`) return inSource ? { messageId: "itself", data } : null;
    const allowed = /** @type {readonly string[]} */ (mayImport[home]);
    if (!allowed.includes(name)) {
      return { messageId: "direction", data: { ...data, allowed: allowed.join(", ") || "nothing" } };
    }
    return subpath in manifestOf(`packages/${name}`).exports ? null : { messageId: "deep", data };
  }

  if (!inSource || programs.includes(home)) return null;
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
  if (!(packageName(specifier) in declared)) return { messageId: "undeclared", data };
  const optional = manifest.peerDependenciesMeta?.[packageName(specifier)]?.optional === true;
  const ownEntry = /\/src\/(testing|symbolic|svg)(\.ts$|\/)/.test(file);
  return optional && !ownEntry ? { messageId: "optional", data } : null;
}

/** @type {import("eslint").Rule.RuleModule} */
export const dependencyDirection = {
  meta: {
    type: "problem",
    schema: [],
    docs: { description: "packages import only what stands below them, through public entry points" },
    messages: {
      direction: "{{home}} may import {{allowed}} of @robgrad, found {{specifier}}.",
      deep: "{{specifier}} is no entry point of its package. Import what the package exports.",
      itself: "A source imports its own package by relative path, found {{specifier}}.",
      outside: "{{specifier}} leaves {{home}}. Import the other package by name.",
      separate: "{{file}} may not import {{specifier}}: the pure part knows nothing of what is built on it.",
      node: "{{specifier}} exists in Node only and {{file}} also runs in browsers.",
      undeclared: "{{specifier}} is neither a dependency nor a peer dependency of {{home}}.",
      optional: "{{specifier}} is an optional peer: only src/testing, src/symbolic and src/svg may import it.",
    },
  },
  create(context) {
    const file = relative(workspaceRoot, context.filename).split(sep).join("/");

    /** @param {any} node The node that holds the specifier. */
    const check = (node) => {
      const literal = node?.type === "TSLiteralType" ? node.literal : node;
      if (literal?.type !== "Literal" || typeof literal.value !== "string") return;
      const found = objection(file, literal.value);
      if (found) context.report({ node: literal, ...found });
    };

    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      TSImportType: (/** @type {any} */ node) => check(node.source ?? node.argument),
      TSExternalModuleReference: (/** @type {any} */ node) => check(node.expression),
    };
  },
};
