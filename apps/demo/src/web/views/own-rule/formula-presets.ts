import type { FormulaText } from "../../competitor-text.js";

/** A formula to begin with. */
export interface FormulaPreset extends Pick<FormulaText, "kind" | "formula" | "on"> {
  readonly label: string;
}

/** Influence functions of the literature, with their usual constants. */
export const formulaPresets: readonly FormulaPreset[] = [
  { label: "tanh: log-cosh loss", kind: "psi", formula: "tanh(x)", on: null },
  { label: "Huber", kind: "psi", formula: "x", on: 1.345 },
  { label: "cubic of soft truncation, on ±√2", kind: "psi", formula: "x - x^3/6", on: Math.SQRT2 },
  { label: "pseudo-Huber", kind: "psi", formula: "x / sqrt(1 + x^2/2)", on: null },
  { label: "Fair", kind: "psi", formula: "x / (1 + abs(x)/1.3998)", on: null },
  { label: "Gudermannian", kind: "psi", formula: "2 atan(tanh(x/2))", on: null },
  {
    label: "Tukey: comes back to 0",
    kind: "psi",
    formula: "abs(x) <= 4.685 ? x * (1 - (x/4.685)^2)^2 : 0",
    on: null,
  },
  { label: "Catoni, wide, on ±1000", kind: "psi", formula: "sign(x) * log(1 + abs(x) + x^2/2)", on: 1000 },
  { label: "identity: the mean, without bound", kind: "psi", formula: "x", on: null },
  { label: "by its loss: ρ = log cosh", kind: "rho", formula: "log(cosh(x))", on: null },
];
