/** The appends that one write answers: they share one promise, since they succeed and fail together. */
export type FlushGroup = ReturnType<typeof Promise.withResolvers<void>>;

export function makeFlushGroup(): FlushGroup {
  return Promise.withResolvers<void>();
}

/** For appends that are done when they return. */
export const settled: Promise<void> = Promise.resolve();
