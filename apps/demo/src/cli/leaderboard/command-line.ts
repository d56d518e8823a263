import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { contaminationGroups, contaminationNames, type ContaminationName } from "../../leaderboard/contaminations.js";
import { entrant, entrantNames } from "../../leaderboard/entrants.js";
import { taskNames, tasks, type TaskName } from "../../leaderboard/tasks.js";
import { asked, exitStatus, Failure, usageFailure } from "../failure.js";

/** What a command asks for. */
export interface LeaderboardRequest {
  readonly tasks: readonly TaskName[];
  readonly kinds: readonly ContaminationName[];
  readonly fractions: readonly number[];
  readonly strengths: readonly number[] | null;
  readonly rules: readonly string[];
  readonly seed: number;
  /** Trials a cell; a task that is not here has its own number. */
  readonly trials: Readonly<Partial<Record<TaskName, number>>>;
  readonly device: string | null;
  readonly threads: number | null;
  readonly out: string | null;
  readonly resume: string | null;
}

const allTasks = Object.keys(tasks) as readonly TaskName[];

/**
 * Reads the options of the leaderboard.
 *
 * @returns  null when they ask for help, which is then printed.
 */
export function readLeaderboardCommandLine(
  args: readonly string[],
  print: (text: string) => void,
): LeaderboardRequest | null {
  const command = describeCommand(print);
  try {
    command.parse(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return null;
    throw new Failure("BAD_ARGUMENT", error.message.replace(/^error: /, "").split("\n", 1)[0]!, exitStatus.usage);
  }
  const { quick, ...values } = command.opts<LeaderboardRequest & { readonly quick?: boolean }>();
  if (values.resume !== undefined && values.resume !== null) {
    const fixed = Object.keys(command.opts()).filter(
      (name) => command.getOptionValueSource(name) === "cli" && !["resume", "threads"].includes(name),
    );
    if (fixed.length > 0) {
      throw usageFailure(
        `--resume: expected only --threads beside it, found ${fixed.map((name) => `--${name}`).join(", ")}; a leaderboard keeps its settings`,
      );
    }
  }
  for (const rule of values.rules) asked(() => entrant(rule));
  const given = (name: string) => command.getOptionValueSource(name) === "cli";
  return {
    ...values,
    tasks: quick && !given("tasks") ? ["iris", "regression"] : values.tasks,
    kinds: quick && !given("kinds") ? [...contaminationGroups.data, "ipm", "inf"] : values.kinds,
    fractions: quick && !given("fractions") ? [0.1] : values.fractions,
    trials: values.trials ?? (quick ? trials("1") : {}),
    strengths: values.strengths ?? null,
    device: values.device ?? null,
    threads: values.threads ?? null,
    out: values.out ?? null,
    resume: values.resume ?? null,
  };
}

function describeCommand(print: (text: string) => void): Command {
  return new Command("leaderboard")
    .description(
      "Every built-in rule on several tasks whose training rows are spoilt in several ways. All rules of a trial share\n" +
        "data, spoilt rows and initial weights.",
    )
    .exitOverride()
    .allowExcessArguments(false)
    .configureHelp({ helpWidth: 110 })
    .configureOutput({ writeOut: print, writeErr: () => {}, outputError: () => {} })
    .addOption(
      new Option("--tasks <list>", `some of ${allTasks.join(", ")}`).argParser(names(allTasks)).default(taskNames),
    )
    .addOption(
      new Option(
        "--kinds <list>",
        `ways to spoil rows, some of ${contaminationNames.join(", ")}, or all that spoil data or rows of gradients`,
      )
        .argParser(kinds)
        .default(contaminationNames, "all"),
    )
    .addOption(
      new Option("--fractions <list>", "shares of training rows that are spoilt")
        .argParser(numbers(0, 1))
        .default([0.05, 0.1, 0.2]),
    )
    .addOption(
      new Option(
        "--strengths <list>",
        "how badly, in the unit of each kind that has one (default: each kind's own)",
      ).argParser(numbers(0, 1e12)),
    )
    .addOption(
      new Option(
        "--rules <list>",
        "rules, separated by semicolons: built-in ones with options and grouping as in norm-clip:maxNorm=2@layer",
      )
        .argParser((text) => text.split(";").map((name) => name.trim()))
        .default(entrantNames, "all"),
    )
    .addOption(new Option("--seed <n>", "of the first trial; the others follow it").argParser(whole(0)).default(0))
    .addOption(
      new Option(
        "--trials <list>",
        "trials a cell, for all tasks or as in iris=3,digits=1 (default: each task's own number)",
      ).argParser(trials),
    )
    .addOption(new Option("--quick", "a few cells and one trial of each, to see that everything works"))
    .addOption(
      new Option(
        "--device <name>",
        "where to compute: cpu, wasm or webgpu (default: the first of wasm and cpu that opens)",
      ),
    )
    .addOption(
      new Option("--threads <n>", "worker threads; results do not depend on it (default: number of cores)").argParser(
        whole(1),
      ),
    )
    .addOption(new Option("--out <folder>", "folder for the results (default: results/leaderboard-<date-time>)"))
    .addOption(new Option("--resume <folder>", "continue the leaderboard in this folder"))
    .helpOption("--help", "show this");
}

function whole(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < least)
      throw new InvalidArgumentError(`expected a whole number ≥ ${least}`);
    return value;
  };
}

function trials(text: string): Partial<Record<TaskName, number>> {
  if (!text.includes("=")) return Object.fromEntries(allTasks.map((task) => [task, whole(1)(text)]));
  const pairs = text.split(",").map((item) => {
    const [task = "", count = ""] = item.split("=");
    return [names(allTasks)(task)[0]!, whole(1)(count)] as const;
  });
  return Object.fromEntries(pairs);
}

function numbers(least: number, most: number) {
  return (text: string): number[] =>
    text.split(",").map((item) => {
      const value = Number(item);
      if (item.trim() === "" || !(value >= least && value <= most))
        throw new InvalidArgumentError(`expected numbers in [${least}, ${most}], separated by commas`);
      return value;
    });
}

function kinds(text: string): ContaminationName[] {
  const groups = Object.keys(contaminationGroups) as (keyof typeof contaminationGroups)[];
  const given = names<ContaminationName | keyof typeof contaminationGroups>([...contaminationNames, ...groups])(text);
  return [...new Set(given.flatMap((name) => (name === "data" || name === "rows" ? contaminationGroups[name] : name)))];
}

function names<N extends string>(known: readonly N[]) {
  return (text: string): N[] =>
    text.split(",").map((item) => {
      const name = known.find((candidate) => candidate === item.trim());
      if (name === undefined) throw new InvalidArgumentError(`expected some of ${known.join(", ")}`);
      return name;
    });
}
