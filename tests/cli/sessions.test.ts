// Every session of docs/cli.md against a broker, in order.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Client } from "../../src/client/index.bun.ts";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";
import { type Input, masked, runLine, sessionsIn } from "./sessions.ts";
import { MemoryKeyRing, Whippet } from "./whippet.ts";

let broker: InProcessBroker;
const whippet = new Whippet();
whippet.keyRing = new MemoryKeyRing();
const members: Client[] = [];

beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker[Symbol.asyncDispose]());

const atTerminal = (stdin: string): Input => ({ stdin, isTerminal: true });

/** What is typed, or comes through the pipe. */
const inputs: Readonly<Record<string, Input>> = {
  "whippet login 8hours": atTerminal("iggy\r"),
  "tail -n 3 app.log | whippet message send -m web-1 logs app": { stdin: "GET /\nGET /a\nGET /b\n", isTerminal: false },
  "whippet topic purge logs app": atTerminal("y\n"),
  "whippet user create ann --global-permissions r_str,p_msg --user-status active": atTerminal("secret\r"),
  "whippet -u iggy topic get orders craeted": atTerminal("iggy\r"),
  "whippet -u iggy user create eve 12": atTerminal("iggy\r"),
  "whippet -u ann topic delete orders created --yes": atTerminal("secret\r"),
};

/** What others do before a line is typed. */
const before: Readonly<Record<string, () => Promise<void>>> = {
  "whippet consumer-offset set -k consumer-group billing orders created 0 1": async () => {
    for (const _ of [1, 2]) {
      const member = await broker.client();
      await member.joinConsumerGroup("orders", "created", "billing");
      members.push(member);
    }
  },
  "whippet topic purge logs app": async () => {
    await Promise.all(members.map((member) => member.close()));
  },
};

/** What is typed in the document, at the broker of this test. */
function typed(line: string): string {
  const { host } = new URL(broker.url().replace("iggy:", "http:"));
  return line
    .replace("iggy+tls://iggy@broker:8090", `iggy://iggy@${host}`)
    .replace("orders.ndjson.zst", join(whippet.home, "../orders.ndjson.zst"));
}

const document = readFileSync(resolve(import.meta.dir, "../../docs/cli.md"), "utf8");

test("every session of the document looks as it is shown", async () => {
  const shown: string[] = [];
  const seen: string[] = [];
  for (const step of sessionsIn(document).flat()) {
    await before[step.line]?.();
    shown.push(`$ ${step.line}\n${masked(step.seen)}`);
    seen.push(`$ ${step.line}\n${masked(await runLine(whippet, typed(step.line), inputs[step.line]))}`);
  }
  expect(shown.length).toBeGreaterThan(25);
  expect(seen).toEqual(shown);
}, 120_000);
