// Prints what training on iris takes, and fails where that is more than its limit.
import { fetched } from "./fetched.js";

/** Bytes, minified and compressed, that the least trainer may take. */
const limit = 45_000;

const points = Array.from({ length: 30 }, (_, n) => [(n % 7) / 7, (n % 5) / 5]);
const labels = points.map((_, n) => n % 3);

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(9);

function print(title, { bytes, byPackage, byFile }) {
  console.log(`\n${title}: ${kilobytes(bytes).trim()} minified and compressed`);
  for (const [name, part] of [...byPackage].sort((a, b) => b[1] - a[1])) console.log(`${kilobytes(part)}  ${name}`);
  console.log(`  in files: ${[...byFile].map(([name, part]) => `${name} ${kilobytes(part).trim()}`).join(" · ")}`);
}

const least = await fetched("iris-trainer.js", async ({ train }) => {
  const loss = await train(points, labels, 5);
  if (!Number.isFinite(loss)) throw new Error(`expected a loss, found ${loss}`);
});
print("a trainer for iris on wasm, data not counted", least);
if (least.bytes > limit) {
  console.error(`\nexpected at most ${kilobytes(limit).trim()}`);
  process.exitCode = 1;
}
