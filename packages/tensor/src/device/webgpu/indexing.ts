import type { View } from "../../kernel/kernel.js";
import { argsortStages } from "./argsort.js";
import { eachElement } from "./elements.js";
import { convert, type PrintContext, type ShaderBuilder, type Stage, type ValueType } from "./shader.js";

type Three = readonly [number, number, number];

/** x [A, L, B], indices [A, I, B] → out[a, i, b] = x[a, indices[a, i, b], b]; 0 where the index is out of range. */
export function gatherStage(x: View, indices: View, out: View): Stage {
  return {
    lanes: 128,
    loops: true,
    print: (shader) => {
      const [source, places, target] = [shader.view(x), shader.view(indices), shader.view(out, true)];
      const length = shader.size(x.shape[1] as number);
      return eachElement(shader, out.shape, (...at) => {
        const [i, , k] = at as readonly string[] as [string, string, string];
        // Negative numbers become large ones.
        const index = shader.let({ type: "u32", text: convert(places.load(places.at(...at)), "u32") }).text;
        const value = shader.let(source.load(source.at(i, `min(${index}, ${length} - 1u)`, k)));
        const zero = zeroOf(value.type);
        const text = `select(${zero}, ${value.text}, ${index} < ${length})`;
        shader.line(target.store(target.at(...at), { type: value.type, text }));
      });
    },
  };
}

const zeroOf = (type: ValueType) => (type === "bool" ? "false" : `${type}(0)`);

/** As many comparisons are fewer than sorting the indices takes. */
const fewUpdates = 64;
/** Updates that are added one after another; the sums of such blocks are added then. */
const block = 64;

/**
 * indices [A, I, B], updates [A, I, B] → out [A, L, B]: zero but for out[a, indices[a, i, b], b] += updates[a, i, b].
 * No two invocations write one element, and each adds in the order of the updates: the same bits at every run. Many
 * updates are sorted by index first.
 */
export function scatterAddStages(indices: View, updates: View, out: View, context: PrintContext): Stage[] {
  const [outer, count, inner] = updates.shape as unknown as Three;
  if (count <= fewUpdates) return [sumStage(indices, updates, out, null)];
  // Indices that repeat along an axis are sorted once.
  const sizes = [indices.strides[0] === 0 ? 1 : outer, count, indices.strides[2] === 0 ? 1 : inner] as const;
  const lines: View = { ...plain(indices), shape: sizes };
  const order = context.scratch("int32", sizes);
  const repeated: View = {
    ...plain(order),
    shape: updates.shape,
    strides: order.strides.map((stride, axis) => ((sizes[axis] as number) === updates.shape[axis] ? stride : 0)),
  };
  return [...argsortStages(lines, order, false, context), sumStage(indices, updates, out, repeated)];
}

const plain = ({ storage, dtype, shape, strides, offset }: View): View => ({ storage, dtype, shape, strides, offset });

function sumStage(indices: View, updates: View, out: View, order: View | null): Stage {
  return {
    lanes: 128,
    loops: true,
    print: (shader) => {
      const [places, added, target] = [shader.view(indices), shader.view(updates), shader.view(out, true)];
      const sorted = order && shader.view(order);
      const count = shader.size(updates.shape[1] as number);
      const type = target.type === "bool" ? "u32" : target.type;
      const u32 = (text: string) => shader.let({ type: "u32", text }).text;
      return eachElement(shader, out.shape, (...at) => {
        const [i, l, k] = at as readonly string[] as [string, string, string];
        const [total, sum, n, filled] = ["total", "sum", "n", "filled"].map((name) => shader.name(name)) as [
          string,
          string,
          string,
          string,
        ];
        const indexAt = (place: string) => u32(convert(places.load(places.at(i, place, k)), "u32"));
        shader.line(`var ${total} = ${type}(0);`);
        shader.line(`var ${sum} = ${type}(0);`);
        shader.line(`var ${filled} = 0u;`);
        const add = (place: string) => {
          shader.line(`${sum} += ${convert(added.load(added.at(i, place, k)), type)};`);
          shader.line(`${filled}++;`);
          shader.line(`if (${filled} == ${block}u) { ${total} += ${sum}; ${sum} = ${type}(0); ${filled} = 0u; }`);
        };
        if (sorted === null) {
          shader.line(`for (var ${n} = 0u; ${n} < ${count}; ${n}++) {`);
          shader.line(`if (${indexAt(n)} == ${l}) {`);
          add(n);
          shader.line("}}");
        } else {
          const placeAt = (position: string) => u32(convert(sorted.load(sorted.at(i, position, k)), "u32"));
          // As the indices were sorted, those out of range included.
          const ordered = (text: string) => (places.type === "i32" ? `bitcast<i32>(${text})` : text);
          printLowerBound(shader, n, count, (middle) => `${ordered(indexAt(placeAt(middle)))} < ${ordered(l)}`);
          shader.line(`for (; ${n} < ${count}; ${n}++) {`);
          const place = placeAt(n);
          shader.line(`if (${indexAt(place)} != ${l}) { break; }`);
          add(place);
          shader.line("}");
        }
        shader.line(target.store(target.at(...at), { type, text: `(${total} + ${sum})` }));
      });
    },
  };
}

/** Declares `name`: how many positions below `count` come before what is looked for. */
function printLowerBound(
  shader: ShaderBuilder,
  name: string,
  count: string,
  before: (position: string) => string,
): void {
  const end = shader.name("end");
  shader.line(`var ${name} = 0u;`);
  shader.line(`var ${end} = ${count};`);
  shader.line(`while (${name} < ${end}) {`);
  const middle = shader.let({ type: "u32", text: `(${name} + ${end}) / 2u` }).text;
  shader.line(`if (${before(middle)}) { ${name} = ${middle} + 1u; } else { ${end} = ${middle}; }`);
  shader.line("}");
}
