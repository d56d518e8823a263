import type { ContaminationKind } from "../breakdown-cell.js";

/** A kind of contamination in words. */
interface Kind {
  readonly title: string;
  /** What happens to a row. */
  readonly meaning: string;
  /** What strength is. */
  readonly strength: string;
  /** Where its slider stands at first. */
  readonly usual: number;
  readonly shown: (strength: number) => string;
}

const short = (value: number) => value.toLocaleString("en", { maximumSignificantDigits: 2 });

export const kinds: Readonly<Record<ContaminationKind, Kind>> = {
  displaced: {
    title: "displaced rows",
    meaning: "A spoilt row lies far away, on the other side of the mean of all rows. Its class is right.",
    strength: "Their distance",
    usual: 1e4,
    shown: (strength) => `${short(strength)} σ`,
  },
  flips: {
    title: "wrong classes",
    meaning: "A spoilt row lies where it should, and its class is wrong.",
    strength: "The wrong class",
    usual: 1,
    shown: (strength) => (strength === 1 ? "any other, by chance" : "always the next"),
  },
  noise: {
    title: "noise",
    meaning: "Normal noise is added to both coordinates of a spoilt row. Its class is right.",
    strength: "Its size",
    usual: 10,
    shown: (strength) => `${short(strength)} × the spread of the coordinates`,
  },
};
