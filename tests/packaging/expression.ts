// Takes expressions of Prometheus apart, as far as a test needs it: which metrics they ask for and which labels they name.

/** Words that are neither a metric nor a function. */
const keywords = new Set([
  "and",
  "or",
  "unless",
  "by",
  "without",
  "on",
  "ignoring",
  "offset",
  "bool",
  "group_left",
  "group_right",
]);

export interface ExpressionParts {
  readonly names: readonly string[];
  readonly labels: readonly string[];
}

/** Each name once, in the order in which it comes. Text in quotation marks, ranges and numbers are passed over. */
export function metricsOf(expression: string): ExpressionParts {
  const names = new Set<string>();
  const labels = new Set<string>();
  const plain = expression.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\[[^\]]*\]/g, "");
  const withoutLists = plain
    .replace(/\{([^}]*)\}|\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g, (_, matchers, list) => {
      for (const [word] of String(matchers ?? list).matchAll(/[a-zA-Z_]\w*/g)) labels.add(word);
      return " ";
    })
    .replace(/\boffset\s+\w+/g, "")
    .replace(/\b\d[\w.]*/g, "");
  for (const { 0: word, index } of withoutLists.matchAll(/[a-zA-Z_:][\w:]*/g)) {
    const isFunction = /^\s*\(/.test(withoutLists.slice(index + word.length));
    if (!isFunction && !keywords.has(word)) names.add(word);
  }
  return { names: [...names], labels: [...labels] };
}
