import { variantNames } from "./variants.js";
import type { StudySettings } from "./settings.js";

/** The command that repeats a study. */
export function commandOf({
  trials,
  iterations,
  seed,
  variants,
  rule,
  fraction,
  factor,
  protocol,
  device,
  dtype,
}: StudySettings): string {
  const options: (readonly [string, string | number])[] = [
    ["trials", trials],
    ["iterations", iterations],
    ["seed", seed],
    ...(variants.length === variantNames.length ? [] : [["variant", variants.join(",")] as const]),
    ...(rule === null
      ? []
      : ([
          ["aggregator", quote(rule.specifier)],
          ["layers", rule.layers.join(",")],
          ["group", rule.group],
        ] as const)),
    ["fraction", fraction],
    ["factor", factor],
    ["protocol", protocol],
    ["device", device],
    ["dtype", dtype],
  ];
  return `npx -y pnpm@12.21.0 run demo ${options.map(([name, value]) => `--${name} ${value}`).join(" ")}`;
}

const quote = (text: string): string => (/^[\w@./:=,#-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
