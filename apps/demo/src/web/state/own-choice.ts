import type { ColumnSummary, TableSummary } from "../worker/own-data/text-table.js";

/** Classes that a label may have, and columns that may be learnt from, at most. */
export const [mostClasses, mostFeatures] = [50, 200] as const;

/** What a person has chosen of a table. */
export interface OwnChoice {
  /** Null for none yet. */
  readonly label: number | null;
  readonly features: readonly number[];
  /** Units of a hidden layer; 0 for a linear model. */
  readonly hidden: number;
}

/** Whether a column is one of numbers: more than half of what it holds are. */
export const isNumeric = ({ numbers, texts }: ColumnSummary): boolean => numbers > texts;

/** Why a column cannot be the label; null when it can. */
export function unfitAsLabel({ values }: ColumnSummary): string | null {
  if (values === null || values > mostClasses) return `${values ?? "over 1000"} different values`;
  return values < 2 ? "one value" : null;
}

const usualNames = /^(labels?|class(es)?|targets?|species|diagnosis|category|outcome|y)$/i;

/** A label if there is one that suggests itself: by its name, as the last column of text, or as the last column. Learnt from is every other column of numbers, unless it counts the rows. */
export function firstChoice({ columns }: TableSummary): OwnChoice {
  const fit = columns.flatMap((column, k) => (unfitAsLabel(column) === null ? [k] : []));
  const last = columns.length - 1;
  const label =
    fit.find((k) => usualNames.test(columns[k]!.name)) ??
    [...fit].reverse().find((k) => !isNumeric(columns[k]!)) ??
    (fit.includes(last) ? last : null);
  const features = columns
    .flatMap((column, k) => (k !== label && isNumeric(column) && !column.counts ? [k] : []))
    .slice(0, mostFeatures);
  return { label, features, hidden: 0 };
}
