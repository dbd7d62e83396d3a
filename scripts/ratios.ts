// Medians, and how sure they are.

/** Resamples of the bootstrap that gives the interval. */
const resamplesCount = 2000;

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[(sorted.length >> 1) - 1] ?? upper)) / 2;
}

/** Median and the interval in which it lies in 95 of 100 resamples. */
export function describedRatios(ratios: readonly number[]): string {
  const medians = Array.from({ length: resamplesCount }, () =>
    median(ratios.map(() => ratios[Math.floor(Math.random() * ratios.length)] ?? Number.NaN)),
  ).sort((left, right) => left - right);
  const bound = (share: number) => (medians[Math.floor(share * (resamplesCount - 1))] ?? Number.NaN).toFixed(3);
  return `${median(ratios).toFixed(3)} (${bound(0.025)} to ${bound(0.975)})`;
}
