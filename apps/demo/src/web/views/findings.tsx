import { useEffect, useMemo } from "preact/hooks";
import { commandOf } from "../../study/command.js";
import { curveRows } from "../../study/curve-rows.js";
import type { Estimate } from "../../study/estimate.js";
import { figureFour } from "../../study/figures/figure-four.js";
import { outcomes } from "../../study/figures/outcomes.js";
import { seriesStyle } from "../../study/figures/palette.js";
import { findingsByQuestion } from "../../study/findings.js";
import { formatStudy } from "../../study/format-study.js";
import { failureThreshold } from "../../study/protocol.js";
import type { StudyResult } from "../../study/study-result.js";
import { summarize } from "../../study/summary.js";
import { BackgroundProgress } from "../controls/background-progress.jsx";
import { Choice, NumberField } from "../controls/field.jsx";
import { SaveTable } from "../controls/save-table.jsx";
import { Swatch } from "../controls/swatch.jsx";
import { Figure } from "../plots/figure.jsx";
import { openStudy, running, study } from "../state/findings.js";
import { change } from "../state/store.js";

/** What the study shows, in numbers of trials that are run here. */
export function Findings() {
  useEffect(openStudy, []);
  const { trials, settings } = study.value;
  const { fraction, factor, iterations } = settings;
  const displaced = study.value.figureThree.displaced.length;
  return (
    <>
      <p class="lead">
        A tutorial on robust gradient descent trains this network on rows of which {displaced} of 100 are displaced by{" "}
        {factor.toLocaleString("en")} standard deviations
        {factor === 1e4 && fraction === 0.02 ? "" : " (in the tutorial, 2 by 10,000)"}. Soft truncation on the first
        layer ends with a much lower error than plain gradient descent: that is its Figure 4. But the published code
        does a second thing. It divides the gradients by the number of samples before the rule sees them, so the first
        layer also takes steps a hundred times smaller. Which of the two is it? The trials below answer, and every
        number in the text comes from them.
      </p>
      <section class="row" aria-label="The trials">
        <Choice
          label="Trials"
          value={String(settings.trials)}
          options={[...new Set([5, 20, 100, 200, settings.trials])]
            .sort((a, b) => a - b)
            .map((count) => ({ value: String(count), label: `${count} trials` }))}
          onChange={(value) => change({ trials: Number(value) })}
        />
        <NumberField
          label="Seed"
          value={settings.seed}
          min={0}
          max={Number.MAX_SAFE_INTEGER}
          onChange={(value) => change({ seed: value })}
        />
        <BackgroundProgress
          label="Trials"
          done={trials.length}
          total={settings.trials}
          going={running.value}
          onToggle={() => (running.value = !running.value)}
        >
          {trials.length} of {settings.trials} trials, each of six variants × {iterations} steps
        </BackgroundProgress>
      </section>
      {trials.length === 0 ? <p>The first trial is under way. The text begins with it.</p> : <Answers />}
    </>
  );
}

function Answers() {
  const seen = study.value;
  const { stepSize, equalScale, allLayers, caution } = useMemo(() => findingsByQuestion(seen), [seen]);
  const count = seen.trials.length;
  const displaced = seen.figureThree.displaced.length;
  return (
    <>
      <section class="prose" aria-label="Answers">
        <h2>How much of the published gain is step size?</h2>
        <p>
          To tell, the study has a control: the same slow first layer, with the plain mean and no robust rule. What the
          control gains is step size; what the published method gains beyond it is the rule.
        </p>
        <p class="answer">{stepSize}</p>
        <h2>What does the rule do at the step of the other layers?</h2>
        <p>
          Without the division by the number of samples, all layers move at one step size, and the rule stands alone.
        </p>
        <p class="answer">{equalScale}</p>
        <h2>What does a rule on all layers do?</h2>
        <p>
          A displaced row gives large gradients in every layer, and a rule on the first leaves the others to the mean.
          The median of means divides the 100 samples into ten blocks, takes the mean of each, and then the point that
          has the least distance to all ten: {displaced} displaced rows spoil {Math.min(10, displaced)} blocks at most,{" "}
          {displaced < 5 ? "and the others outvote them" : "and where they spoil half of them, this rule fails too"}.
        </p>
        <p class="answer">{allLayers}</p>
        <h2>How far do these numbers carry?</h2>
        <p class="answer">{caution}</p>
      </section>
      <h2>Errors after the last step</h2>
      <Table seen={seen} />
      <div class="stack">
        <Figure
          name="outcomes"
          title="Every trial’s final test error"
          description={`Final test error of each of ${count} trials, one row a variant; larger dots where more trials ended.`}
          draw={(width) => outcomes(seen, document, width)}
        />
        <Figure
          name="figure-4"
          title="Figure 4: error against cost"
          description={`Mean misclassification of training and test rows against cost in gradients, six variants, ${count} trials.`}
          draw={(width) => figureFour(seen, document, width)}
        />
      </div>
      <SaveTable name="curves" rows={() => curveRows(seen)} json={{ name: "study", text: () => formatStudy(seen) }} />
      <p class="hint">
        study.json is the file that the command line writes: in a folder of its own, <code>--resume</code> makes the
        report from it. The same numbers from the command line: <code>{commandOf(seen.settings)}</code>
      </p>
    </>
  );
}

function Table({ seen }: { readonly seen: StudyResult }) {
  const rows = useMemo(() => summarize(seen), [seen]);
  return (
    <div class="scrolled" tabIndex={0} role="region" aria-label="Errors of the variants">
      <table class="numbers">
        <caption>
          Mean of {seen.trials.length} paired trial{seen.trials.length === 1 ? "" : "s"}. A trial fails when its test
          error exceeds {failureThreshold}.
        </caption>
        <thead>
          <tr>
            <th scope="col">variant</th>
            <th scope="col">test error</th>
            <th scope="col">95 % interval</th>
            <th scope="col">training error</th>
            <th scope="col">failed</th>
            <th scope="col">time per step</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, label, testError, trainError, failed, microsecondsPerStep }) => (
            <tr key={name}>
              <th scope="row">
                <Swatch style={seriesStyle(name)} /> {label}
              </th>
              <td>{testError.mean.toFixed(3)}</td>
              <td>{interval(testError)}</td>
              <td>{trainError.mean.toFixed(3)}</td>
              <td>{(100 * failed).toFixed(0)} %</td>
              <td>{microsecondsPerStep.toFixed(0)} µs</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const interval = ({ interval: [low, high] }: Estimate) =>
  Number.isFinite(low) ? `${Math.max(0, low).toFixed(3)} to ${Math.min(1, high).toFixed(3)}` : "–";
