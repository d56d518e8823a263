import { join } from "node:path";
import {
  Application,
  Comment,
  CommentTag,
  Converter,
  ReflectionKind,
  type CommentDisplayPart,
  type Context,
  type DeclarationReflection,
  type SignatureReflection,
  type TypeDocOptions,
} from "typedoc";
import { load as loadMarkdown, type PluginOptions } from "typedoc-plugin-markdown";
import { docstringMarkdown } from "./docstring-markdown.js";
import { entryPoints, type EntryPoint } from "./entry-points.js";
import { fromRoot, workspaceRoot } from "./workspace.js";

/** Writes a Markdown page for everything that the packages export. Throws when a docstring is not understood. */
export async function writeApi(folder: string): Promise<void> {
  const entries = entryPoints();
  const options: TypeDocOptions & PluginOptions = {
    plugin: [loadMarkdown],
    entryPoints: entries.map(({ source }) => source),
    tsconfig: join(import.meta.dirname, "../tsconfig.api.json"),
    sortEntryPoints: false,
    basePath: workspaceRoot,
    name: "API",
    out: folder,
    router: "member",
    readme: "none",
    entryFileName: "index",
    excludeScopesInPaths: true,
    logLevel: "Warn",
    skipErrorChecking: true,
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    gitRevision: "main",
    treatWarningsAsErrors: true,
    // Not links: an interval, or the shape of an array.
    validation: { invalidPath: false },
    hidePageHeader: true,
    hideBreadcrumbs: true,
    indexFormat: "table",
    parametersFormat: "table",
    interfacePropertiesFormat: "table",
    typeAliasPropertiesFormat: "table",
    useCodeBlocks: true,
    expandParameters: true,
    pageTitleTemplates: { index: "API", module: "{name}", member: "{name}" },
  };
  const app = await Application.bootstrapWithPlugins(options);
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context: Context) => prepare(context, entries), 1000);
  const project = await app.convert();
  if (project) {
    app.validate(project);
    await app.generateOutputs(project);
  }
  if (!project || app.logger.hasErrors() || app.logger.hasWarnings()) {
    throw new Error("API: expected docstrings without warnings, found those above.");
  }
}

function prepare({ project }: Context, entries: readonly EntryPoint[]): void {
  const reflections = Object.values(project.reflections);
  for (const reflection of reflections) {
    if (reflection.kindOf(ReflectionKind.Module)) nameAfterEntry(reflection as DeclarationReflection, entries);
    if (reflection.kindOf(ReflectionKind.Class)) documentConstructor(reflection as DeclarationReflection);
  }
  for (const { comment } of reflections) {
    if (!comment) continue;
    comment.summary = docstringMarkdown(comment.summary);
    for (const tag of comment.blockTags) {
      if (tag.tag !== "@example") tag.content = docstringMarkdown(tag.content);
    }
  }
  for (const reflection of reflections) {
    if (reflection.isSignature()) joinOptions(reflection);
  }
}

/** A module is called as it is imported, and described by itself, its package or the one thing that it exports. */
function nameAfterEntry(module: DeclarationReflection, entries: readonly EntryPoint[]): void {
  const entry = entries.find(({ source }) => fromRoot(source).replace(/(\/index)?\.ts$/, "") === module.name);
  if (!entry) return;
  module.name = entry.specifier;
  const [only, ...others] = module.children ?? [];
  const summary =
    entry.description === undefined
      ? others.length === 0 && only?.signatures?.[0]?.comment?.summary
      : [{ kind: "text" as const, text: entry.description }];
  if (summary) module.comment ??= new Comment(Comment.cloneDisplayParts(summary));
}

/** Parameters and errors in the docstring of a class are those of its constructor. */
function documentConstructor(owner: DeclarationReflection): void {
  const signature = owner.children?.find((child) => child.kindOf(ReflectionKind.Constructor))?.signatures?.[0];
  if (!owner.comment || !signature || signature.comment) return;
  const moved = owner.comment.blockTags.filter(({ tag }) => tag === "@param" || tag === "@throws");
  if (moved.length === 0) return;
  signature.comment = new Comment([], moved);
  owner.comment.blockTags = owner.comment.blockTags.filter((tag) => !moved.includes(tag));
}

/** What is said of options by their names is said of the parameter that holds them. */
function joinOptions(signature: SignatureReflection): void {
  const { comment, parameters = [] } = signature;
  const parameter = parameters.find(({ name }) => name === "__namedParameters" || name === "options");
  if (!parameter) return;
  parameter.name = "options";
  if (!comment) return;
  const known = new Set(parameters.map(({ name }) => name));
  const isOption = (tag: CommentTag) => tag.tag === "@param" && tag.name !== undefined && !known.has(tag.name);
  const options = comment.blockTags.filter(isOption);
  if (options.length === 0) return;
  const whole = comment.getIdentifiedTag(parameter.name, "@param");
  const content = options.map((tag): CommentDisplayPart[] => [
    { kind: "code", text: `\`${tag.name}\`` },
    { kind: "text", text: ": " },
    ...tag.content,
  ]);
  if (whole) content.push(whole.content);
  const lineBreak: CommentDisplayPart = { kind: "text", text: "<br>" };
  const joined = new CommentTag(
    "@param",
    content.flatMap((parts, index) => (index === 0 ? parts : [lineBreak, ...parts])),
  );
  joined.name = parameter.name;
  comment.blockTags = [...comment.blockTags.filter((tag) => !isOption(tag) && tag !== whole), joined];
}
