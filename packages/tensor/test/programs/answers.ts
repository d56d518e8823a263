import { concat, denseSamples, eigh, iterate, outer, tidy, where, type Device } from "@robgrad/tensor";

/** Numbers from every kind of kernel. */
export async function answers(device: Device): Promise<Record<string, unknown>> {
  const x = device.linspace(-2, 3, 24, { dtype: "float64" }).reshape([4, 6]);
  const rng = device.rng(7);
  const noise = rng.normal([4, 6], { dtype: "float64" });
  rng.dispose();
  const samples = outer(noise, x);
  const tensors = tidy(() => ({
    map: x.map((u, v) => where(u.greater(v!), u.tanh().mul(2), v!.square()), noise),
    integers: x.mul(1e9).cast("int32").mul(7).add(3).remainder(1000),
    sum: x.sum({ axis: 1 }),
    argmax: noise.argmax({ axis: 0 }),
    variance: noise.variance({ axis: 0, correction: 1 }),
    product: x.transpose().matmul(noise),
    sorted: noise.sort({ axis: 0 }),
    gathered: x.gather(device.tensor([3, 0], { dtype: "int32" })),
    joined: concat([x, noise], { axis: 1 }),
    noise,
    eigenvalues: eigh(noise.transpose().matmul(noise)).values,
    root: iterate(device.tensor(2, { dtype: "float64" }), (r) => r.add(r.reciprocal().mul(2)).mul(0.5), {
      maximum: 30,
      until: (next, previous) => next.sub(previous).abs().less(1e-12),
    }),
    mean: samples.mean((g) => g.clamp(-1, 1)),
    trimmed: samples.columns((c) => c.sorted().slice(1, 3).mean()),
    median: denseSamples(noise).columns((c) => c.median()),
    location: denseSamples(noise).columns((c) =>
      c.iterate(c.median(), (m) => m.add(c.mean((v, u) => v.sub(u!).tanh(), m)), { maximum: 50, tolerance: 1e-10 }),
    ),
    mixed: samples
      .mix(device.full([2, 4], 0.25, { dtype: "float64" }))
      .columns((c, k) => c.max((v) => v.abs()).mul(k!), device.arange(36, { dtype: "float64" })),
  }));
  const entries = Object.entries(tensors).map(async ([name, tensor]) => [name, await tensor.toArray()] as const);
  return Object.fromEntries(await Promise.all(entries));
}
