/** An iteration space whose adjacent axes have been merged where every operand allows it. */
export interface Loops {
  readonly extents: readonly number[];
  /** strides[operand][axis] */
  readonly strides: readonly (readonly number[])[];
}

/** Drops axes of extent 1 and merges neighbours that every operand walks as one. */
export function mergeAxes(shape: readonly number[], strides: readonly (readonly number[])[]): Loops {
  const extents: number[] = [];
  const merged: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const extent = shape[axis] as number;
    if (extent === 1) continue;
    const last = extents.length - 1;
    let joins = last >= 0;
    for (let k = 0; joins && k < strides.length; k++) {
      joins = (merged[k] as number[])[last] === extent * ((strides[k] as readonly number[])[axis] as number);
    }
    if (joins) {
      extents[last] = (extents[last] as number) * extent;
      for (let k = 0; k < strides.length; k++)
        (merged[k] as number[])[last] = (strides[k] as readonly number[])[axis] as number;
    } else {
      extents.push(extent);
      for (let k = 0; k < strides.length; k++)
        (merged[k] as number[]).push((strides[k] as readonly number[])[axis] as number);
    }
  }
  return { extents, strides: merged };
}
