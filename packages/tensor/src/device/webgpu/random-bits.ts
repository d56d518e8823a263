import type { View } from "../../kernel/kernel.js";
import { eachElement } from "./elements.js";
import type { Stage } from "./shader.js";

/** One block of Threefry-2x32 with 20 rounds; `threefry` in random/ is the same on the host. */
const threefry = `fn threefry(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32> {
  let keys = array<u32, 3>(key.x, key.y, key.x ^ key.y ^ 0x1bd11bdau);
  var rotations = array<u32, 8>(13u, 15u, 26u, 6u, 17u, 29u, 16u, 24u);
  var x = counter + key;
  for (var turn = 0u; turn < 5u; turn++) {
    for (var round = 0u; round < 4u; round++) {
      let r = rotations[(turn % 2u) * 4u + round];
      x.x += x.y;
      x.y = ((x.y << r) | (x.y >> (32u - r))) ^ x.x;
    }
    x.x += keys[(turn + 1u) % 3u];
    x.y += keys[(turn + 2u) % 3u] + turn + 1u;
  }
  return x;
}`;

/** key uint32 [2], counter uint32 [1] → uint32 [n]: words 2i + lane of the draw, shifted right. */
export function randomBitsStage(key: View, counter: View, out: View, lane: number, shift: number): Stage {
  return {
    lanes: 128,
    loops: true,
    print: (shader) => {
      const [keys, draws, target] = [shader.view(key), shader.view(counter), shader.view(out, true)];
      const count = out.shape.reduce((product, extent) => product * extent, 1);
      const block = shader.declare("threefry", threefry);
      const first = shader.let(keys.load(keys.offset)).text;
      const second = shader.let(keys.load(`${keys.offset} + ${keys.stride(0)}`)).text;
      const draw = shader.let(draws.load(draws.offset)).text;
      return eachElement(shader, [count], (i) => {
        const word = `${block}(vec2<u32>(${first}, ${second}), vec2<u32>(${draw}, ${i as string})).${lane === 0 ? "x" : "y"}`;
        const text = `${word} >> ${shader.size(shift)}`;
        shader.line(target.store(`${target.offset} + ${i as string}`, { type: "u32", text }));
      });
    },
  };
}
