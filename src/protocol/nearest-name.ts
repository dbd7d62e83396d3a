// The name that somebody may have meant.

/** Changes, insertions and removals of characters that make `a` of `b`. */
export function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The one of `names` with the fewest differences; the first of equals. */
export function nearestName(name: string, names: readonly string[]): string {
  let nearest = names[0] ?? "";
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of names) {
    const distance = distanceOf(name, candidate);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}
