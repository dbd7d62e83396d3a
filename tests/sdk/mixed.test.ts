// Clients of Iggy 0.8 and 0.9 on one topic and in one group at once, unmodified: the Rust crates 0.10.0 and 0.11.0, the Python
// package 0.9.0, and the client of this repository. Members come and go, and connections are cut. Nothing is lost, nothing is
// out of order, and a message comes to a second member only where the first did not commit it and somebody came or went.
// WHIPPET_MIXED_SECONDS makes it longer.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { groupConsumer } from "../groups/support.ts";
import { eventually } from "../support/process-facts.ts";
import { useServers } from "../support/server.ts";
import { openCuttingProxy } from "./cutting-proxy.ts";
import { consume, isCalm, type MixedPlace, nowMicros, produce, readAll } from "./mixed-client.ts";
import { MixedLedger } from "./mixed-ledger.ts";
import { preparePython } from "./python-environment.ts";
import { prepareRust } from "./rust-environment.ts";

const runMs = Number(process.env.WHIPPET_MIXED_SECONDS ?? 8) * 1000;
/** How much longer a busy machine may take until everything has happened that is to be tested. */
const longestMs = 60_000;
const drainMs = 120_000;
const cutEveryMs = 300;
/** The broker hears of a cut connection a moment later. */
const heardWithinMicros = 500_000;
const place: MixedPlace = { stream: "mixed", topic: "events", group: "billing", partitionsCount: 6 };
const producers = ["rust-08", "rust-09", "python-09", "typescript-08"];
const members = [
  ...["rust-08", "rust-09"].flatMap((name) => [`${name}-steady`, `${name}-restless`, `${name}-cut`]),
  "python-09-restless",
  "typescript-08-restless",
];

const servers = useServers();
const rust = prepareRust();
const python = preparePython("apache-iggy", "0.9.0");

/** A client in a process of its own, whose lines go to the ledger. */
class ClientProcess {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #read: Promise<void>;
  readonly #errors: Promise<string>;

  constructor(command: readonly string[], takeLine: (line: string) => void) {
    this.#child = Bun.spawn([...command], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    this.#read = readLines(this.#child.stdout, takeLine);
    this.#errors = this.#child.stderr.text();
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null;
  }

  async stopProducing(): Promise<void> {
    this.#child.stdin.write("\n");
    await this.#child.stdin.flush();
  }

  /** Ends stdin, upon which the members leave, and waits for the end. Throws with what was said if that is not 0. */
  async end(): Promise<void> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), drainMs);
    await this.#read;
    const [exitCode, errors] = await Promise.all([this.#child.exited, this.#errors]);
    clearTimeout(timer);
    if (exitCode !== 0) throw new Error(`a client ended with ${exitCode}: ${errors}`);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, takeLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) takeLine(line);
  }
}

/** Everybody has produced and consumed, and every kind of change was seen. */
function hasSeenAll({ sent, polled, changes }: MixedLedger): boolean {
  const seen = (what: string) => changes.some((change) => change.what.startsWith(what));
  return (
    producers.every((name) => sent.some(({ producer }) => producer === name)) &&
    members.every((name) => polled.some(({ member }) => member === name)) &&
    ["joined", "left", "lost", "cut"].every(seen)
  );
}

describe.skipIf(process.env.CI !== "true" && (rust.kind === "missing" || python.kind === "missing"))("mixed", () => {
  test(
    "clients of 0.8 and 0.9 share a topic and a group: nothing is lost, out of order, or with two members at a time",
    async () => {
      if (rust.kind === "missing") throw new Error(rust.reason);
      if (python.kind === "missing") throw new Error(python.reason);
      const server = await servers.start({ shards: 2 });
      const admin = await server.connect();
      await admin.createStream(place.stream);
      await admin.createTopic(place.stream, { name: place.topic, partitionsCount: place.partitionsCount });
      await admin.createConsumerGroup(place.stream, place.topic, place.group);
      const proxies = await Promise.all([0, 1].map(() => openCuttingProxy(server.host, server.port)));
      const ledger = new MixedLedger();
      const address = `${server.host}:${server.port}`;
      const names = [place.stream, place.topic, place.group, String(place.partitionsCount)];
      const doors = [address, ...proxies.map((proxy) => proxy.address)];
      const script = join(import.meta.dir, "python/mixed.py");
      const processes = [
        new ClientProcess([join(rust.directory, "mixed"), "work", ...doors, ...names], (line) => ledger.take(line)),
        new ClientProcess([python.python, script, address, ...names], (line) => ledger.take(line)),
      ];
      try {
        const root = { host: server.host, port: server.port, username: "iggy", password: "iggy" };
        let stage: "work" | "drain" | "over" = "work";
        const producing = produce(root, place, ledger, () => stage !== "work");
        const consuming = consume(root, place, ledger, () => stage === "over");

        const started = performance.now();
        const isOver = () => performance.now() - started > (hasSeenAll(ledger) ? runMs : runMs + longestMs);
        while (!isOver() && !processes.some((process) => process.hasEnded)) {
          await Bun.sleep(cutEveryMs);
          if (isCalm()) continue;
          const time = nowMicros();
          for (const proxy of proxies)
            if (proxy.cut() > 0)
              ledger.changes.push({ member: "proxy", what: "cut", started: time, ended: time + heardWithinMicros });
        }
        expect(hasSeenAll(ledger)).toBe(true);

        stage = "drain";
        await Promise.all([producing, ...processes.map((process) => process.stopProducing())]);
        await eventually(
          "no producer sends any more",
          () => [...ledger.done],
          (done) => done.length === producers.length,
        );
        // What is left comes without an end of anybody, and is committed.
        const consumer = groupConsumer(place.group);
        const left = async () => {
          const topic = await admin.getTopic(place.stream, place.topic);
          const partitions = (topic?.partitions ?? []).map(async ({ id, messagesCount }) => {
            const stored = await admin.getConsumerOffset({ ...place, consumer, partitionId: id });
            return messagesCount - (stored === undefined ? 0n : stored.storedOffset + 1n);
          });
          return (await Promise.all(partitions)).join();
        };
        await eventually("the group has read everything", left, (counts) => /^0(,0)*$/.test(counts), drainMs);
        stage = "over";
        await Promise.all([consuming, ...processes.map((process) => process.end())]);

        const topic = await readAll(admin, place);
        const reader = Bun.spawn(
          [join(rust.directory, "mixed"), "read", address, place.stream, place.topic, names[3]!],
          {
            stderr: "pipe",
          },
        );
        const [seen, errors] = await Promise.all([reader.stdout.text(), reader.stderr.text(), reader.exited]);
        expect(errors).toBe("");
        const lines = topic.flatMap((messages, partition) =>
          messages.map(({ sum }, offset) => `stored\t${partition}\t${offset}\t${sum}\n`),
        );
        expect(seen === lines.join("")).toBe(true);
        ledger.check(topic);
        expect(ledger.failures).toEqual([]);
        const calm = ledger.polled.filter(({ started: time }) => Math.floor(time / 1e6) % 2 === 1).length;
        console.log(
          `${ledger.sentCount} messages, ${ledger.polled.length} polls (${calm} while nobody left), ` +
            `${ledger.changes.length} changes, ${ledger.redelivered} messages came again, ${ledger.wentBack} times after a late commit`,
        );
        admin.close();
        await server.stop();
        expect(server.log).not.toMatch(/ ERROR /);
      } finally {
        for (const process of processes) process.kill();
        for (const proxy of proxies) proxy.close();
      }
    },
    runMs + longestMs + 2 * drainMs,
  );
});
