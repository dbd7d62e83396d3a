/** Lets the first of each kind of news through, and again after a while: for log lines that strangers can cause at will. */
export class NowAndThen<Kind> {
  readonly #toldMs = new Map<Kind, number>();

  isNews(kind: Kind): boolean {
    const nowMs = performance.now();
    if (nowMs - (this.#toldMs.get(kind) ?? Number.NEGATIVE_INFINITY) < silenceMs) return false;
    this.#toldMs.set(kind, nowMs);
    return true;
  }
}

const silenceMs = 10_000;
