import type { InfluenceFacts } from "../../worker/formula-check.js";

interface Property {
  readonly name: string;
  readonly meaning: string;
  readonly found: (facts: InfluenceFacts) => string;
  /** Whether it is as one would wish; null where more is a matter of taste. */
  readonly good: (facts: InfluenceFacts) => boolean | null;
}

const digits = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 4 });
const yes = (good: boolean) => (good ? "yes" : "no");

const properties: readonly Property[] = [
  { name: "odd", meaning: "demanded: both sides pull alike", found: () => "yes", good: () => true },
  { name: "slope at 0", meaning: "demanded to be 1: near residuals count fully", found: () => "1", good: () => true },
  {
    name: "bound of |ψ|",
    meaning: "the farthest sample pulls no more than this; ∞ as the mean",
    found: ({ bound }) => digits(bound),
    good: ({ bound }) => bound < Infinity,
  },
  {
    name: "gross-error sensitivity",
    meaning: "a small share ε of bad samples moves the estimate by ε times this at most, in units of the scale",
    found: ({ grossErrorSensitivity }) => digits(grossErrorSensitivity),
    good: ({ grossErrorSensitivity }) => grossErrorSensitivity < Infinity,
  },
  {
    name: "never falls",
    meaning: "then there is one solution; where it falls, the one next to the median is taken",
    found: ({ monotone }) => yes(monotone),
    good: ({ monotone }) => monotone,
  },
  {
    name: "steepest slope",
    meaning: "up to 1 the iteration for an M-estimate settles without overshooting",
    found: ({ steepest }) => steepest.toPrecision(3),
    good: ({ steepest }) => steepest <= 1.001,
  },
  {
    name: "efficiency",
    meaning: "samples of the mean that one of the estimate is worth, on clean normal data",
    found: ({ efficiency }) => `${(100 * efficiency).toFixed(1)} %`,
    good: () => null,
  },
];

const marks = { true: ["✓", "as wished"], false: ["!", "mind this"] } as const;

/** What is known of an influence function, beside Huber's. */
export function FormulaFacts({ own, huber }: { readonly own: InfluenceFacts; readonly huber: InfluenceFacts }) {
  return (
    <div class="scrolled">
      <table class="facts">
        <caption>What is checked, and found</caption>
        <thead>
          <tr>
            <th scope="col">property</th>
            <th scope="col">yours</th>
            <th scope="col">Huber’s</th>
            <th scope="col">what it means</th>
          </tr>
        </thead>
        <tbody>
          {properties.map(({ name, meaning, found, good }) => {
            const mark = marks[String(good(own)) as keyof typeof marks];
            return (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class={good(own) === false ? "minded" : undefined}>
                  {found(own)}{" "}
                  {mark !== undefined && (
                    <span role="img" aria-label={mark[1]}>
                      {mark[0]}
                    </span>
                  )}
                </td>
                <td>{found(huber)}</td>
                <td class="words">{meaning}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
