// A part of the program that is loaded when it is first needed. Its files take descriptors, of which a flood of connections may leave
// none for a moment: so it is tried again for a while, and a failure is not remembered.

const attemptsMax = 20;
const pauseMs = 100;

export class LoadedLater<T> {
  readonly #load: () => Promise<T>;
  #loading: Promise<T> | undefined;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** Loads it, once for all who ask. Rejects with what the last attempt threw; who asks then begins anew. */
  get(): Promise<T> {
    this.#loading ??= this.#attempt().catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    });
    return this.#loading;
  }

  async #attempt(): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#load();
      } catch (error) {
        if (attempt === attemptsMax) throw error;
        await Bun.sleep(pauseMs);
      }
    }
  }
}
