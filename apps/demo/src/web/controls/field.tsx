import { useId, useState } from "preact/hooks";

interface NumberInputProps {
  readonly label: string;
  /** Null for none. */
  readonly value: number | null;
  readonly min: number;
  readonly max?: number;
  readonly step: number | "any";
  /** Shown where there is none. */
  readonly placeholder?: string;
  /** What is wanted, in words. */
  readonly expected: string;
  /** Whether it is taken over; null where nothing is written. */
  readonly accepts: (value: number | null) => boolean;
  readonly onChange: (value: number | null) => void;
}

/** A number, taken over once it is what is wanted; until then it says what that is. */
function NumberInput({ label, value, placeholder, expected, accepts, onChange, ...bounds }: NumberInputProps) {
  const id = useId();
  const [refused, setRefused] = useState(false);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        value={value ?? ""}
        {...bounds}
        placeholder={placeholder}
        aria-invalid={refused}
        aria-describedby={`${id}-refused`}
        onChange={({ currentTarget: { value: text, validity } }) => {
          const number = text.trim() === "" ? null : Number(text);
          const good = !validity.badInput && accepts(number);
          setRefused(!good);
          if (good) onChange(number);
        }}
      />
      <span id={`${id}-refused`} class="refused" role="status">
        {refused && expected}
      </span>
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

/** A number within bounds; a whole one unless it has another step. */
export function NumberField({ label, value, min, max, step = 1, onChange }: NumberFieldProps) {
  return (
    <NumberInput
      label={label}
      value={value}
      min={min}
      max={max}
      step={step}
      expected={`expected ${step === 1 ? "a whole number" : "a number"} from ${min} to ${max}`}
      accepts={(number) =>
        number !== null && number >= min && number <= max && (step !== 1 || Number.isInteger(number))
      }
      onChange={(number) => onChange(number!)}
    />
  );
}

interface OptionalLengthProps {
  readonly label: string;
  /** Null for none. */
  readonly value: number | null;
  /** Shown where there is none. */
  readonly placeholder: string;
  readonly onChange: (value: number | null) => void;
}

/** A number above 0, or none. */
export function OptionalLength(props: OptionalLengthProps) {
  return (
    <NumberInput
      {...props}
      min={0}
      step="any"
      expected="expected a number above 0, or nothing"
      accepts={(length) => length === null || (length > 0 && length < Infinity)}
    />
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
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
