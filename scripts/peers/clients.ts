// The clients that a TypeScript developer would take, each against its own broker, on one machine in one run: sends of batches, single
// sends that nobody waits for, and an empty handler. All run in one version of Node; Whippet's client as the package that is published.

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { version } from "../../package.json" with { type: "json" };
import { buildClient } from "../build-client.ts";
import { endChildrenWithScript } from "../children.ts";
import { median } from "../ratios.ts";
import type { ClientFigures, DriverOptions } from "./clients/driver.ts";
import { clientVersions, hasNodeSdk, nodeIn, packagesIn } from "./clients/install.ts";
import { chosenBy, readOptions } from "./options.ts";
import { type RunningServer, runProgram } from "./programs.ts";
import { startIggyServer } from "./servers/iggy.ts";
import { kafka } from "./servers/kafka.ts";
import { nats } from "./servers/nats.ts";
import { figure, publish, type Table } from "./table.ts";

const usage = `Compares @whippet/client with the clients of other brokers.

Usage: npm run peers:clients -- --cache DIRECTORY [options]
  --cache DIRECTORY  where \`npm run peers:install\` put them
  --original PATH    iggy-server of tag server-0.8.0, for its Node SDK; left out without it
  --whippet PATH     Whippet's executable, instead of this checkout's source
  --rounds N         the figures are medians of them (5)
  --seconds N        about how long each part of a run takes (1.2)
  --clients A,B      of whippet, nats, kafka, iggy (all)
  --json FILE, --markdown FILE
`;

const options = readOptions(
  usage,
  { rounds: "5", seconds: "1.2" },
  { clients: "whippet,nats,kafka,iggy", original: undefined },
);
endChildrenWithScript();
const { cache, rounds, seconds, files } = options;
const original = options.own("original");
/** Of the measured part: until the compiler has seen the loops. */
const warmupShare = 0.4;
const sizes = [1_000, 100] as const;
const parts = { batches: "batches", singles: "single sends, not waited for", consume: "consume" } as const;

type Client = {
  readonly name: string;
  readonly against: string;
  /** In the folder clients/. */
  readonly program: string;
  readonly packages: string;
  start(): Promise<Pick<RunningServer, "port" | "stop">>;
};

async function startIggy(name: "Whippet" | "the original", program: string | undefined) {
  const path = program === undefined ? undefined : resolve(program);
  const server = await startIggyServer({ name, program: path }, "write", availableParallelism());
  return { port: server.portOf("tcp"), stop: () => server.stop() };
}

const ownPackages = mkdtempSync(join(tmpdir(), "whippet-peers-client-"));
const all: Readonly<Record<string, Client>> = {
  whippet: {
    name: `@whippet/client ${version}`,
    against: `Whippet ${version}`,
    program: "whippet.ts",
    packages: ownPackages,
    start: () => startIggy("Whippet", options.whippet),
  },
  nats: {
    name: `nats.js ${clientVersions.nats}`,
    against: `${nats.name} ${nats.version}`,
    program: "nats.ts",
    packages: packagesIn(cache),
    start: () => nats.start(cache, "write"),
  },
  kafka: {
    name: `@platformatic/kafka ${clientVersions.kafka}`,
    against: `${kafka.name} ${kafka.version}`,
    program: "kafka.ts",
    packages: packagesIn(cache),
    start: () => kafka.start(cache, "write"),
  },
  iggy: {
    name: `Iggy's Node SDK ${clientVersions.iggy}`,
    against: "Apache Iggy 0.8.0",
    program: "iggy.ts",
    packages: packagesIn(cache),
    start: () => startIggy("the original", original),
  },
};

const isThere = (name: string) => name !== "iggy" || (original !== undefined && hasNodeSdk(cache));
const wanted = (options.own("clients") ?? "").split(",");
const names = wanted.filter(isThere);
const clients = chosenBy(names, all, "client");

async function run({ program, packages }: Client, port: number, messageSizeBytes: number): Promise<ClientFigures> {
  const measuredMs = seconds * 1_000;
  const options: DriverOptions = { port, packages, messageSizeBytes, measuredMs, warmupMs: measuredMs * warmupShare };
  const path = join(import.meta.dir, "clients", program);
  const output = await runProgram([nodeIn(cache), path, JSON.stringify(options)], { timeoutMs: 120_000 });
  const line = output.split("\n").find((text) => text.startsWith("{"));
  if (line === undefined) throw new Error(`${program} printed no figures:\n${output.slice(-2_000)}`);
  return JSON.parse(line);
}

/** Of each client, message size and part, by {@link keyOf}. */
const found = new Map<string, number[]>();
const keyOf = (client: Client, sizeBytes: number, part: string) => `${client.name}, ${sizeBytes} B, ${part}`;

try {
  await buildClient(join(ownPackages, "node_modules/@whippet/client"));
  for (let round = 0; round < rounds; round++) {
    for (const client of round % 2 === 0 ? clients : clients.toReversed()) {
      for (const sizeBytes of sizes) {
        const broker = await client.start();
        try {
          const figures = await run(client, broker.port, sizeBytes);
          console.error(`${round + 1} ${client.name.padEnd(30)} ${sizeBytes} B ${JSON.stringify(figures)}`);
          for (const [part, rate] of Object.entries(figures)) {
            const key = keyOf(client, sizeBytes, part);
            found.set(key, [...(found.get(key) ?? []), rate]);
          }
        } finally {
          await broker.stop();
        }
      }
    }
  }
} finally {
  rmSync(ownPackages, { recursive: true, force: true });
}

const [first, ...others] = clients;
const rateOf = (client: Client, sizeBytes: number, part: string) =>
  median(found.get(keyOf(client, sizeBytes, part)) ?? []);
const lines = sizes.flatMap((sizeBytes) =>
  Object.entries(parts).map(([part, title]) => {
    const rates = clients.map((client) => rateOf(client, sizeBytes, part));
    const best = Math.max(...others.map((other) => rateOf(other, sizeBytes, part)));
    const ratio = first === undefined || others.length === 0 ? "–" : (rateOf(first, sizeBytes, part) / best).toFixed(2);
    return [`${figure(sizeBytes)} B, ${title}`, ...rates.map((rate) => `${figure(rate)}/s`), ratio];
  }),
);
const table: Table = {
  title: "Clients of TypeScript, each against its own broker",
  head: ["", ...clients.map(({ name }) => name), `${first?.name} by the best other`],
  rows: lines,
  notes: [
    `Messages a second, medians of ${rounds} rounds, turn about; one connection, one partition, Node ${clientVersions.node}; every broker was just started, with an empty directory.`,
    `Brokers: ${clients.map(({ against }) => against).join(", ")}; all answer a send after the write to the file, none of them syncs for it.`,
    "Batches are 1,000 messages, 4 of them under way: sendAll of @whippet/client; publish of nats.js, which has no batches, 4,000 under way; send of @platformatic/kafka and of the Node SDK.",
    "Single sends: send of @whippet/client with its ready; publish of nats.js and send of the Node SDK, 4,096 under way; the stream of @platformatic/kafka (1,000 messages or 1 ms, room for 4,096).",
    "Consume: run with an empty handler; the callback of an ordered consumer of nats.js; the iterable of @platformatic/kafka, as it is set by itself; polls of 1,000 by the Node SDK.",
    ...(names.includes("iggy") || !wanted.includes("iggy")
      ? []
      : ["Iggy's Node SDK was left out: it needs --original, and --node-sdk of the installation."]),
  ],
};
publish([table], { notes: table.notes, figures: Object.fromEntries(found) }, files);
