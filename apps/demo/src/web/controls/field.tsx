import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";

/** A labelled control. */
export function Field({
  label,
  children,
}: {
  readonly label: string;
  readonly children: (id: string) => ComponentChildren;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(id)}
    </div>
  );
}

interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step?: number;
  readonly onChange: (value: number) => void;
}

/** A number, taken over once it is within its bounds; until then it says what they are. */
export function NumberField({ label, value, min, max, step = 1, onChange }: NumberFieldProps) {
  const id = useId();
  const [refused, setRefused] = useState<string | null>(null);
  const read = (text: string) => {
    const number = Number(text);
    const good = text.trim() !== "" && number >= min && number <= max && (step !== 1 || Number.isInteger(number));
    setRefused(good ? null : `expected ${step === 1 ? "a whole number" : "a number"} from ${min} to ${max}`);
    if (good) onChange(number);
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        value={value}
        min={min}
        max={max}
        step={step}
        aria-invalid={refused !== null}
        aria-describedby={`${id}-refused`}
        onChange={(event) => read(event.currentTarget.value)}
      />
      <span id={`${id}-refused`} class="refused" role="status">
        {refused}
      </span>
    </div>
  );
}

interface SliderProps extends NumberFieldProps {
  /** The value in words, with its unit. */
  readonly shown: string;
  /** Over the whole width. */
  readonly wide?: boolean;
}

/** A value on a scale, with what it means beside it. */
export function Slider({ label, value, min, max, step = 1, shown, wide = false, onChange }: SliderProps) {
  const id = useId();
  return (
    <div class={wide ? "field wide" : "field"}>
      <label for={id}>
        {label} <output for={id}>{shown}</output>
      </label>
      <input
        id={id}
        type="range"
        value={value}
        min={min}
        max={max}
        step={step}
        aria-valuetext={shown}
        onInput={(event) => onChange(Number(event.currentTarget.value))}
      />
    </div>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
}

/** One of a few. */
export function Choice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  return (
    <Field label={label}>
      {(id) => (
        <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
