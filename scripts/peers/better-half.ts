// What several rounds say, where the machine sometimes does something else in the meantime: noise only ever makes a round slower, so
// the better half of a server's rounds counts, the same for everybody.

const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

/** The mean of the larger half of the numbers, the middle one of an odd count included. NaN for none. */
export function betterHalf(rates: readonly number[]): number {
  const sorted = rates.toSorted((left, right) => right - left);
  return mean(sorted.slice(0, Math.ceil(sorted.length / 2)));
}

/** As {@link betterHalf}, for what is better when it is less. */
export function lesserHalf(durations: readonly number[]): number {
  return -betterHalf(durations.map((duration) => -duration));
}
