// `Promise.withResolvers`, which Node 20 does not have.

export type Resolvers<T> = {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
};

/** A promise with the functions that settle it. */
export function withResolvers<T>(): Resolvers<T> {
  let resolve: (value: T) => void = noop;
  let reject: (reason: unknown) => void = noop;
  const promise = new Promise<T>((onValue, onReason) => {
    resolve = onValue;
    reject = onReason;
  });
  return { promise, resolve, reject };
}

function noop(): void {
  // Replaced before anybody can call it: the constructor of a promise calls its argument at once.
}
