import type { Variable } from "@robgrad/autograd";
import { codedError, type Tensor } from "@robgrad/tensor";
import { asVariable, Link, type ForwardOptions } from "../link.js";
import type { Layer } from "../sequential.js";

/**
 * A layer beside a way around it.
 *
 *   y = f(x) + s(x),   s(x) = x unless given
 *
 * @param body     f: a link, or a function of a Variable.
 * @param options  `shortcut` s, for an f that changes the shape.
 * @throws         BAD_ARGUMENT for anything else; SHAPE_MISMATCH in `forward` where f(x) and s(x) differ in shape.
 * @see            K. He et al. (2016), Deep residual learning, equations (1) and (2).
 * @example        const block = new Residual(new Sequential(new Linear(4, 4, { rng: device.rng(0) }), relu));
 */
export class Residual extends Link {
  readonly body: Layer;
  readonly shortcut: Layer | null;

  constructor(body: Layer, { shortcut }: { readonly shortcut?: Layer } = {}) {
    super();
    for (const layer of [body, shortcut]) {
      if (layer === undefined && layer !== body) continue;
      if (!(layer instanceof Link) && typeof layer !== "function")
        throw codedError("BAD_ARGUMENT", `Residual: expected links and functions, found ${typeof layer}`);
    }
    this.body = body;
    this.shortcut = shortcut ?? null;
  }

  /** f(x) + s(x) */
  forward(x: Variable | Tensor, options: ForwardOptions = {}): Variable {
    const input = asVariable("Residual", x);
    const through = (layer: Layer) => (layer instanceof Link ? layer.forward(input, options) : layer(input, options));
    const y = through(this.body);
    const around = this.shortcut === null ? input : through(this.shortcut);
    if (y.shape.length !== around.shape.length || y.shape.some((extent, axis) => extent !== around.shape[axis])) {
      throw codedError(
        "SHAPE_MISMATCH",
        `Residual: expected both ways to have one shape, found [${y.shape.join(", ")}] through the body and [${around.shape.join(", ")}] around it; give a shortcut`,
      );
    }
    return y.add(around);
  }
}
