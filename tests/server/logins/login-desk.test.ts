import { describe, expect, test } from "bun:test";
import { PasswordMemory } from "../../../src/security/password.ts";
import {
  LoginDesk,
  waitingMax,
  waitingOfNetworkMax,
  waitingOfSlowedNetworkMax,
} from "../../../src/server/logins/login-desk.ts";
import type { DeskRequest } from "../../../src/server/logins/messages.ts";

/** A desk whose clock and turns the test moves. A hash is the password behind `hash of`; what was done is in `log`. */
class TestDesk {
  readonly log: string[] = [];
  hashes = 0;
  nowMs = 1_000_000;
  readonly #scheduled: { readonly call: () => void; readonly atMs: number }[] = [];
  readonly desk = new LoginDesk({
    nowMs: () => this.nowMs,
    verify: (password, hash) => {
      this.hashes++;
      if (hash === "broken") throw new Error("no hash");
      return hash === `hash of ${password}`;
    },
    hash: (password) => {
      this.hashes++;
      return `hash of ${password}`;
    },
    memory: new PasswordMemory(),
    schedule: (call, delayMs) => this.#scheduled.push({ call, atMs: this.nowMs + delayMs }),
  });

  ask(label: string, request: DeskRequest): void {
    this.desk.ask(request, (answer) => this.log.push(`${label} ${answer.kind}`));
  }

  /** A login with the right password of `name`, or a wrong one. */
  try(label: string, host: string, name: string, password = "wrong"): void {
    this.ask(label, { kind: "password", address: `${host}:1`, name, password, passwordHash: `hash of ${name}-secret` });
  }

  right(label: string, host: string, name: string): void {
    this.try(label, host, name, `${name}-secret`);
  }

  /** Lets `forMs` pass, turn by turn. */
  run(forMs = 0): void {
    const endMs = this.nowMs + forMs;
    for (;;) {
      const next = this.#scheduled.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#scheduled.splice(this.#scheduled.indexOf(next), 1);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.call();
    }
    this.nowMs = endMs;
  }

  /** What was answered since the last call. */
  answers(): string[] {
    return this.log.splice(0);
  }
}

describe("an answer", () => {
  test("is right, wrong, wrong for a name that nobody has after the same work, a hash, or a fault that ends nothing", () => {
    const desk = new TestDesk();
    desk.right("a", "10.0.0.1", "ann");
    desk.try("b", "10.0.0.1", "ann");
    const nobody = { kind: "password", address: "10.0.0.1:1", name: "nobody", password: "x" } as const;
    desk.ask("c", { ...nobody, passwordHash: undefined });
    desk.run();
    desk.hashes = 0;
    desk.ask("d", { ...nobody, passwordHash: undefined });
    desk.run();
    expect(desk.hashes).toBe(1);
    desk.ask("e", { kind: "hash", address: "10.0.0.1:1", password: "new" });
    desk.ask("f", { ...nobody, passwordHash: "broken" });
    desk.ask("g", { kind: "wrongToken", address: "10.0.0.1:1" });
    desk.run(1000);
    expect(desk.answers()).toEqual(["a right", "b wrong", "c wrong", "d wrong", "e hashed", "f failed", "g wrong"]);
  });

  test("is one hash at a time: what arrives meanwhile is in before the next one", () => {
    const desk = new TestDesk();
    for (const label of ["a", "b", "c"]) desk.try(label, "10.0.0.1", "ann");
    desk.run();
    expect(desk.hashes).toBe(3);
    expect(desk.answers()).toEqual(["a wrong", "b wrong", "c wrong"]);
  });
});

describe("a password that was right", () => {
  test("needs no hash, and where it was, no turn", () => {
    const desk = new TestDesk();
    desk.right("first", "10.0.0.1", "ann");
    desk.run();
    expect(desk.hashes).toBe(1);
    desk.right("again", "10.0.0.1", "ann");
    expect(desk.answers()).toEqual(["first right", "again right"]);
    desk.right("elsewhere", "10.9.0.1", "ann");
    expect(desk.answers()).toEqual([]);
    desk.run();
    expect(desk.answers()).toEqual(["elsewhere right"]);
    expect(desk.hashes).toBe(1);
  });

  test("makes a fleet that came with it first pass without a hash each", () => {
    const desk = new TestDesk();
    for (let client = 0; client < 1000; client++) desk.right("client", "10.0.0.1", "ann");
    desk.run();
    expect(desk.answers()).toEqual(new Array(1000).fill("client right"));
    expect(desk.hashes).toBe(1);
  });

  test("is not told at once among many wrong ones: who hangs up on the others would know it", () => {
    const desk = new TestDesk();
    desk.right("first", "10.0.0.1", "ann");
    desk.run();
    for (let guess = 0; guess < 4; guess++) desk.try("guess", "10.0.0.1", "ann");
    desk.answers();
    desk.right("right", "10.0.0.1", "ann");
    expect(desk.answers()).toEqual([]);
    // Nor from another address of the network, which has never logged in.
    desk.right("beside", "10.0.0.2", "ann");
    expect(desk.answers()).toEqual([]);
    desk.run(10_000);
    expect(desk.answers().sort()).toEqual(["beside right", ...new Array(4).fill("guess wrong"), "right right"]);
  });
});

describe("failures", () => {
  test("slow a network, whatever the names and addresses, to a guess a second", () => {
    const desk = new TestDesk();
    for (let guess = 0; guess < 100; guess++) {
      desk.try("guess", `10.0.0.${guess}`, `name-${guess}`);
      desk.run(100);
    }
    desk.run(10_000);
    desk.answers();
    desk.hashes = 0;
    for (let second = 0; second < 60; second++) {
      for (let guess = 0; guess < 20; guess++) desk.try("guess", `10.0.0.${guess}`, `name-${second}-${guess}`);
      desk.run(1000);
    }
    expect(desk.hashes).toBeGreaterThan(50);
    expect(desk.hashes).toBeLessThanOrEqual(61);
  });

  test("are not forgiven for a success with a name of one's own", () => {
    const desk = new TestDesk();
    desk.right("own", "10.0.0.1", "eve");
    desk.run();
    desk.hashes = 0;
    for (let guess = 0; guess < 300; guess++) {
      desk.try("guess", "10.0.0.1", "root");
      desk.right("own", "10.0.0.1", "eve");
      desk.run(100);
    }
    expect(desk.hashes).toBeLessThan(40);
  });

  test("of a name slow only networks that have not logged in with it", () => {
    const desk = new TestDesk();
    desk.right("home", "10.0.0.1", "root");
    desk.run();
    for (let network = 0; network < 40; network++) {
      desk.try("guess", `20.0.${network}.1`, "root");
      desk.run(5000);
    }
    desk.answers();
    desk.try("guess", "20.1.0.1", "root");
    desk.run();
    desk.right("stranger", "30.0.0.1", "root");
    desk.right("neighbour", "10.0.0.2", "root");
    desk.right("other name", "30.0.0.2", "ann");
    desk.run(100);
    expect(desk.answers()).toEqual(["guess wrong", "other name right", "neighbour right"]);
    desk.run(5000);
    expect(desk.answers()).toEqual(["stranger right"]);
  });

  test("of others at the same address slow nobody whose password was right there", () => {
    const desk = new TestDesk();
    desk.right("first", "10.0.0.1", "ann");
    desk.run();
    for (let guess = 0; guess < 50; guess++) desk.try("guess", "10.0.0.1", "root");
    desk.answers();
    desk.right("again", "10.0.0.1", "ann");
    expect(desk.answers()).toEqual(["again right"]);
  });
});

describe("two hundred guesses from one address", () => {
  test("let one from another address of the network pass after at most one of them, though it was never seen", () => {
    const desk = new TestDesk();
    for (let guess = 0; guess < 200; guess++) desk.try("guess", "127.0.0.1", "root");
    desk.right("right", "127.0.0.2", "ann");
    desk.run(3000);
    const answers = desk.answers();
    expect(answers.filter((answer) => answer === "right right")).toHaveLength(1);
    expect(answers.indexOf("right right")).toBeLessThanOrEqual(1);
  });

  test("are refused beyond a few once it is known what they are, and never those of others", () => {
    const desk = new TestDesk();
    for (let guess = 0; guess < 200; guess++) desk.try("guess", "127.0.0.1", "root");
    desk.run(3000);
    const answers = desk.answers();
    const wrong = answers.filter((answer) => answer === "guess wrong").length;
    expect(answers.length - wrong).toBe(200 - wrong - desk.desk.waitingCount);
    expect(desk.desk.waitingCount).toBeLessThanOrEqual(waitingOfSlowedNetworkMax);
    while (desk.desk.waitingCount < waitingOfSlowedNetworkMax) desk.try("guess", "127.0.0.1", "root");
    desk.try("guess", "127.0.0.1", "root");
    expect(desk.answers()).toEqual(["guess refused"]);
    desk.right("right", "127.0.0.2", "ann");
    expect(desk.answers()).toEqual(["guess refused"]);
    desk.run(3000);
    expect(desk.answers()).toContain("right right");
  });
});

describe("bounds", () => {
  test("hold for a network and for all; whoever has most waiting is refused", () => {
    const desk = new TestDesk();
    for (let network = 0; network < 5; network++) {
      for (let index = 0; index < waitingOfNetworkMax + 10; index++) desk.try("many", `10.0.${network}.1`, "root");
    }
    expect(desk.desk.waitingCount).toBe(waitingMax);
    desk.answers();
    desk.right("right", "30.0.0.1", "ann");
    expect(desk.answers()).toEqual(["many refused"]);
    desk.run(3000);
    expect(desk.answers().indexOf("right right")).toBeLessThanOrEqual(5);
  });
});
