/** What a rule's option can be on a command line. */
export type RuleOption = number | boolean | string;

/**
 * The value that a text stands for: `true`, `false`, a number, or else the text.
 *
 * @example  ruleOption("1e-3")   // 0.001
 */
export function ruleOption(text: string): RuleOption {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}
