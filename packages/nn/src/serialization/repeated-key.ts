/** A name that an object of a valid JSON text has twice, of which `JSON.parse` would keep the last. */
export function repeatedKey(json: string): string | undefined {
  const objects: (Set<string> | null)[] = [];
  let text = "";
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === "{") objects.push(new Set());
    else if (token === "[") objects.push(null);
    else if (token === "}" || token === "]") objects.pop();
    else if (token !== ":") text = token;
    else {
      const key = JSON.parse(text) as string;
      const names = objects.at(-1) as Set<string>;
      if (names.has(key)) return key;
      names.add(key);
    }
  }
  return undefined;
}
