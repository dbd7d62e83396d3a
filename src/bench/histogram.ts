// Latencies in whole microseconds, counted in log-linear buckets as HdrHistogram does: exact up to 255 µs, above that 128
// buckets for each doubling. A percentile is therefore at most 1/128 (0.8 %) above the true one and never below it.
// Recording is one array increment, histograms of many processes add up, and memory does not grow with the count.

/** Buckets for each doubling; the relative error is at most 1 divided by this. */
const bucketsPerDoubling = 128;
const bucketBits = 7;

/** Values up to 2^32 - 1 µs (71 minutes); a longer one counts as that. */
const valueMax = 2 ** 32 - 1;
const bucketsCount = bucketsPerDoubling * (32 - bucketBits + 1);

/** Largest relative error of a percentile. */
export const relativeErrorMax = 1 / bucketsPerDoubling;

/** What a histogram is between processes: plain data. `buckets` holds index and count in turn, without empty ones. */
export type HistogramData = {
  readonly count: number;
  readonly sumMicros: number;
  readonly minMicros: number;
  readonly maxMicros: number;
  readonly buckets: readonly number[];
};

function bucketOf(value: number): number {
  const shift = Math.max(0, 32 - bucketBits - 1 - Math.clz32(value));
  return shift * bucketsPerDoubling + (value >>> shift);
}

/** Largest value of a bucket. */
function bucketEnd(index: number): number {
  if (index < 2 * bucketsPerDoubling) return index;
  const shift = Math.floor(index / bucketsPerDoubling) - 1;
  return (index - shift * bucketsPerDoubling + 1) * 2 ** shift - 1;
}

export class Histogram {
  readonly #counts = new Float64Array(bucketsCount);
  #count = 0;
  #sumMicros = 0;
  #minMicros = valueMax;
  #maxMicros = 0;

  get count(): number {
    return this.#count;
  }

  /** Counts one latency, rounded to a whole microsecond; below 0 counts as 0. */
  record(micros: number): void {
    const value = Math.min(valueMax, Math.max(0, Math.round(micros)));
    const bucket = bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
    this.#sumMicros += value;
    if (value < this.#minMicros) this.#minMicros = value;
    if (value > this.#maxMicros) this.#maxMicros = value;
  }

  /** Adds everything that another histogram counted. */
  merge(data: HistogramData): void {
    for (let index = 0; index + 1 < data.buckets.length; index += 2) {
      const bucket = data.buckets[index] ?? 0;
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (data.buckets[index + 1] ?? 0);
    }
    this.#count += data.count;
    this.#sumMicros += data.sumMicros;
    if (data.count === 0) return;
    this.#minMicros = Math.min(this.#minMicros, data.minMicros);
    this.#maxMicros = Math.max(this.#maxMicros, data.maxMicros);
  }

  /** Smallest value that at least `percent` percent of the values do not exceed (nearest rank); 0 without values. */
  percentileMicros(percent: number): number {
    const rank = Math.max(1, Math.ceil((percent / 100) * this.#count - 1e-9));
    let seen = 0;
    for (let bucket = 0; bucket < bucketsCount; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return Math.min(bucketEnd(bucket), this.#maxMicros);
    }
    return this.#maxMicros;
  }

  /** Exact. */
  get maxMicros(): number {
    return this.#maxMicros;
  }

  /** Exact; 0 without values. */
  get minMicros(): number {
    return this.#count === 0 ? 0 : this.#minMicros;
  }

  /** Exact; 0 without values. */
  get meanMicros(): number {
    return this.#count === 0 ? 0 : this.#sumMicros / this.#count;
  }

  toData(): HistogramData {
    const buckets: number[] = [];
    for (let bucket = 0; bucket < bucketsCount; bucket++) {
      const count = this.#counts[bucket] ?? 0;
      if (count > 0) buckets.push(bucket, count);
    }
    const { minMicros, maxMicros } = this;
    return { count: this.#count, sumMicros: this.#sumMicros, minMicros, maxMicros, buckets };
  }
}
