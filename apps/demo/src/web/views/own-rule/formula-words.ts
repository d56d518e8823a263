/** Numbers with more digits than anybody reads. */
const long = /\d+\.?\d{5,}(?:e[+-]?\d+)?/g;

/**
 * Why a formula is refused, in words for the page.
 *
 * @param refusal  The message of an error of `influence` or `rho`.
 */
export function formulaWords(refusal: string): string {
  const plain = refusal
    .replace(/^(influence|rho)(\(".*?"\))?: /s, "")
    .replace(
      /expected values that settle before they leave float32, .* none at (\S+); hold the formula: .*/,
      "expected values that level off, found that they grow beyond float32, at x = $1; hold the formula beyond some ±a, above",
    )
    .replace("; write its derivative with influence(…)", "; write its derivative as ψ")
    .replace(/Maximum call stack size exceeded|too much recursion/, "it is nested too deeply")
    .replace(/"((?:[^"\\]|\\.){40})(?:[^"\\]|\\.){20,}"/g, '"$1…"')
    .replace(long, (number) => Number(number).toPrecision(4));
  return `${plain[0]?.toUpperCase()}${plain.slice(1)}.`;
}
