// Failures that differ in numbers, or in how many are listed, are one kind: how often it came, with an example.

export class FailureKinds {
  readonly #kinds = new Map<string, { count: number; readonly example: string }>();

  /** `where`: what the example is to say besides the failure. */
  add(failure: string, where: string): void {
    const kind = failure
      .split("\n", 1)[0]!
      .replaceAll(/\d+/g, "N")
      .replaceAll(/(, N?)+/g, ", …");
    const known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, { count: 1, example: `${where}: ${failure}` });
    else known.count++;
  }

  /** One kind after the other, with the example of each. */
  print(): void {
    for (const [kind, { count, example }] of [...this.#kinds].sort(([left], [right]) => (left < right ? -1 : 1))) {
      console.log(`${String(count).padStart(7)} × ${kind}\n          ${example}`);
    }
  }
}
