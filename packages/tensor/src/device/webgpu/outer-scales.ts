import type { Factors, View } from "../../kernel/kernel.js";
import { eachElement } from "./elements.js";
import { convert, type PrintContext, type ShaderBuilder, type Stage } from "./shader.js";

/** What is known of the columns of one factor [N, 1, columns] of an outer product. */
export interface ScaledFactor {
  readonly view: View;
  /** Columns whose largest magnitudes in a sample are known together. */
  readonly group: number;
  /** The largest magnitude in every column, [columns]. */
  readonly largest: View;
  /** The largest scaled magnitude in every sample and group of columns, [N, groups]. */
  readonly peaks: View;
}

export interface ScaledOuter {
  readonly delta: ScaledFactor;
  readonly x: ScaledFactor;
}

/** Stages that look at both factors before products of them are summed. */
export function scaleStages(
  { delta, x }: Factors & { readonly kind: "expanded" },
  group: number,
  { scratch }: PrintContext,
): { readonly stages: readonly Stage[]; readonly scaled: ScaledOuter } {
  const scaledFactor = (view: View): ScaledFactor => {
    const [samples, , columns] = view.shape as unknown as readonly [number, number, number];
    return {
      view,
      group,
      largest: scratch("float32", [columns]),
      peaks: scratch("float32", [samples, Math.ceil(columns / group)]),
    };
  };
  const scaled = { delta: scaledFactor(delta), x: scaledFactor(x) };
  const stages = [scaled.delta, scaled.x].flatMap((factor) => [largestStage(factor), peaksStage(factor)]);
  return { stages, scaled };
}

/**
 * Text of the power of two that brings a column near 1, or back: multiplying by it is exact. Columns of zeros, of numbers
 * out of reach and of what is not finite are left alone.
 */
export function scaleOf(shader: ShaderBuilder, largest: string, which: "down" | "up"): string {
  const name = shader.declare(
    `scale_${which}`,
    `fn scale_${which}(largest: f32) -> f32 {
      let exponent = bitcast<u32>(largest) & 0x7f800000u;
      let known = exponent >= 0x0d800000u && exponent <= 0x71800000u;
      return bitcast<f32>(select(0x3f800000u, ${which === "up" ? "exponent" : "0x7f000000u - exponent"}, known));
    }`,
  );
  return `${name}(${largest})`;
}

function largestStage({ view, largest }: ScaledFactor): Stage {
  return {
    lanes: 64,
    loops: false,
    print: (shader) => {
      const [source, target] = [shader.view(view), shader.view(largest, true)];
      const samples = shader.size(view.shape[0] as number);
      return eachElement(shader, largest.shape, (column) => {
        const [bits, n] = [shader.name("bits"), shader.name("n")];
        // By bits, so that NaN is the largest of all.
        shader.line(`var ${bits} = 0u;`);
        shader.line(`for (var ${n} = 0u; ${n} < ${samples}; ${n}++) {`);
        const value = convert(source.load(source.at(n, "0u", column as string)), "f32");
        shader.line(`${bits} = max(${bits}, bitcast<u32>(${value}) & 0x7fffffffu);`);
        shader.line("}");
        shader.line(target.store(target.at(column as string), { type: "f32", text: `bitcast<f32>(${bits})` }));
      });
    },
  };
}

function peaksStage({ view, group, largest, peaks }: ScaledFactor): Stage {
  return {
    lanes: 64,
    loops: false,
    print: (shader) => {
      const [source, scales, target] = [shader.view(view), shader.view(largest), shader.view(peaks, true)];
      const columns = shader.size(view.shape[2] as number);
      return eachElement(shader, peaks.shape, (...at) => {
        const [n, groupAt] = at as readonly string[] as [string, string];
        const bits = shader.name("bits");
        shader.line(`var ${bits} = 0u;`);
        for (let k = 0; k < group; k++) {
          const text = `min(${groupAt} * ${group}u + ${k}u, ${columns} - 1u)`;
          const column = shader.let({ type: "u32", text }).text;
          const value = convert(source.load(source.at(n, "0u", column)), "f32");
          const scale = scaleOf(shader, convert(scales.load(scales.at(column)), "f32"), "down");
          shader.line(`${bits} = max(${bits}, bitcast<u32>(${value} * ${scale}) & 0x7fffffffu);`);
        }
        shader.line(target.store(target.at(...at), { type: "f32", text: `bitcast<f32>(${bits})` }));
      });
    },
  };
}
