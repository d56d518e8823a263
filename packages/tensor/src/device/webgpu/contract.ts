import type { ContractKernel, ReduceKernel, View } from "../../kernel/kernel.js";
import { apply, input } from "../../scalar/expression.js";
import { printFormula } from "./formula.js";
import { reduceStages } from "./reduce.js";
import type { PrintContext, ShaderBuilder, Stage, Value } from "./shader.js";

/** Invocations of a workgroup that computes a tile, as a square. */
const side = 16;
/** Terms of a product that are added one after another; the sums of such blocks are added then. */
const block = 32;
/** Products with fewer multiplications than this are not worth tiles. */
const fewestForTiles = 2 ** 15;
/** Workgroups that keep a card busy. */
const busy = 128;

interface Sizes {
  readonly batches: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

const sizesOf = ({ out, a }: ContractKernel): Sizes => {
  const [batches, rows, columns] = out.shape as readonly [number, number, number];
  return { batches, rows, columns, depth: a.shape[2] as number };
};

/** out[b, m, n] = Σₖ a[b, m, k] · c[b, k, n]: direct where small, tiled where large, the depth shared where tiles are few. */
export function contractStages(kernel: ContractKernel, context: PrintContext): Stage[] {
  const sizes = sizesOf(kernel);
  const { batches, rows, columns, depth } = sizes;
  if (context.single && batches * rows * columns <= 8 && depth >= 8 && kernel.operands.length === 0) {
    return reduceStages(asReduction(kernel), context);
  }
  if (Math.min(rows, columns) < 8 || batches * rows * columns * depth < fewestForTiles) {
    const outputs = batches * rows * columns;
    if (outputs >= 2048 || depth < 512) return [direct(kernel, sizes)];
    return split(kernel, sizes, Math.min(64, Math.ceil(depth / 128)), context, null);
  }
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize } = context.limits;
  const tilesOf = (per: number) => batches * Math.ceil(rows / (side * per)) * Math.ceil(columns / (side * per));
  if (maxComputeInvocationsPerWorkgroup < side * side) return [direct(kernel, sizes)];
  const large = tilesOf(8) >= busy && maxComputeWorkgroupStorageSize >= 16384;
  const per = large ? 8 : 4;
  const tiles = tilesOf(per);
  const parts = tiles >= busy ? 1 : Math.min(Math.ceil(busy / tiles), Math.floor(depth / 128));
  if (parts <= 1) return [tiled(kernel, sizes, per, maxComputeWorkgroupStorageSize)];
  return split(kernel, sizes, parts, context, per);
}

/** A product with few outputs as a sum that invocations share. */
function asReduction({ out, a, b, epilogue }: ContractKernel): ReduceKernel {
  const [batches, rows, columns] = out.shape as readonly [number, number, number];
  const depth = a.shape[2] as number;
  const shape = [batches, rows, columns, depth];
  const [ab, am, ak] = a.strides as readonly [number, number, number];
  const [bb, bk, bn] = b.strides as readonly [number, number, number];
  const operands: View[] = [
    { ...a, shape, strides: [ab, am, 0, ak] },
    { ...b, shape, strides: [bb, 0, bn, bk] },
  ];
  return { form: "reduce", out, shape, axes: [3], monoid: "sum", f: product, epilogue, operands };
}

const product = apply("mul", input(0), input(1));

/** Several invocations or workgroups share the terms of an output; a second dispatch adds what they found. */
function split(
  kernel: ContractKernel,
  { batches, rows, columns, depth }: Sizes,
  parts: number,
  context: PrintContext,
  per: number | null,
): Stage[] {
  // A multiple of the block, so that parts begin where blocks do.
  const share = block * Math.ceil(depth / parts / block);
  const count = Math.ceil(depth / share);
  const whole = Math.floor(depth / share);
  const partial = context.scratch("float32", [count, batches, rows, columns]);
  const area = batches * rows * columns;
  const first = (steps: number, from: number): ContractKernel => {
    const along = (view: View, axis: number): View => {
      const shape = [...view.shape];
      shape[axis] = steps;
      return { ...view, shape, offset: view.offset + from * share * (view.strides[axis] as number) };
    };
    const out: View = {
      ...partial,
      shape: [batches, rows, columns],
      strides: [rows * columns, columns, 1],
      offset: partial.offset + from * area,
    };
    return { form: "contract", out, a: along(kernel.a, 2), b: along(kernel.b, 1), epilogue: null, operands: [] };
  };
  const print = (part: ContractKernel, repeat: Repeat | null): Stage => {
    const sizes = sizesOf(part);
    return per === null
      ? direct(part, sizes, repeat)
      : tiled(part, sizes, per, context.limits.maxComputeWorkgroupStorageSize, repeat);
  };
  const stages: Stage[] = [];
  if (whole > 0) {
    const stepA = share * (kernel.a.strides[2] as number);
    const stepB = share * (kernel.b.strides[1] as number);
    stages.push(print(first(share, 0), { count: whole, out: area, a: stepA, b: stepB }));
  }
  if (whole < count) stages.push(print(first(depth - whole * share, whole), null));
  stages.push(summed(kernel, partial, count));
  return stages;
}

/** The same product at several places, which differ by these distances. */
interface Repeat {
  readonly count: number;
  readonly out: number;
  readonly a: number;
  readonly b: number;
}

/** Stores a sum, or what the epilogue makes of it, at an index. */
function storing(shader: ShaderBuilder, { out, epilogue, operands }: ContractKernel) {
  const written = shader.view(out, true);
  const read = operands.map((operand) => shader.view(operand));
  return (sum: string, [b, m, n]: readonly [string, string, string], beyond = ""): void => {
    const result: Value = { type: "f32", text: sum };
    const value =
      epilogue === null
        ? result
        : printFormula(shader, epilogue, (k) => {
            if (k === 0) return result;
            const view = read[k - 1] as (typeof read)[number];
            return view.load(view.at(b, m, n));
          });
    shader.line(written.store(written.at(b, m, n) + beyond, value));
  };
}

/** Adds the parts of every output. */
function summed(kernel: ContractKernel, partial: View, parts: number): Stage {
  const { batches, rows, columns } = sizesOf(kernel);
  const area = batches * rows * columns;
  return {
    lanes: 64,
    loops: true,
    print: (shader) => {
      const read = shader.view(partial);
      const store = storing(shader, kernel);
      const i = shader.name("n");
      const step = `${shader.lanes}u`;
      const size = shader.size(area);
      shader.line(`for (var ${i} = group * ${step} + lane; ${i} < ${size}; ${i} += groups * ${step}) {`);
      const sum = shader.name("sum");
      shader.line(`var ${sum} = 0.0;`);
      const p = shader.name("p");
      shader.line(`for (var ${p} = 0u; ${p} < ${shader.size(parts)}; ${p}++) {`);
      shader.line(`${sum} += ${read.load(`${read.offset} + ${p} * ${size} + ${i}`).text};`);
      shader.line("}");
      store(sum, indices(shader, i, rows, columns));
      shader.line("}");
      return Math.ceil(area / shader.lanes);
    },
  };
}

function indices(shader: ShaderBuilder, i: string, rows: number, columns: number): [string, string, string] {
  const [row, b, m, n] = [shader.name("r"), shader.name("b"), shader.name("m"), shader.name("n")];
  shader.line(`let ${row} = ${i} / ${shader.size(columns)};`);
  shader.line(`let ${n} = ${i} - ${row} * ${shader.size(columns)};`);
  shader.line(`let ${b} = ${row} / ${shader.size(rows)};`);
  shader.line(`let ${m} = ${row} - ${b} * ${shader.size(rows)};`);
  return [b, m, n];
}

/** An output an invocation. */
function direct(kernel: ContractKernel, sizes: Sizes, repeat: Repeat | null = null): Stage {
  const { batches, rows, columns, depth } = sizes;
  const area = batches * rows * columns;
  const all = area * (repeat?.count ?? 1);
  return {
    lanes: 64,
    loops: true,
    print: (shader) => {
      const [a, b] = [shader.view(kernel.a), shader.view(kernel.b)];
      const store = storing(shader, kernel);
      const item = shader.name("w");
      const step = `${shader.lanes}u`;
      shader.line(
        `for (var ${item} = group * ${step} + lane; ${item} < ${shader.size(all)}; ${item} += groups * ${step}) {`,
      );
      const place = placeOf(shader, item, area, repeat);
      const [batch, m, n] = indices(shader, place.item, rows, columns);
      const [sum, part, k, from, stop] = ["sum", "part", "k", "from", "stop"].map((p) => shader.name(p)) as [
        string,
        string,
        string,
        string,
        string,
      ];
      const end = shader.size(depth);
      const [pa, pb] = [shader.name("pa"), shader.name("pb")];
      shader.line(`var ${pa} = ${a.offset} + ${batch} * ${a.stride(0)} + ${m} * ${a.stride(1)}${place.a};`);
      shader.line(`var ${pb} = ${b.offset} + ${batch} * ${b.stride(0)} + ${n} * ${b.stride(2)}${place.b};`);
      shader.line(`var ${sum} = 0.0;`);
      shader.line(`for (var ${from} = 0u; ${from} < ${end}; ${from} += ${block}u) {`);
      shader.line(`let ${stop} = min(${end}, ${from} + ${block}u);`);
      shader.line(`var ${part} = 0.0;`);
      shader.line(`for (var ${k} = ${from}; ${k} < ${stop}; ${k}++) {`);
      shader.line(`${part} += ${a.load(pa).text} * ${b.load(pb).text};`);
      shader.line(`${pa} += ${a.stride(2)}; ${pb} += ${b.stride(1)};`);
      shader.line("}");
      shader.line(`${sum} += ${part};`);
      shader.line("}");
      store(sum, [batch, m, n], place.out);
      shader.line("}");
      return Math.ceil(all / shader.lanes);
    },
  };
}

/** Which repetition an item is of, and how far that moves the operands. */
function placeOf(
  shader: ShaderBuilder,
  item: string,
  each: number,
  repeat: Repeat | null,
): { readonly item: string; readonly out: string; readonly a: string; readonly b: string } {
  if (repeat === null) return { item, out: "", a: "", b: "" };
  const [r, rest] = [shader.name("r"), shader.name("rest")];
  shader.line(`let ${r} = ${item} / ${shader.size(each)};`);
  shader.line(`let ${rest} = ${item} - ${r} * ${shader.size(each)};`);
  const by = (distance: number) => ` + ${r} * ${shader.size(distance)}`;
  return { item: rest, out: by(repeat.out), a: by(repeat.a), b: by(repeat.b) };
}

/**
 * A tile of outputs a workgroup, `per` × `per` of them an invocation: tiles of both operands pass through workgroup
 * memory, where every number that is loaded serves `per` products; the next tiles are on their way meanwhile.
 *
 * A tile lies there as four columns of `quads` numbers side by side, vectors across them: neighbouring invocations then
 * load, and store, neighbours in memory.
 */
function tiled(
  kernel: ContractKernel,
  sizes: Sizes,
  per: number,
  storage: number,
  repeat: Repeat | null = null,
): Stage {
  const { batches, rows, columns, depth } = sizes;
  const tile = side * per;
  const quads = tile / 4;
  // One more vector in a row keeps invocations that write along the depth out of each other's banks.
  const padded = 2 * thick * (quads + 1) * 16 <= storage ? quads + 1 : quads;
  const tilesDown = Math.ceil(rows / tile);
  const tilesAcross = Math.ceil(columns / tile);
  const each = batches * tilesDown * tilesAcross;
  const all = each * (repeat?.count ?? 1);
  return {
    lanes: side * side,
    loops: false,
    print: (shader) => {
      const store = storing(shader, kernel);
      const tiles = shader.shared("vec4<f32>", 2 * thick * padded);
      const size = { rows: shader.size(rows), columns: shader.size(columns), depth: shader.size(depth) };
      const item = shader.name("w");
      shader.line(`for (var ${item} = group; ${item} < ${shader.size(all)}; ${item} += groups) {`);
      const place = placeOf(shader, item, each, repeat);
      shader.line(`let row = ${place.item} / ${shader.size(tilesAcross)};`);
      shader.line(`let across = (${place.item} - row * ${shader.size(tilesAcross)}) * ${tile}u;`);
      shader.line(`let batch = row / ${shader.size(tilesDown)};`);
      shader.line(`let down = (row - batch * ${shader.size(tilesDown)}) * ${tile}u;`);
      shader.line(`let x = lane % ${side}u;`);
      shader.line(`let y = lane / ${side}u;`);
      const loaders = [
        loaderOf(shader, kernel.a, { name: "a", axes: [1, 2], moved: place.a, first: "down", extent: size.rows }),
        loaderOf(shader, kernel.b, { name: "b", axes: [2, 1], moved: place.b, first: "across", extent: size.columns }),
      ].map((make) => make(quads, size.depth));
      const halves = Array.from({ length: per / 4 }, (_, j) => j);
      const each1 = Array.from({ length: per }, (_, i) => i);
      for (const i of each1) for (const j of halves) shader.line(`var sum${i}_${j} = vec4<f32>(0.0);`);
      shader.line("var reached = 0u;");
      for (const { load } of loaders) load();
      shader.line("loop {");
      shader.line("workgroupBarrier();");
      loaders.forEach(({ keep }, k) => keep(tiles, k * thick * padded, padded));
      shader.line("workgroupBarrier();");
      shader.line(`reached += ${thick}u;`);
      shader.line(`if (reached < ${size.depth}) {`);
      for (const { load } of loaders) load();
      shader.line("}");
      shader.line(`for (var k = 0u; k < ${thick}u; k++) {`);
      for (const j of halves) {
        shader.line(`let left${j} = ${tiles}[k * ${padded}u + y + ${side * j}u];`);
        shader.line(`let right${j} = ${tiles}[${thick * padded}u + k * ${padded}u + x + ${side * j}u];`);
      }
      for (const i of each1) {
        const one = `left${Math.floor(i / 4)}.${"xyzw"[i % 4] as string}`;
        for (const j of halves) shader.line(`sum${i}_${j} = fma(vec4<f32>(${one}), right${j}, sum${i}_${j});`);
      }
      shader.line("}");
      shader.line(`if (reached >= ${size.depth}) { break; }`);
      shader.line("}");
      for (const i of each1) {
        const m = shader.name("m");
        shader.line(`let ${m} = down + y + ${side * Math.floor(i / 4) + quads * (i % 4)}u;`);
        shader.line(`if (${m} < ${size.rows}) {`);
        for (const j of halves) {
          for (let c = 0; c < 4; c++) {
            const n = shader.name("n");
            shader.line(`let ${n} = across + x + ${side * j + quads * c}u;`);
            shader.line(`if (${n} < ${size.columns}) {`);
            store(`sum${i}_${j}.${"xyzw"[c] as string}`, ["batch", m, n], place.out);
            shader.line("}");
          }
        }
        shader.line("}");
      }
      shader.line("}");
      return all;
    },
  };
}

/** Terms of a product that pass through workgroup memory at a time. */
const thick = 16;

interface Loading {
  readonly name: string;
  /** The axis of the outputs, and that of the depth. */
  readonly axes: readonly [number, number];
  /** How far the repetition moves it. */
  readonly moved: string;
  /** The first output of the tile, and how many there are. */
  readonly first: string;
  readonly extent: string;
}

/** Prints loads of an operand's next tile into variables, and what puts them into workgroup memory. */
function loaderOf(shader: ShaderBuilder, operand: View, { name, axes, moved, first, extent }: Loading) {
  const view = shader.view(operand);
  const [along, deep] = axes;
  // Neighbouring invocations load neighbours in memory where there is such an axis.
  const depthFirst = operand.strides[along] !== 1 && operand.strides[deep] === 1;
  return (quads: number, depth: string) => {
    shader.line(`let base_${name} = ${view.offset} + batch * ${view.stride(0)}${moved};`);
    const loads = Array.from({ length: (thick * quads) / (side * side) }, (_, e) => e);
    for (const e of loads) {
      const number = `(lane + ${e * side * side}u)`;
      const [k, quad] = depthFirst
        ? [`${number} % ${thick}u`, `${number} / ${thick}u`]
        : [`${number} / ${quads}u`, `${number} % ${quads}u`];
      shader.line(`let k_${name}${e} = ${k};`);
      shader.line(`let quad_${name}${e} = ${quad};`);
      shader.line(`let first_${name}${e} = ${first} + quad_${name}${e};`);
      shader.line(`var load_${name}${e} = vec4<f32>(0.0);`);
    }
    return {
      load: () => {
        for (const e of loads) {
          shader.line(`load_${name}${e} = vec4<f32>(0.0);`);
          shader.line(`if (reached + k_${name}${e} < ${depth}) {`);
          const at = shader.name("at");
          shader.line(
            `let ${at} = base_${name} + (reached + k_${name}${e}) * ${view.stride(deep)} + first_${name}${e} * ${view.stride(along)};`,
          );
          for (let c = 0; c < 4; c++) {
            const step = `${c * quads}u`;
            const value = view.load(`${at} + ${step} * ${view.stride(along)}`).text;
            shader.line(
              `if (first_${name}${e} + ${step} < ${extent}) { load_${name}${e}.${"xyzw"[c] as string} = ${value}; }`,
            );
          }
          shader.line("}");
        }
      },
      keep: (tiles: string, start: number, padded: number) => {
        for (const e of loads) {
          shader.line(`${tiles}[${start}u + k_${name}${e} * ${padded}u + quad_${name}${e}] = load_${name}${e};`);
        }
      },
    };
  };
}
