/**
 * Why a formula is refused, in words for the page.
 *
 * @param refusal  The message of an error of `influence` or `rho`.
 */
export function formulaWords(refusal: string): string {
  const plain = refusal
    .replace(/^(influence|rho)(\(".*?"\))?: /s, "")
    .replace("hold the formula: { on: [-a, a] }", "hold the formula beyond some ±a, below")
    .replace("; write its derivative with influence(…)", "; write its derivative as ψ")
    .replace(/(.{600}).+/s, "$1 …");
  return `${plain[0]?.toUpperCase()}${plain.slice(1)}.`;
}
