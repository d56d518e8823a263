import {
  all,
  byLayer,
  byParameter,
  defineAggregator,
  mean,
  medianOfMeans,
  softTruncation,
  type Aggregator,
  type Choice,
  type Grouping as GroupingOf,
} from "@robgrad/aggregators";
import type { Parameter } from "@robgrad/nn";
import type { Network } from "./network.js";
import { blocks, delta, protocols } from "./protocol.js";
import type { Grouping, OwnRule, StudySettings } from "./settings.js";

/** Where the user's rule comes from. */
export interface RuleSource {
  /** Makes the rule anew, once a network. */
  readonly make: () => Aggregator;
  /** A stranger's rule may count its calls, and some rules remember, so only other built-in ones are replayed. */
  readonly replayable: boolean;
}

/** What `aggregate` and `explain` take beside gradients: a rule for every parameter, and which ones it sees as one vector. */
export interface Combination {
  readonly rule: Choice<Parameter>;
  readonly group: GroupingOf<Parameter>;
}

/** A way to turn the gradients of N samples into one update of the network. */
export interface Variant {
  readonly name: string;
  /** As the table shows it. */
  readonly label: string;
  /** What it does, in one sentence. */
  readonly meaning: string;
  /** Whether every step does the same, so that a recording of one serves for all: true of built-in rules. */
  readonly replayable: boolean;
  /** How it combines the gradients of a network. Called once a network: its rule may remember. */
  readonly on: (network: Network) => Combination;
}

const table = {
  vanilla: {
    label: "vanilla",
    meaning: "Every layer takes the mean of the samples' gradients.",
    on: (network) => grouped(network, [1, 2, 3], mean(), "parameter"),
  },
  published: {
    label: "published (layer 1, 1/N scale)",
    meaning:
      "Layer 1 takes soft truncation of gradients divided by N, as the published code does, and so moves N times slower; the others take the mean.",
    on: (network, { protocol }) => layerOne(network, overN(softTruncation({ delta, ...protocols[protocol] }))),
  },
  "step-matched-control": {
    label: "step-matched control",
    meaning: "Layer 1 takes the mean divided by N: the step size of the published variant without its rule.",
    on: (network) => layerOne(network, overN(mean())),
  },
  "soft-truncation-equal-scale": {
    label: "soft truncation, equal scale",
    meaning: "Layer 1 takes soft truncation of the gradients as they are, at the step size of the other layers.",
    on: (network, { protocol }) => layerOne(network, softTruncation({ delta, ...protocols[protocol] })),
  },
  "median-of-means-by-layer": {
    label: "median of means, by layer",
    meaning: "Every layer takes the geometric median of the means of ten blocks, weights and biases as one vector.",
    on: (network) => grouped(network, [1, 2, 3], medianOfMeans({ blocks }), "layer"),
  },
  "median-of-means-jointly": {
    label: "median of means, jointly",
    meaning: "The geometric median of the means of ten blocks, all parameters of the network as one vector.",
    on: (network) => grouped(network, [1, 2, 3], medianOfMeans({ blocks }), "all"),
  },
} as const satisfies Record<
  string,
  {
    label: string;
    meaning: string;
    on: (network: Network, settings: Pick<StudySettings, "protocol">) => Combination;
  }
>;

export type VariantName = keyof typeof table;

/** The built-in variants, in the order of the table. */
export const variantNames = Object.keys(table) as readonly VariantName[];

/** Name of the variant that `--aggregator` adds. */
export const ownVariant = "own";

/**
 * The variants that take part in a study.
 *
 * @param settings  Names of the built-in ones, and the user's own rule if there is one.
 * @param own       That rule; null where the settings have none.
 * @returns         Built-in ones in the order of the table, then the user's.
 * @example         const [vanilla] = variantsOf({ ...settings, variants: ["vanilla"], rule: null }, null);
 */
export function variantsOf(
  settings: Pick<StudySettings, "variants" | "protocol" | "rule">,
  own: RuleSource | null,
): Variant[] {
  const builtIn = variantNames
    .filter((name) => settings.variants.includes(name))
    .map((name): Variant => {
      const { label, meaning, on } = table[name];
      return { name, label, meaning, replayable: true, on: (network) => on(network, settings) };
    });
  if (settings.rule === null || own === null) return builtIn;
  const { layers, group } = settings.rule;
  const on = (network: Network) => grouped(network, layers, own.make(), group);
  return [...builtIn, { ...describeOwn(settings.rule), replayable: own.replayable, on }];
}

/** Rows divided by N, whatever the rule; deviations keep their units. */
function overN(rule: Aggregator): Aggregator {
  const { weights, residuals } = rule;
  return defineAggregator(
    `${rule.label}, 1/N`,
    (gradients, memory) => rule(gradients.scale(1 / gradients.samples), memory),
    {
      ...(weights && { weights: (g) => weights(g.scale(1 / g.samples)).div(g.samples) }),
      ...(residuals && {
        residuals: (g) => {
          const { center, scale, influence } = residuals(g.scale(1 / g.samples));
          return { center: center.mul(g.samples), scale: scale.mul(g.samples), influence };
        },
      }),
    },
  );
}

function layerOne(network: Network, rule: Aggregator) {
  return grouped(network, [1], rule, "parameter");
}

/** The rule on some layers, counted from 1, and the mean on the others. */
function grouped(
  { model, layers }: Network,
  chosen: readonly number[],
  rule: Aggregator,
  group: Grouping,
): Combination {
  const robust = new Set(chosen.flatMap((layer) => [...layers[layer - 1]!.parameters()]));
  const key: GroupingOf<Parameter> = { parameter: byParameter, layer: byLayer(model), all }[group];
  const plain = mean();
  return {
    rule: { choose: (parameter) => (robust.has(parameter) ? rule : plain) },
    group: (parameter) => (robust.has(parameter) ? key(parameter) : parameter),
  };
}

function describeOwn({ specifier, layers, group }: OwnRule) {
  const where = layers.length === 3 ? "all layers" : `layer ${layers.join(" and ")}`;
  const vector = { parameter: "each parameter", layer: "each layer", all: "all of their parameters" }[group];
  const rest = layers.length === 3 ? "" : "; the others take the mean";
  return {
    name: ownVariant,
    label: `${specifier} (${where})`,
    meaning: `The rule ${specifier} acts on ${where}, with ${vector} as one vector${rest}.`,
  };
}
