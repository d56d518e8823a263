import type { RoutineKernel, View } from "../../kernel/kernel.js";
import { check } from "./check.js";
import { eighRoutine } from "./eigh.js";
import { plainSpace } from "./krylov-space.js";
import { sortedPlaces } from "./order-statistics.js";
import { randomBits } from "./random-bits.js";
import { elements, type ElementsOf, type Routine } from "./routine.js";

type Three = readonly [number, number, number];

const three = (numbers: readonly number[]) => numbers as unknown as Three;

/** Pointer of index (i, j, k) in a view of rank 3. */
const at = ({ offset, strides }: View, i: number, j: number, k: number) => {
  const [s0, s1, s2] = three(strides);
  return offset + i * s0 + j * s1 + k * s2;
};

/** Plain-loop reference of every routine. */
export const routines: Readonly<Record<RoutineKernel["name"], Routine>> = {
  check,
  randomBits,

  /** x [A, L, B] → int32 [A, L, B]: places in ascending or descending order along L, ties by the lowest, NaN last. */
  argsort({ inputs, outputs, attributes }, elementsOf) {
    const descending = attributes["descending"] === 1;
    const [x] = inputs as [View];
    const [out] = outputs as [View];
    const source = elementsOf(x);
    const target = elementsOf(out);
    const [outer, length, inner] = three(x.shape);
    const values = new Float64Array(length);
    const places = new Int32Array(length);
    const work = new Int32Array(length);
    for (let i = 0; i < outer; i++) {
      for (let k = 0; k < inner; k++) {
        for (let j = 0; j < length; j++) values[j] = source[at(x, i, j, k)] as number;
        const sorted = sortedPlaces(values, descending, places, work);
        for (let j = 0; j < length; j++) target[at(out, i, j, k)] = sorted[j] as number;
      }
    }
  },

  /** x [A, L, B] → running sums along L. */
  cumsum({ inputs, outputs }, elementsOf) {
    const [x] = inputs as [View];
    const [out] = outputs as [View];
    const [outer, length, inner] = three(x.shape);
    const source = elementsOf(x);
    const target = elementsOf(out);
    for (let i = 0; i < outer; i++) {
      for (let k = 0; k < inner; k++) {
        let sum = 0;
        for (let j = 0; j < length; j++) {
          sum += source[at(x, i, j, k)] as number;
          if (x.dtype === "int32") sum |= 0;
          else if (x.dtype === "uint32") sum >>>= 0;
          target[at(out, i, j, k)] = sum;
        }
      }
    }
  },

  /** x [A, L, B], indices [A, I, B] → out[a, i, b] = x[a, indices[a, i, b], b]; 0 where the index is out of range. */
  gather({ inputs, outputs }, elementsOf) {
    const [x, indices] = inputs as [View, View];
    const [out] = outputs as [View];
    const [outer, count, inner] = three(out.shape);
    const length = x.shape[1] as number;
    const source = elementsOf(x);
    const places = elementsOf(indices);
    const target = elementsOf(out);
    const whole = inner > 4 && indices.strides[2] === 0 && x.strides[2] === 1 && out.strides[2] === 1;
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < count; j++) {
        if (whole) {
          const index = places[at(indices, i, j, 0)] as number;
          const [from, to] = [at(x, i, index, 0), at(out, i, j, 0)];
          if (index >= 0 && index < length) target.set(source.subarray(from, from + inner), to);
          else target.fill(0, to, to + inner);
          continue;
        }
        for (let k = 0; k < inner; k++) {
          const index = places[at(indices, i, j, k)] as number;
          target[at(out, i, j, k)] = index >= 0 && index < length ? (source[at(x, i, index, k)] as number) : 0;
        }
      }
    }
  },

  /** indices [A, I, B], updates [A, I, B] → out [A, L, B], zero but for out[a, indices[a, i, b], b] += updates[a, i, b]. */
  scatterAdd({ inputs, outputs }, elementsOf) {
    const [indices, updates] = inputs as [View, View];
    const [out] = outputs as [View];
    const [outer, count, inner] = three(updates.shape);
    const length = out.shape[1] as number;
    const sums = new Float64Array(outer * length * inner);
    const places = elementsOf(indices);
    const added = elementsOf(updates);
    const target = elementsOf(out);
    for (let i = 0; i < outer; i++) {
      for (let j = 0; j < count; j++) {
        for (let k = 0; k < inner; k++) {
          const index = places[at(indices, i, j, k)] as number;
          if (index < 0 || index >= length) continue;
          const place = (i * length + index) * inner + k;
          sums[place] = (sums[place] as number) + (added[at(updates, i, j, k)] as number);
        }
      }
    }
    for (let place = 0; place < sums.length; place++) target[out.offset + place] = sums[place] as number;
  },

  eigh: eighRoutine(plainSpace),

  /** x [...], place int32 [] → values [capacity, ...], in place: values[place] = x, place + 1; nothing when it is full. */
  append({ inputs, outputs }, elementsOf) {
    const [x] = inputs as [View];
    const [values, place] = outputs as [View, View];
    const next = elementsOf(place);
    const index = next[place.offset] as number;
    if (index >= (values.shape[0] as number)) return;
    const added = elements(x, elementsOf(x));
    elementsOf(values).set(added, values.offset + index * added.length);
    next[place.offset] = index + 1;
  },
};

/** @param elementsOf  Where the elements of a view's storage are. */
export function runRoutine(kernel: RoutineKernel, elementsOf: ElementsOf): void {
  routines[kernel.name](kernel, elementsOf);
}
