import { useEffect } from "preact/hooks";
import { Player } from "../controls/player.jsx";
import { Swatch } from "../controls/swatch.jsx";
import { Figure } from "../plots/figure.jsx";
import { influenceCurves, influenceStyles } from "../plots/influence-curves.js";
import { isFormula, mostCompetitors } from "../state/address.js";
import { followOwnRule, formulaCheck, isTrainable, takesPart } from "../state/own-rule.js";
import { page } from "../state/store.js";
import { FormulaEditor } from "./own-rule/formula-editor.jsx";
import { FormulaFacts } from "./own-rule/formula-facts.jsx";
import { Panels } from "./watch.jsx";

/** A rule of one's own, by its influence function, beside the others. */
export function OwnRule() {
  useEffect(followOwnRule, []);
  return (
    <>
      <p class="lead">
        An influence function ψ says how far a sample that lies x away may pull the estimate. The mean lets it pull as
        far as it likes: ψ(x) = x. A robust rule levels off. Write yours; it is looked at as you type, and trained
        beside the others.
      </p>
      <FormulaEditor />
      <Curves />
      <Joining />
      <Player />
      <Panels />
    </>
  );
}

function Curves() {
  const check = formulaCheck.value;
  if (check === null || check.found === null) return null;
  const { curve, own, huber } = check.found;
  const bound = own.bound < Infinity ? `bounded by ${own.bound.toPrecision(3)}` : "without bound";
  return (
    <>
      <div class="pair">
        <Figure
          name="influence-function"
          title="ψ: the pull of a residual"
          description={`Your influence function, ${bound}, beside Huber's, which levels off at 1.345, and the mean's, a straight line.`}
          draw={(width) => influenceCurves(curve, width, "psi")}
        />
        <Figure
          name="influence-weight"
          title="ψ(x)/x: what a residual counts"
          description="The weight that a residual has: 1 at 0 and always for the mean, less for far residuals with a robust rule."
          draw={(width) => influenceCurves(curve, width, "weight")}
        />
      </div>
      <ul class="legend">
        {(["own", "huber", "mean"] as const).map((name) => (
          <li key={name}>
            <Swatch style={influenceStyles[name]} />
            {{ own: "yours", huber: "Huber's, 1.345", mean: "the mean's" }[name]}
          </li>
        ))}
      </ul>
      <FormulaFacts own={own} huber={huber} />
    </>
  );
}

function Joining() {
  const check = formulaCheck.value;
  const { competitors } = page.value;
  const full = competitors.length >= mostCompetitors && !competitors.some(isFormula);
  return (
    <div class="joining">
      <label>
        <input
          type="checkbox"
          checked={takesPart.value}
          onChange={(event) => (takesPart.value = event.currentTarget.checked)}
        />{" "}
        Train it beside the others
      </label>
      <p class="hint" role="status">
        {!takesPart.value
          ? "Your rule does not take part."
          : full
            ? `${mostCompetitors} rules are side by side already. Take one away, in Watch.`
            : check !== null && competitors.includes(check.text)
              ? "Your rule takes part."
              : check === null || isTrainable(check)
                ? "Your rule is being looked at."
                : competitors.some(isFormula)
                  ? "The last rule of yours that could be trained takes part."
                  : "Your rule takes part as soon as it can be trained."}
      </p>
    </div>
  );
}
