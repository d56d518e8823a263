import { commandOf } from "../study/command.js";
import { findings, publishedGain } from "../study/findings.js";
import { seriesStyle } from "../study/figures/palette.js";
import { failureThreshold, initialRange, protocols, stepSize, trainSize } from "../study/protocol.js";
import type { Estimate } from "../study/estimate.js";
import type { StudyResult } from "../study/study-result.js";
import { summarize, type VariantSummary } from "../study/summary.js";
import type { Drawings } from "./drawing.js";
import { html, Markup } from "./markup.js";
import { percent, withError } from "./table.js";

/** A study as one self-contained page: what it shows in words, table, figures, settings. Nothing is loaded from elsewhere. */
export function report(study: StudyResult, drawings: Drawings): string {
  const { settings, trials, versions } = study;
  const rows = summarize(study);
  const [answer = "", ...others] = findings(study);
  const displaced = study.figureThree.displaced.length;
  const unfinished = settings.trials - trials.length;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>Robust gradients on Iris: ${trials.length} trials, seed ${settings.seed}</title>
        <style>
          ${new Markup(styles)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <p class="kicker">robgrad · the Iris study</p>
            <h1>Training on data of which ${displaced} points in 100 are out of place</h1>
            <p class="lead">
              A small network learns to tell three kinds of Iris from two coordinates. ${displaced} of its
              ${study.samples.train} training points are thrown ${settings.factor.toLocaleString("en")} standard
              deviations away. ${rows.length} ways to combine the gradients of the samples meet the same data and the
              same initial weights, in ${trials.length} paired trials of ${settings.iterations} steps.
            </p>
            ${unfinished > 0 ? html`<p class="notice">Interrupted: ${trials.length} of ${settings.trials} trials are finished. <code>--resume</code> continues.</p>` : ""}
          </header>
          <section aria-labelledby="answer">
            <h2 id="answer">What this run says</h2>
            <p class="answer">${emphasized(answer, typeof publishedGain(study)?.share?.mean === "number")}</p>
            ${others.map((paragraph) => html`<p>${paragraph}</p>`)}
          </section>
          <section aria-labelledby="table">
            <h2 id="table">Errors after the last step</h2>
            ${summaryTable(rows, study)}
            <p class="note">
              Mean ± standard error over ${trials.length} trial${trials.length === 1 ? "" : "s"}. A trial fails when its
              final test error exceeds ${failureThreshold}. The time of a step is the median over the trials, measured
              on this machine with all threads busy. The training error includes the displaced points.
            </p>
          </section>
          <section aria-labelledby="outcomes">
            <h2 id="outcomes">Where the trials end</h2>
            <figure>
              ${new Markup(drawings.outcomes)}
              <figcaption>
                Every trial’s final test error. A mean between the two heaps describes no trial: it tells how many
                failed.
              </figcaption>
            </figure>
          </section>
          <section aria-labelledby="figure-4">
            <h2 id="figure-4">Figure 4. Error against cost</h2>
            <figure>
              ${new Markup(drawings.figureFour)}
              <figcaption>
                Cost is counted in gradients computed: steps × ${study.samples.train} samples. Every variant computes
                the same number of gradients a step. Bands are 95 % intervals of the mean. After Figure 4 of the
                tutorial, which shows the first two variants.
              </figcaption>
            </figure>
          </section>
          <section aria-labelledby="figure-3">
            <h2 id="figure-3">Figure 3. The data of the first trial</h2>
            <figure>
              ${new Markup(drawings.figureThree)}
              <figcaption>
                Drawn with k = ${study.figureThree.factor} so that the displaced points stay in sight; this study used k
                = ${settings.factor.toLocaleString("en")}.
              </figcaption>
            </figure>
          </section>
          <section aria-labelledby="variants">
            <h2 id="variants">The variants</h2>
            <dl>
              ${study.variants.map(
                ({ name, label, meaning }) =>
                  html`<dt>${swatch(name)} ${label}</dt>
                    <dd>${meaning}</dd>`,
              )}
            </dl>
          </section>
          <section aria-labelledby="settings">
            <h2 id="settings">Settings</h2>
            <div class="scroll">
              <table class="settings">
                <tbody>
                  ${settingRows(study).map(
                    ([name, value]) =>
                      html`<tr>
                        <th scope="row">${name}</th>
                        <td>${value}</td>
                      </tr>`,
                  )}
                </tbody>
              </table>
            </div>
            <p>The same numbers again:</p>
            <pre><code>${commandOf(settings)}</code></pre>
            <p class="note">
              ${Object.entries(versions)
                .map(([name, version]) => `${name} ${version}`)
                .join(" · ")}.
              All curves of all trials are in study.json, their means in curves.csv.
            </p>
          </section>
        </main>
      </body>
    </html> `;
  return page.text;
}

function summaryTable(rows: readonly VariantSummary[], study: StudyResult): Markup {
  const best = Math.min(...rows.map(({ testError }) => testError.mean));
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th scope="col">variant</th>
          <th scope="col">train error</th>
          <th scope="col">test error</th>
          <th scope="col">95 % interval</th>
          <th scope="col">failed</th>
          <th scope="col">µs / step</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ name, label, trainError, testError, failed, microsecondsPerStep }) =>
            html`<tr${testError.mean === best && study.trials.length > 1 ? new Markup(' class="best"') : ""}>
<th scope="row">${swatch(name)} ${label}</th><td>${withError(trainError.mean, trainError.standardError)}</td><td>${withError(testError.mean, testError.standardError)}</td>
<td>${interval(testError)}</td><td>${percent(failed)}</td><td>${microsecondsPerStep.toFixed(0)}</td></tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const interval = ({ interval: [low, high] }: Estimate): string =>
  Number.isFinite(low) ? `${Math.max(0, low).toFixed(3)} – ${Math.min(1, high).toFixed(3)}` : "–";

function swatch(variant: string): Markup {
  const { color, dashes } = seriesStyle(variant);
  return html`<svg class="swatch" width="26" height="8" aria-hidden="true">
    <line x1="0" x2="26" y1="4" y2="4" stroke="${color}" stroke-width="3" stroke-dasharray="${dashes}" />
  </svg>`;
}

/** The first sentence in bold where it is an answer. */
function emphasized(paragraph: string, isAnswer: boolean): Markup {
  const end = paragraph.indexOf(". ") + 1;
  if (!isAnswer || end === 0) return html`${paragraph}`;
  return html`<strong>${paragraph.slice(0, end)}</strong>${paragraph.slice(end)}`;
}

function settingRows({ settings, samples }: StudyResult): [string, string][] {
  const { fitTo, correction, varianceFloor } = protocols[settings.protocol];
  return [
    ["trials × steps", `${settings.trials} × ${settings.iterations}`],
    ["seed", String(settings.seed)],
    [
      "data",
      `Iris (UCI), ${samples.train} training and ${samples.test} test rows, two principal components in the unit square`,
    ],
    ["displaced points", `share ${settings.fraction} of ${trainSize} training rows, k = ${settings.factor}`],
    [
      "protocol",
      `${settings.protocol}: projection fitted to ${fitTo === "all" ? "all 150 rows" : "the training rows"}, variances divided by ${correction === 0 ? "n" : "n − 1"}, floor ${varianceFloor === 0 ? "none" : varianceFloor}`,
    ],
    ["network", `2-10-10-3, ReLU, initial weights uniform on ±${initialRange}, full batch, step size ${stepSize}`],
    ["device, dtype", `${settings.device}, ${settings.dtype}`],
  ];
}

const styles = `
:root { color-scheme: light dark; --ink: #1b1d21; --muted: #5b616b; --paper: #fdfdfc; --panel: #f3f3f0; --line: #dcdcd6; --accent: #a8430a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e4; --muted: #a3a8b0; --paper: #15171c; --panel: #1e2127; --line: #343840; --accent: #f0995c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 17px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
header, section > p, dl { max-width: 46rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: .2rem 0 1rem; letter-spacing: -.015em; text-wrap: balance; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .7rem; }
.kicker { color: var(--muted); margin: 0; font-size: .9rem; letter-spacing: .03em; }
.lead { font-size: 1.1rem; }
.answer { border-left: 4px solid var(--accent); background: var(--panel); padding: .9rem 1.1rem; border-radius: 0 6px 6px 0; }
.notice { border: 1px solid var(--accent); border-radius: 6px; padding: .5rem .9rem; }
.note, figcaption { color: var(--muted); font-size: .88rem; }
figcaption { max-width: 46rem; margin-top: .4rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .95rem; }
th, td { text-align: left; padding: .42rem 1.4rem .42rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; font-weight: 400; }
thead th { color: var(--muted); font-size: .85rem; }
tr.best td:nth-child(3) { font-weight: 700; }
table.settings td { white-space: normal; }
table.settings th { color: var(--muted); vertical-align: top; }
figure { margin: 0; overflow-x: auto; }
figure > svg { display: block; max-width: 100%; height: auto; min-width: 40rem; color: var(--ink); }
.swatch { vertical-align: middle; margin-right: .35rem; }
dt { font-weight: 600; margin-top: .8rem; }
dd { margin: .1rem 0 0 2.2rem; }
pre { background: var(--panel); border-radius: 6px; padding: .8rem 1rem; overflow-x: auto; font-size: .88rem; }
@media print { main { max-width: none; padding: 0; } section { break-inside: avoid; } }
`;
