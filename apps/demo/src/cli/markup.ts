const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** HTML that needs no more escaping. */
export class Markup {
  constructor(readonly text: string) {}
}

type Value = string | number | Markup | readonly (string | number | Markup)[];

/** HTML with its values escaped, but for those that are markup already. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Markup {
  const escape = (value: string | number | Markup) =>
    value instanceof Markup ? value.text : String(value).replace(/[&<>"']/g, (character) => entities[character]!);
  return new Markup(
    strings.reduce((text, part, k) => {
      const value = values[k - 1]!;
      return (
        text + (Array.isArray(value) ? value.map(escape).join("") : escape(value as string | number | Markup)) + part
      );
    }),
  );
}
