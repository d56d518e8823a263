import type { Contamination } from "./contamination.js";
import { dataContaminations } from "./data-contaminations.js";
import { rowContaminations } from "./row-contaminations.js";

export type ContaminationName = keyof typeof dataContaminations | keyof typeof rowContaminations;

/** Ways to spoil training rows, by name: their data first, then the gradients that come of them. */
export const contaminations: Readonly<Record<ContaminationName, Contamination>> = {
  ...dataContaminations,
  ...rowContaminations,
};

export const contaminationNames = Object.keys(contaminations) as readonly ContaminationName[];

/** Names that stand for several. */
export const contaminationGroups = {
  data: Object.keys(dataContaminations),
  rows: Object.keys(rowContaminations),
} as Readonly<Record<"data" | "rows", readonly ContaminationName[]>>;
