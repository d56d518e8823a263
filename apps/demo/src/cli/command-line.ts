import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { layerCount, protocols, type ProtocolName } from "../study/protocol.js";
import type { Grouping, StudySettings } from "../study/settings.js";
import { variantNames, type VariantName } from "../study/variants.js";
import { exitStatus, Failure, usageFailure } from "./failure.js";
import { builtInRules } from "../study/built-in-rules.js";

/** What a command asks for. */
export interface Request {
  /** Settings of a study to begin; `device` is a wish until one opens. */
  readonly settings: Omit<StudySettings, "device"> & { readonly device: string | null };
  /** Folder for the results; null for one named after date and time. */
  readonly out: string | null;
  /** Folder of a study to continue; null to begin one. */
  readonly resume: string | null;
  /** Number of trials, where it was given: a study that is continued may grow. */
  readonly trialsGiven: number | null;
  readonly json: boolean;
  /** Worker threads; null for as many as there are cores. */
  readonly threads: number | null;
}

interface Values {
  trials: number;
  iterations: number;
  seed: number;
  variant?: VariantName[];
  aggregator?: string;
  layers: number[];
  group: Grouping;
  fraction: number;
  factor: number;
  protocol: ProtocolName;
  device?: string;
  dtype: "float32" | "float64";
  out?: string;
  resume?: string;
  json?: boolean;
  threads?: number;
}

/** Options that a study which is continued may change; the others follow from its study.json. */
const freeWhenResuming: ReadonlySet<string> = new Set(["resume", "trials", "threads", "json"]);

/**
 * Reads the options of the program.
 *
 * @returns  null when they ask for help, which is then printed.
 */
export function readCommandLine(args: readonly string[], print: (text: string) => void): Request | null {
  const command = describeCommand(print);
  try {
    command.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    throw new Failure("BAD_ARGUMENT", error.message.replace(/^error: /, "").split("\n", 1)[0]!, exitStatus.usage);
  }
  const values = command.opts<Values>();
  const given = (name: string) => command.getOptionValueSource(name) === "cli";
  for (const name of ["layers", "group"]) {
    if (given(name) && values.aggregator === undefined)
      throw usageFailure(`--${name}: expected --aggregator beside it, found none`);
  }
  if (values.resume !== undefined) {
    const fixed = Object.keys(values).filter((name) => given(name) && !freeWhenResuming.has(name));
    if (fixed.length > 0) {
      const flags = fixed.map((name) => `--${name}`).join(", ");
      throw usageFailure(
        `--resume: expected only --trials, --threads or --json beside it, found ${flags}; a study keeps its settings`,
      );
    }
  }
  const { trials, iterations, seed, variant, aggregator, layers, group, fraction, factor, protocol, dtype } = values;
  return {
    settings: {
      trials,
      iterations,
      seed,
      variants: variant ?? variantNames,
      rule: aggregator === undefined ? null : { specifier: aggregator, layers, group },
      fraction,
      factor,
      protocol,
      device: values.device ?? null,
      dtype,
    },
    out: values.out ?? null,
    resume: values.resume ?? null,
    trialsGiven: given("trials") ? trials : null,
    json: values.json === true,
    threads: values.threads ?? null,
  };
}

function describeCommand(print: (text: string) => void): Command {
  const command = new Command("demo")
    .description(
      "The Iris study of robust gradient descent (tutorial §5): a small network on data of which a few points are far\n" +
        "out of place, trained with several ways to combine the samples' gradients. All variants of a trial share data\n" +
        "and initial weights. Defaults are those of the published code.",
    )
    .exitOverride()
    .allowExcessArguments(false)
    .configureHelp({ helpWidth: 110 })
    .configureOutput({ writeOut: print, writeErr: () => {}, outputError: () => {} })
    .showSuggestionAfterError(true);

  const add = <T>(flags: string, description: string, parse?: (text: string, previous: T) => T, standard?: T) => {
    const option = new Option(flags, description);
    if (parse !== undefined) option.argParser(parse);
    if (standard !== undefined) option.default(standard, Array.isArray(standard) ? "all" : undefined);
    command.addOption(option);
  };

  add("--trials <n>", "paired trials (§5: 20; 100 or more decide a question)", wholeNumber(1), 20);
  add("--iterations <n>", "updates a trial (§5: 1000)", wholeNumber(1), 1000);
  add("--seed <n>", "of splits, displaced points and initial weights (§5)", wholeNumber(0, Number.MAX_SAFE_INTEGER), 0);
  add(
    "--variant <name>",
    `variants to run, separated by commas or repeated (§4.2, §5): ${variantNames.join(", ")} (default: all of them)`,
    variantList,
  );
  add(
    "--aggregator <rule>",
    `one more variant (§4.1, Algorithm 2 robustify): ${builtInRules.join(", ")}, each with options as in trimmed-mean:fraction=0.2; or a package, or a file, ./my-rule.js or ./my-rule.js#name`,
  );
  add(
    "--layers <list>",
    "layers of weights that --aggregator acts on, such as 1 or 1,3 (§4.2, index set I(t))",
    layerList,
    [1, 2, 3],
  );
  command.addOption(
    new Option("--group <what>", "parameters that --aggregator sees as one vector (§4.1)")
      .choices(["parameter", "layer", "all"])
      .default("layer"),
  );
  add("--fraction <share>", "share of training points that are displaced (§5: 2 %)", numberIn(0, 1), 0.02);
  add(
    "--factor <k>",
    "their distance from the mean, in standard deviations of the distances (§5: k = 10⁴)",
    numberIn(0, 1e12),
    1e4,
  );
  command.addOption(
    new Option(
      "--protocol <name>",
      "code: projection fitted to all rows, variances divided by n with floor 0.001; text: fitted to training rows, divided by n − 1, no floor (§5, Algorithm 2)",
    )
      .choices(Object.keys(protocols))
      .default("code"),
  );
  add("--device <name>", "where to compute: cpu, wasm or webgpu (default: the first of wasm and cpu that opens)");
  command.addOption(
    new Option("--dtype <type>", "of data and weights (§5: float32)")
      .choices(["float32", "float64"])
      .default("float32"),
  );
  add("--out <folder>", "folder for the results (default: results/<date-time>)");
  add("--resume <folder>", "continue the study in this folder; --trials may make it longer");
  add("--threads <n>", "worker threads; results do not depend on it (default: number of cores)", wholeNumber(1, 1024));
  add("--json", "print the table as JSON");
  command.helpOption("--help", "show this");
  command.addHelpText("after", "\nSections (§) are those of M. J. Holland's tutorial on robust gradient descent.");
  return command;
}

function wholeNumber(least: number, most = 1e9) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < least || value > most) {
      throw new InvalidArgumentError(`expected a whole number in [${least}, ${most}]`);
    }
    return value;
  };
}

function numberIn(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= least && value <= most))
      throw new InvalidArgumentError(`expected a number in [${least}, ${most}]`);
    return value;
  };
}

function variantList(text: string, previous: readonly VariantName[] = []): VariantName[] {
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (!(variantNames as readonly string[]).includes(name)) {
      throw new InvalidArgumentError(`expected some of ${variantNames.join(", ")}`);
    }
  }
  return [...new Set([...previous, ...(names as VariantName[])])];
}

function layerList(text: string): number[] {
  const layers =
    text === "all" ? [1, 2, 3] : text.split(",").map((layer) => (layer.trim() === "" ? NaN : Number(layer)));
  if (!layers.every((layer) => Number.isInteger(layer) && layer >= 1 && layer <= layerCount)) {
    throw new InvalidArgumentError(`expected layers of 1 … ${layerCount} such as 1,3, or all`);
  }
  return [...new Set(layers)].sort((a, b) => a - b);
}
