import { useId } from "preact/hooks";
import { competitorStyles } from "../plots/competitor-style.js";
import { mostCompetitors } from "../state/address.js";
import { opening } from "../state/live.js";
import { change, page } from "../state/store.js";
import { ruleChoices } from "../rule-choices.js";
import { Swatch } from "./swatch.jsx";

/** The rules side by side: takes some away, adds others. */
export function RulePicker() {
  const id = useId();
  const { competitors } = page.value;
  const styles = competitorStyles(competitors);
  const listed = new Map(opening.value?.competitors.map((competitor) => [competitor.name, competitor]));
  return (
    <fieldset class="rules">
      <legend>Rules side by side</legend>
      <ul class="chips">
        {competitors.map((name) => (
          <li key={name} class="chip" title={listed.get(name)?.meaning}>
            <Swatch style={styles.get(name)!} />
            {listed.get(name)?.label ?? name}
            <button
              type="button"
              class="quiet"
              disabled={competitors.length === 1}
              aria-label={`Take away ${listed.get(name)?.label ?? name}`}
              onClick={() => change({ competitors: competitors.filter((other) => other !== name) })}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      {competitors.length < mostCompetitors && (
        <>
          <label for={id} class="unseen">
            Add a rule
          </label>
          <select
            id={id}
            value=""
            onChange={(event) => {
              change({ competitors: [...competitors, event.currentTarget.value] });
              event.currentTarget.value = "";
            }}
          >
            <option value="">Add a rule …</option>
            {ruleChoices.map(({ title, rules }) => (
              <optgroup key={title} label={title}>
                {rules
                  .filter(({ text }) => !competitors.includes(text))
                  .map(({ text, label }) => (
                    <option key={text} value={text}>
                      {label}
                    </option>
                  ))}
              </optgroup>
            ))}
          </select>
        </>
      )}
    </fieldset>
  );
}
