/** Settings given as KEY=VALUE; a value may hold further signs. */
export function settingsOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const sign = pair.indexOf("=");
      return [pair.slice(0, sign), pair.slice(sign + 1)];
    }),
  );
}
