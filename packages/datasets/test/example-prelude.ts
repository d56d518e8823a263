// In scope of the docstrings' examples, beside everything the package exports.
export { generator } from "@robgrad/tensor";

const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n";
const rows = new Uint8Array(Float64Array.of(5.1, 3.5, 1.4, 4.9, 3, 1.4).buffer);

/** What np.save writes for a float64 array [2, 3]. */
export const npyBytes = Uint8Array.of(
  0x93,
  ...new TextEncoder().encode("NUMPY"),
  1,
  0,
  header.length,
  0,
  ...new TextEncoder().encode(header),
  ...rows,
);
