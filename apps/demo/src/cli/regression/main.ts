import { Command, CommanderError, InvalidArgumentError } from "commander";
import { regressionStudy } from "../../regression/regression-study.js";
import { summarize } from "../../regression/summary.js";
import { openStudyDevice } from "../device.js";
import { asFailure, exitStatus } from "../failure.js";
import { withError } from "../table.js";

function wholeNumber(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`expected a whole number ≥ ${least}`);
    }
    return value;
  };
}

const command = new Command("regression")
  .description(
    "Holland and Ikeda's regression with lognormal noise: gradient descent on the mean of the gradients (ERM) and on an\n" +
      "M-estimate of it (RGD). Prints excess risks ½‖w − w*‖².",
  )
  .option("--trials <n>", "trials a study", wholeNumber(2), 250)
  .option("--studies <n>", "studies, with seeds that follow one another", wholeNumber(1), 40)
  .option("--seed <n>", "of the first study's data and starts", wholeNumber(0), 0)
  .option("--device <name>", "cpu, wasm or webgpu (default: the first of wasm and cpu that opens)")
  .allowExcessArguments(false)
  .exitOverride();

async function main(): Promise<number> {
  try {
    const args = process.argv.slice(process.argv[2] === "--" ? 3 : 2);
    const options = command.parse(args, { from: "user" }).opts<{
      trials: number;
      studies: number;
      seed: number;
      device?: string;
    }>();
    const device = await openStudyDevice(options.device ?? null);
    const studies = [];
    for (let k = 0; k < options.studies; k++) {
      studies.push(await regressionStudy(device, { trials: options.trials, seed: options.seed + k }));
    }
    const { rgd, erm, medians, ranges, robustWins } = summarize(studies);
    const line = (label: string, { mean, standardError }: typeof rgd, name: "erm" | "rgd") =>
      `  ${label}  ${withError(mean, standardError)}   ${medians[name].toFixed(3)}  (${ranges[name].map((value) => value.toFixed(3)).join(" … ")})`;
    process.stdout.write(
      `  ${options.trials} trials a study, ${options.studies} studies, seeds from ${options.seed}, ${device.name}\n\n` +
        `       first study      median of the studies' means (range)\n` +
        `${line("ERM", erm, "erm")}\n${line("RGD", rgd, "rgd")}\n\n` +
        `  RGD has the smaller mean in ${robustWins} of ${options.studies} studies\n`,
    );
    device.dispose();
    return exitStatus.success;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.success : exitStatus.usage;
    const { code, message, status } = asFailure(error);
    process.stderr.write(`error ${code}: ${message}\n`);
    return status;
  }
}

process.exitCode = await main();
