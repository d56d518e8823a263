import { useRef } from "preact/hooks";
import { comparedAnswer, type Answer } from "../../answer.js";
import { Swatch } from "../../controls/swatch.jsx";
import { answersChart, shiftInWords } from "../../plots/answers.js";
import { competitorStyles } from "../../plots/competitor-style.js";
import { Figure } from "../../plots/figure.jsx";
import { answers, chosenRow, shownRules } from "../../state/inspection.js";
import { inWords } from "./shown-rows.js";

/** How every rule answers to the place of the chosen row, against the row where its flower is. */
export function Answers() {
  const last = useRef(answers.value);
  const known = (last.current = answers.value ?? last.current);
  const row = chosenRow.value;
  if (known?.home.row !== row) return <p role="status">The answers appear while training pauses.</p>;
  const styles = competitorStyles(shownRules.value);
  const { iteration, now, home } = known;
  const unit = [...home.norms].sort((a, b) => a - b)[Math.floor(home.norms.length / 2)]!;
  const found = now.rules.flatMap(({ rule, label, answer, weights }, k) => {
    const before = home.rules[k]!.answer;
    return answer === null || before === null
      ? []
      : [{ rule, label, weight: weights?.[row] ?? NaN, ...comparedAnswer(answer, before) }];
  });
  return (
    <div class={answers.value === null ? "answers late" : "answers"}>
      <Figure
        name={`answers-row-${row}`}
        title={`How far it moves the step, after ${iteration} steps`}
        description={`How far the step moves against row ${row} where its flower is: ${found.map(({ label, shift }) => `${label} ${shiftInWords(shift, unit)}`).join(", ")}.`}
        draw={(width) => answersChart(found, { width, styles, unit })}
      />
      <div class="scrolled" tabIndex={0} role="region" aria-label="Answers in numbers">
        <table>
          <caption>
            Against the step with the row where its flower is. The row’s gradient has norm{" "}
            <output>{now.norms[row]!.toLocaleString("en", { maximumSignificantDigits: 3 })}</output>, the median is{" "}
            {unit.toLocaleString("en", { maximumSignificantDigits: 3 })}.
          </caption>
          <thead>
            <tr>
              <th scope="col">rule</th>
              <th scope="col">its weight</th>
              <th scope="col">length</th>
              <th scope="col">turned by</th>
            </tr>
          </thead>
          <tbody>
            {found.map(({ rule, label, weight, length, angle }) => (
              <tr key={rule}>
                <th scope="row">
                  <Swatch style={styles.get(rule)!} /> {label}
                </th>
                <td>{inWords("weight", weight)}</td>
                <td>{lengthInWords(length)}</td>
                <td>{Number.isNaN(angle) ? "–" : `${angle.toFixed(0)}°`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

const lengthInWords = (length: Answer["length"]) =>
  Number.isFinite(length) ? `× ${length.toLocaleString("en", { maximumSignificantDigits: 3 })}` : "–";
