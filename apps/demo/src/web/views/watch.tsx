import { NumberField, Slider } from "../controls/field.jsx";
import { Legend } from "../controls/legend.jsx";
import { Player } from "../controls/player.jsx";
import { RulePicker } from "../controls/rule-picker.jsx";
import { SaveTable } from "../controls/save-table.jsx";
import { Swatch } from "../controls/swatch.jsx";
import { competitorStyles } from "../plots/competitor-style.js";
import { curves } from "../plots/curves.js";
import { Figure } from "../plots/figure.jsx";
import { overview } from "../plots/overview.js";
import { plane } from "../plots/plane.js";
import { frame, opening, timings } from "../state/live.js";
import { change, page, runSettings } from "../state/store.js";
import { versions } from "../versions.js";
import { watchedNumbers, watchedRows } from "../watched-numbers.js";

/** Rules side by side, while they train. */
export function Watch() {
  return (
    <>
      <p class="lead">
        A small network learns to tell three kinds of iris from two numbers. Some of its 100 training rows have been
        moved far away. Every panel is the same network, from the same start, on the same rows: only the rule that makes
        one step of the 100 gradients differs. Press play.
      </p>
      <Player />
      <Panels />
      <Setup />
    </>
  );
}

/** The trial at the present step: regions, curves, numbers. */
export function Panels() {
  const scene = opening.value?.scene;
  const now = frame.value;
  if (scene === undefined || now === null) return <p role="status">Preparing the trial …</p>;
  const { competitors, iterations } = page.value;
  const styles = competitorStyles(competitors);
  const labels = new Map(opening.value!.competitors.map(({ name, label }) => [name, label]));
  const seen = now.competitors.filter(({ name }) => labels.has(name) && styles.has(name));
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  return (
    <>
      <div class="panels">
        {seen.map(({ name, regions, testError, failure }) => (
          <Figure
            key={name}
            name={`${name}-step-${now.iteration}`}
            title={
              <>
                <Swatch style={styles.get(name)!} /> {labels.get(name)}
              </>
            }
            description={`Regions of the three classes after ${now.iteration} steps with ${labels.get(name)}; ${percent(testError)} of the clean test rows are misclassified.`}
            draw={(width) => plane(scene, { width, regions })}
          >
            <p class="score">
              {failure === null ? (
                <>
                  <strong>{percent(testError)}</strong> of clean test rows wrong
                </>
              ) : (
                <span class="refused">Training ended: {failure.message}</span>
              )}
            </p>
          </Figure>
        ))}
        <Figure
          name="training-rows"
          title="All training rows, however far"
          description="Training rows on axes that grow logarithmically away from 0; the unit square is dashed, displaced rows have a ring."
          draw={(width) => overview(scene, width)}
        />
      </div>
      <Legend />
      <div class="pair">
        {(["testError", "trainError"] as const).map((errorOf) => (
          <Figure
            key={errorOf}
            name={errorOf === "testError" ? "test-curves" : "training-curves"}
            title={errorOf === "testError" ? "Clean test rows" : "Training rows, displaced ones included"}
            description={`Misclassification against cost in gradients, one curve a rule; at ${now.iteration} steps: ${seen.map((each) => `${labels.get(each.name)} ${percent(each[errorOf])}`).join(", ")}.`}
            draw={(width) => curves(scene, { ...now, competitors: seen }, { width, errorOf, iterations, styles })}
          />
        ))}
      </div>
      <table class="numbers">
        <caption>After {now.iteration} steps</caption>
        <thead>
          <tr>
            <th scope="col">rule</th>
            <th scope="col">test error</th>
            <th scope="col">training error</th>
            <th scope="col">time per step</th>
          </tr>
        </thead>
        <tbody>
          {seen.map(({ name, testError, trainError }) => (
            <tr key={name}>
              <th scope="row">
                <Swatch style={styles.get(name)!} /> {labels.get(name)}
              </th>
              <td>{testError.toFixed(2)}</td>
              <td>{trainError.toFixed(2)}</td>
              <td>{duration(timings.value.get(name))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <SaveTable
        name="trial"
        rows={() => watchedRows(numbers())}
        json={{ name: "trial", text: () => `${JSON.stringify(numbers(), null, 1)}\n` }}
      />
    </>
  );
}

const duration = (microseconds: number | null | undefined) =>
  microseconds ? `${microseconds.toPrecision(3)} µs` : "–";

/** Of the trial as far as it has been trained. */
const numbers = () => {
  const settings = { ...runSettings.peek(), device: page.peek().device, dtype: "float32" } as const;
  return watchedNumbers(settings, versions(), opening.peek()!, frame.peek()!);
};

/** What is trained: rules, displaced rows, seed and trial. */
export function Setup() {
  const { seed, trial, fraction, factor, moved } = page.value;
  const displaced = Math.ceil(100 * fraction - 1e-9);
  return (
    <section class="setup" aria-label="What is trained">
      <RulePicker />
      <div class="row">
        <Slider
          label="Displaced rows"
          value={displaced}
          min={0}
          max={50}
          shown={`${displaced} of 100`}
          onChange={(rows) => change({ fraction: rows / 100, step: 0 })}
        />
        <Slider
          label="Their distance"
          value={Math.log10(factor)}
          min={0}
          max={6}
          step={0.25}
          shown={`${factor.toLocaleString("en", { maximumSignificantDigits: 2 })} σ`}
          onChange={(power) => change({ factor: Number((10 ** power).toPrecision(3)), step: 0 })}
        />
        <NumberField
          label="Seed"
          value={seed}
          min={0}
          max={Number.MAX_SAFE_INTEGER}
          onChange={(value) => change({ seed: value, step: 0 })}
        />
        <NumberField
          label="Trial"
          value={trial}
          min={0}
          max={9999}
          onChange={(value) => change({ trial: value, step: 0 })}
        />
      </div>
      {moved.length > 0 && (
        <p>
          {moved.length === 1 ? "One row has" : `${moved.length} rows have`} been moved by hand.{" "}
          <button type="button" onClick={() => change({ moved: [] })}>
            Put {moved.length === 1 ? "it" : "them"} back
          </button>
        </p>
      )}
      <p class="hint">
        Seed and trial draw the split, the displaced rows and the initial weights, as the command line does: with the
        same settings it prints these numbers.
      </p>
    </section>
  );
}
