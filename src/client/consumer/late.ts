// What comes a moment later, with a module that is loaded when it is first asked for: calls are carried out then, in their order.

/** A value that may not be there yet. Each call of a method that comes too early waits for it; where it never comes it rejects. */
export class Late<T extends object> {
  #value: T | undefined;
  readonly #coming: Promise<T>;

  constructor(value: T | Promise<T>) {
    this.#coming = Promise.resolve(value);
    if (!(value instanceof Promise)) this.#value = value;
    else
      value.then(
        (come) => {
          this.#value = come;
        },
        () => undefined, // told to whoever asks for something
      );
  }

  /** Undefined: not there yet. */
  get value(): T | undefined {
    return this.#value;
  }

  /** What it throws comes as a rejection, now and later. */
  async ask<R>(question: (value: T) => R | Promise<R>): Promise<R> {
    return question(this.#value ?? (await this.#coming));
  }

  /** Without an answer. Where the value never comes nothing is to be done. */
  tell(word: (value: T) => void): void {
    if (this.#value !== undefined) word(this.#value);
    else this.#coming.then(word, () => undefined);
  }

  /** An iterator of the value: its own one, if it is there. */
  iterate<Item>(open: (value: T) => AsyncIterableIterator<Item>): AsyncIterableIterator<Item> {
    return this.#value === undefined ? new LateIterator(this.#coming.then(open)) : open(this.#value);
  }
}

class LateIterator<Item> implements AsyncIterableIterator<Item> {
  #iterator: AsyncIterableIterator<Item> | undefined;
  readonly #coming: Promise<AsyncIterableIterator<Item>>;

  constructor(coming: Promise<AsyncIterableIterator<Item>>) {
    this.#coming = coming;
    coming.then(
      (iterator) => {
        this.#iterator = iterator;
      },
      () => undefined, // `next` rejects with it
    );
  }

  next(): Promise<IteratorResult<Item>> {
    const iterator = this.#iterator;
    return iterator === undefined ? this.#coming.then((come) => come.next()) : iterator.next();
  }

  async return(): Promise<IteratorResult<Item>> {
    const iterator = this.#iterator ?? (await this.#coming);
    return (await iterator.return?.()) ?? { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
