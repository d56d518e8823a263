import { useEffect } from "preact/hooks";
import { fractions, strengths, type BreakdownCell, type ContaminationKind } from "../breakdown-cell.js";
import { BackgroundProgress } from "../controls/background-progress.jsx";
import { Choice, NumberField, Slider } from "../controls/field.jsx";
import { RulePicker } from "../controls/rule-picker.jsx";
import { SaveTable } from "../controls/save-table.jsx";
import { Swatch } from "../controls/swatch.jsx";
import { breakdownCurves, fewestOfBand } from "../plots/breakdown-curves.js";
import { competitorStyles } from "../plots/competitor-style.js";
import { Figure } from "../plots/figure.jsx";
import {
  cell,
  going,
  mostTrials,
  moveShare,
  moveStrength,
  openLab,
  pointOf,
  progress,
  trialRows,
} from "../state/breakdown.js";
import { opening } from "../state/live.js";
import { change, page } from "../state/store.js";
import { kinds } from "./breakdown-kinds.js";

/** How much bad data rules stand. */
export function Breakdown() {
  useEffect(openLab, []);
  const { kind } = page.value;
  return (
    <>
      <p class="lead">
        How much bad data does a rule stand? A part of the 100 training rows is spoilt, and the network of this page is
        trained on them; the clean test rows say what it has learnt. Every point below is the mean of many such trials.
        Move the sliders to see where each rule breaks down.
      </p>
      <Dose />
      <p class="hint">{kinds[kind].meaning}</p>
      <Results />
      <RulePicker />
      <Conditions />
    </>
  );
}

function Dose() {
  const { kind } = page.value;
  const { fraction, strength } = cell.value;
  const { strength: label, shown } = kinds[kind];
  return (
    <section class="row" aria-label="Spoilt rows">
      <Choice
        label="What is spoilt"
        value={kind}
        options={Object.entries(kinds).map(([value, { title }]) => ({
          value: value as ContaminationKind,
          label: title,
        }))}
        onChange={(value) => change({ kind: value, strength: kinds[value].usual })}
      />
      <Slider
        label="Spoilt rows"
        wide
        value={fractions.indexOf(fraction)}
        min={0}
        max={fractions.length - 1}
        shown={`${Math.round(100 * fraction)} of 100`}
        onChange={moveShare}
      />
      {kind === "flips" ? (
        <Choice
          label={label}
          value={String(strength)}
          options={strengths.flips.map((value) => ({ value: String(value), label: shown(value) }))}
          onChange={(value) => change({ strength: Number(value) })}
        />
      ) : (
        <Slider
          label={label}
          wide
          value={strengths[kind].indexOf(strength)}
          min={0}
          max={strengths[kind].length - 1}
          shown={shown(strength)}
          onChange={moveStrength}
        />
      )}
    </section>
  );
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function Results() {
  const { competitors, kind, steps } = page.value;
  const here = cell.value;
  const styles = competitorStyles(competitors);
  const labels = new Map(opening.value?.competitors.map(({ name, label }) => [name, label]));
  const nameOf = (rule: string) => labels.get(rule) ?? rule;
  const { fewest, done, total } = progress();
  const rows = competitors.map((rule) => ({ rule, point: pointOf(here, rule) }));
  const series = (list: readonly number[], at: (x: number) => BreakdownCell) =>
    competitors.map((rule) => ({
      style: styles.get(rule)!,
      points: list.flatMap((x) => {
        const point = pointOf(at(x), rule);
        return point === null ? [] : [{ x, testError: point.testError }];
      }),
    }));
  const shown = kinds[kind].shown(here.strength);
  const spoilt = `${Math.round(100 * here.fraction)} of 100 rows`;
  const summary = rows
    .map(({ rule, point }) => `${nameOf(rule)} ${point === null ? "not yet known" : percent(point.testError.mean)}`)
    .join(", ");
  const list = strengths[kind];
  return (
    <>
      <BackgroundProgress
        label="Trials of all points"
        done={done}
        total={total}
        going={going.value}
        onToggle={() => (going.value = !going.value)}
      >
        {fewest === 0 ? "The first trials are under way" : `${fewest} or more trials a point`}, of {mostTrials}. A trial
        is {steps} steps.
      </BackgroundProgress>
      <div class="pair">
        <Figure
          name={`breakdown-${kind}-fraction`}
          title={`Against the share of spoilt rows${kind === "flips" ? "; the class is " : ", at "}${shown}`}
          description={`Mean test error of each rule with its 95 % interval, against spoilt rows from 0 to 50 of 100. At ${spoilt}: ${summary}.`}
          draw={(width) =>
            breakdownCurves(
              series(fractions, (fraction) => ({ ...here, fraction })),
              {
                width,
                label: "spoilt rows of 100",
                linear: true,
                domain: [0, fractions.at(-1)!],
                tickFormat: (fraction) => String(Math.round(100 * fraction)),
                marked: here.fraction,
              },
            )
          }
        />
        {kind !== "flips" && (
          <Figure
            name={`breakdown-${kind}-strength`}
            title={`Against strength, with ${spoilt} spoilt`}
            description={`Mean test error of each rule with its 95 % interval, against strength from ${kinds[kind].shown(list[0]!)} to ${kinds[kind].shown(list.at(-1)!)}. At ${shown}: ${summary}.`}
            draw={(width) =>
              breakdownCurves(
                series(list, (strength) => ({ ...here, strength })),
                {
                  width,
                  label: kind === "displaced" ? "distance in σ" : "noise, × the spread of the coordinates",
                  linear: false,
                  domain: [list[0]!, list.at(-1)!],
                  tickFormat: (strength) => strength.toLocaleString("en", { notation: "compact" }),
                  marked: here.strength,
                },
              )
            }
          />
        )}
      </div>
      <div class="scrolled" tabIndex={0} role="region" aria-label="At the sliders">
        <table class="numbers">
          <caption>
            {spoilt} spoilt, {kinds[kind].title}
            {here.fraction === 0 ? "" : `, ${shown}`}
          </caption>
          <thead>
            <tr>
              <th scope="col">rule</th>
              <th scope="col">mean test error</th>
              <th scope="col">95 % interval</th>
              <th scope="col">failed</th>
              <th scope="col">trials</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ rule, point }) => (
              <tr key={rule}>
                <th scope="row">
                  <Swatch style={styles.get(rule)!} /> {nameOf(rule)}
                </th>
                <td>{point === null ? "…" : percent(point.testError.mean)}</td>
                <td>{point === null ? "…" : interval(point.testError.interval)}</td>
                <td>{point === null ? "…" : percent(point.failed)}</td>
                <td>{point?.testError.count ?? 0}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <SaveTable name="breakdown" rows={trialRows} />
    </>
  );
}

const interval = ([low, high]: readonly [number, number]) =>
  Number.isFinite(low) ? `${(100 * Math.max(0, low)).toFixed(1)} to ${percent(Math.min(1, high))}` : "–";

function Conditions() {
  const { seed, steps } = page.value;
  return (
    <section aria-label="How it is computed">
      <div class="row">
        <NumberField
          label="Seed"
          value={seed}
          min={0}
          max={Number.MAX_SAFE_INTEGER}
          onChange={(value) => change({ seed: value })}
        />
        <NumberField
          label="Steps of a trial"
          value={steps}
          min={1}
          max={5000}
          onChange={(value) => change({ steps: value })}
        />
      </div>
      <p class="hint">
        All rules meet the same rows and first weights in a trial, and a trial has the same split at every point, so
        that differences between rules and between points are paired. Bands are 95 % intervals of the mean, from{" "}
        {fewestOfBand} trials on; trials end either well or badly, so they are rough below some thirty trials. A trial
        fails when its test error exceeds 30 %; one whose gradients are no longer finite counts as 100 %. The study
        itself takes 1000 steps: fewer are faster, and leave slow rules behind. With displaced rows and 1000 steps,
        trial k is trial k of the study.
      </p>
    </section>
  );
}
