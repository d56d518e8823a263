import type { DeviceName } from "@robgrad/tensor";
import { finished, frame, playing, trouble } from "../state/live.js";
import { change, page } from "../state/store.js";
import { Choice, Slider } from "./field.jsx";

const speeds = [
  { value: "10", label: "10 steps a second" },
  { value: "30", label: "30 steps a second" },
  { value: "100", label: "100 steps a second" },
  { value: "300", label: "300 steps a second" },
  { value: "0", label: "as fast as it goes" },
] as const;

const devices = [
  { value: "wasm", label: "WebAssembly" },
  { value: "webgpu", label: "WebGPU" },
] as const satisfies readonly { readonly value: DeviceName; readonly label: string }[];

const shapes = {
  start: "M4 3v10M13 3 6 8l7 5z",
  back: "M11 3 4 8l7 5z",
  on: "M5 3l7 5-7 5z",
  end: "M12 3v10M3 3l7 5-7 5z",
} as const;

const Icon = ({ shape }: { readonly shape: keyof typeof shapes }) => (
  <svg width="16" height="16" fill="currentColor" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
    <path d={shapes[shape]} />
  </svg>
);

/** Play, pause, step and scrub. */
export function Player() {
  const { step, iterations, speed, device } = page.value;
  const to = (wanted: number) => {
    playing.value = false;
    change({ step: Math.min(iterations, Math.max(0, wanted)) });
  };
  const toggle = () => {
    if (!playing.value && finished.value) change({ step: 0 });
    playing.value = !playing.value;
  };
  return (
    <section class="player" aria-label="Training">
      <div class="buttons">
        <button type="button" onClick={() => to(0)} aria-label="Back to the start">
          <Icon shape="start" />
        </button>
        <button type="button" onClick={() => to(step - 1)} aria-label="One step back">
          <Icon shape="back" />
        </button>
        <button type="button" class="main" onClick={toggle} disabled={trouble.value !== null}>
          {playing.value ? "Pause" : "Play"}
        </button>
        <button type="button" onClick={() => to(step + 1)} aria-label="One step on">
          <Icon shape="on" />
        </button>
        <button type="button" onClick={() => to(iterations)} aria-label="To the end">
          <Icon shape="end" />
        </button>
      </div>
      <Slider
        label="Step"
        wide
        value={step}
        min={0}
        max={iterations}
        shown={`${step} of ${iterations}${frame.value !== null && frame.value.iteration !== step ? " …" : ""}`}
        onChange={to}
      />
      <Choice
        label="Speed"
        value={String(speed) as (typeof speeds)[number]["value"]}
        options={speeds}
        onChange={(value) => change({ speed: Number(value) })}
      />
      <Choice
        label="Device"
        value={device as (typeof devices)[number]["value"]}
        options={devices}
        onChange={(value) => change({ device: value })}
      />
    </section>
  );
}
