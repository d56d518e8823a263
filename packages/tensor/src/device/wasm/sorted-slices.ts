import type { ColumnStatement } from "../../kernel/column.js";

/** Values start … start + length − 1 of a sorted vector. */
export interface SortedSlice {
  readonly start: number;
  readonly length: number;
}

/** Fewer values are sorted sooner than two ends are searched for among equal ones. */
const fewest = 16;

/**
 * The parts of sorted vectors that reductions read, by sorted vector: those that need no sort, for where they end can be
 * searched for. Vectors whose order is wanted for more are left out, and those with more than `most` ends.
 */
export function sortedSlices(
  statements: readonly ColumnStatement[],
  samples: number,
  most: number,
): ReadonlyMap<number, readonly SortedSlice[]> {
  const result = new Map<number, readonly SortedSlice[]>();
  const lengths = new Map([[0, samples]]);
  const visit = (list: readonly ColumnStatement[]) => {
    list.forEach((s, i) => {
      if (s.kind === "iterate") visit(s.body);
      if (s.kind === "slice") lengths.set(s.vector, s.stop - s.start);
      if (s.kind !== "map" && s.kind !== "sorted") return;
      const length = lengths.get(s.source) as number;
      lengths.set(s.vector, length);
      if (s.kind === "map") return;
      const slices = slicesOf(s.vector, list.slice(i + 1), length);
      if (slices === null || (length < fewest && slices.some((slice) => slice.length > 1))) return;
      if (slices.reduce((sum, slice) => sum + endsOf(slice, length), 0) <= most) result.set(s.vector, slices);
    });
  };
  visit(statements);
  return result;
}

/** How many searches it takes to find where a slice of `length` sorted values ends. */
function endsOf(slice: SortedSlice, length: number): number {
  if (slice.length === 1) return 1;
  return (slice.start > 0 ? 1 : 0) + (slice.start + slice.length < length ? 1 : 0);
}

/** Null where anything but a reduction reads a part. */
function slicesOf(sorted: number, list: readonly ColumnStatement[], length: number): SortedSlice[] | null {
  const parts = new Map<number, SortedSlice>([[sorted, { start: 0, length }]]);
  const read = new Map<string, SortedSlice>();
  for (const s of list) {
    if (s.kind === "iterate" && reads(s.body, parts)) return null;
    if (s.kind === "iterate" || s.kind === "let") continue;
    const part = parts.get(s.source);
    if (part === undefined) continue;
    const whole = part.length === length;
    if (s.kind === "map") parts.set(s.vector, part);
    else if (s.kind === "slice") parts.set(s.vector, { start: part.start + s.start, length: s.stop - s.start });
    else if (whole) continue;
    else if (s.kind === "reduce") read.set(sliceKey(part), part);
    else return null;
  }
  return [...read.values()];
}

export function sliceKey({ start, length }: SortedSlice): string {
  return `${start}+${length}`;
}

/** True where a list of statements, those inside loops included, reads one of these vectors. */
function reads(list: readonly ColumnStatement[], vectors: ReadonlyMap<number, unknown>): boolean {
  return list.some((s) => (s.kind === "iterate" ? reads(s.body, vectors) : s.kind !== "let" && vectors.has(s.source)));
}
