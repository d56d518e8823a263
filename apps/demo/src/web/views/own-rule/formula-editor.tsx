import { useEffect, useId, useState } from "preact/hooks";
import { longestFormula, type FormulaText } from "../../competitor-text.js";
import { Choice, NumberField, OptionalLength } from "../../controls/field.jsx";
import { changeOwnRule, formulaCheck, formulaTrouble, isTrainable, ownRule } from "../../state/own-rule.js";
import { page } from "../../state/store.js";
import { formulaPresets } from "./formula-presets.js";
import { formulaWords } from "./formula-words.js";

/** The formula, and how it is made a rule of. */
export function FormulaEditor() {
  const rule = ownRule();
  const preset = formulaPresets.findIndex(
    ({ kind, formula, on }) => kind === rule.kind && formula === rule.formula && on === rule.on,
  );
  return (
    <section class="editor" aria-label="Your rule">
      <div class="row">
        <Choice
          label="Begin with"
          value={String(preset)}
          options={[
            ...(preset < 0 ? [{ value: "-1", label: "a formula of your own" }] : []),
            ...formulaPresets.map(({ label }, k) => ({ value: String(k), label })),
          ]}
          onChange={(value) => {
            const { kind, formula, on } = formulaPresets[Number(value)]!;
            changeOwnRule({ kind, formula, on });
          }}
        />
        <Choice
          label="The formula is"
          value={rule.kind}
          options={[
            { value: "psi", label: "ψ, the influence function" },
            { value: "rho", label: "ρ, a loss; ψ is its derivative" },
          ]}
          onChange={(kind) => changeOwnRule({ kind })}
        />
        <OptionalLength
          label="Held beyond ±"
          placeholder="nowhere"
          value={rule.on}
          onChange={(on) => changeOwnRule({ on })}
        />
      </div>
      <FormulaField rule={rule} />
      <Unbounded rule={rule} />
      <div class="row">
        <Choice
          label="It acts on"
          value={rule.of}
          options={[
            { value: "norms", label: "the norm of every sample's gradient" },
            { value: "coordinates", label: "every coordinate by itself: an M-estimate" },
          ]}
          onChange={(of) => changeOwnRule({ of, scale: 1 })}
        />
        {rule.of === "norms" ? (
          <Choice
            label="One norm of"
            value={rule.group}
            options={[
              { value: "all", label: "all parameters" },
              { value: "layer", label: "each layer" },
              { value: "parameter", label: "each parameter" },
            ]}
            onChange={(group) => changeOwnRule({ group })}
          />
        ) : (
          <Choice
            label="In units of"
            value={rule.scale === "mad" ? "mad" : "fixed"}
            options={[
              { value: "fixed", label: "a fixed gradient" },
              { value: "mad", label: "its median absolute deviation" },
            ]}
            onChange={(value) => changeOwnRule({ scale: value === "mad" ? "mad" : 1 })}
          />
        )}
        {rule.scale !== "mad" && (
          <NumberField
            label={rule.of === "norms" ? "x = 1 is a norm of" : "x = 1 is a deviation of"}
            value={rule.scale}
            min={1e-6}
            max={1e6}
            step={0.001}
            onChange={(scale) => changeOwnRule({ scale })}
          />
        )}
      </div>
      {rule.scale === "mad" && (
        <p class="hint">
          Most gradients of this network are 0 in most coordinates, and so is their median: expect this to train badly.
        </p>
      )}
    </section>
  );
}

function FormulaField({ rule: { kind, formula } }: { readonly rule: FormulaText }) {
  const id = useId();
  const [typed, setTyped] = useState(formula);
  useEffect(() => setTyped(formula), [formula]);
  const text = typed.trim();
  const refused =
    text === ""
      ? "Expected a formula, found none."
      : text.length > longestFormula
        ? `Expected at most ${longestFormula} characters, found ${text.length}.`
        : null;
  return (
    <div class="field formula">
      <label for={id}>{kind === "psi" ? "ψ(x) =" : "ρ(x) ="}</label>
      <textarea
        id={id}
        rows={2}
        value={typed}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        aria-invalid={refused !== null || (formulaCheck.value !== null && formulaCheck.value.refusal !== null)}
        aria-describedby={`${id}-answer ${id}-words`}
        onInput={(event) => {
          const next = event.currentTarget.value.replace(/\s+/g, " ");
          setTyped(next);
          if (next.trim() !== "" && next.trim().length <= longestFormula) changeOwnRule({ formula: next.trim() });
        }}
      />
      <p id={`${id}-answer`} class="formula-answer" role="status">
        {refused === null ? <Answer /> : <span class="refused">{refused}</span>}
      </p>
      <details class="hint" id={`${id}-words`}>
        <summary>What a formula may hold</summary>
        <p>
          Numbers, <code>x</code>, <code>pi</code>, <code>e</code>, <code>+ - * / ^</code>, brackets,{" "}
          <code>abs atan cos cosh exp expm1 log log1p max min pow sign sin sinh sqrt square tan tanh</code>, and
          choices, <code>abs(x) &lt;= 2 ? x : 2 sign(x)</code>. <code>2x</code> is a product; before a bracket write{" "}
          <code>x * (…)</code>. Nothing of it is run as a program.
        </p>
      </details>
    </div>
  );
}

function Answer() {
  const check = formulaCheck.value;
  if (formulaTrouble.value !== null) return <span class="refused">{formulaTrouble.value}</span>;
  if (check === null || check.text !== page.value.own) return <>Looking at it …</>;
  if (check.refusal !== null) return <span class="refused">{formulaWords(check.refusal)}</span>;
  if (!isTrainable(check)) {
    return (
      <span class="refused">
        It grows without bound. Hold it beyond some ±a, above, change it so that it levels off, or allow it below.
      </span>
    );
  }
  return <>It is an influence function{check.found!.own.bound === Infinity && ", without bound"}.</>;
}

function Unbounded({ rule }: { readonly rule: FormulaText }) {
  const bound = formulaCheck.value?.found?.own.bound;
  if (bound !== Infinity && rule.bounded) return null;
  return (
    <label class="allow">
      <input
        type="checkbox"
        checked={!rule.bounded}
        onChange={(event) => changeOwnRule({ bounded: !event.currentTarget.checked })}
      />{" "}
      Train it without a bound: a single far sample may then move the estimate as far as it likes
    </label>
  );
}
