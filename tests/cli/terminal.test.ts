// The command in a terminal: questions, progress, Ctrl-C. In a pipe none of it is seen.

import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";
import { endTerminals, Terminal, waitMs } from "./terminal.ts";

setDefaultTimeout(60_000);

let broker: InProcessBroker;
let url: string;

beforeAll(async () => {
  broker = await startBroker();
  url = broker.url();
  const root = await broker.client();
  await root.createUser({ username: "ann", password: "secret" });
  await root.createStream("logs");
  await root.createTopic("logs", { name: "app", partitionsCount: 1 });
});
afterAll(() => broker[Symbol.asyncDispose]());
afterEach(endTerminals);

const open = (script: string, environment?: Readonly<Record<string, string>>) => new Terminal(url, script, environment);

test("a password is asked for, and not shown while it is typed", async () => {
  const { host } = new URL(url.replace("iggy:", "http:"));
  const terminal = open("whippet me", { WHIPPET_URL: `iggy://ann@${host}` });
  await terminal.until(`Password for ann at ${host}: `);
  terminal.type("secret\r");
  await terminal.until("ended with 0");
  expect(terminal.text).toContain("ann (id 1)");
  expect(terminal.raw).not.toContain("secret");
});

test("Ctrl-C at a question ends the command, and the terminal is as before", async () => {
  const { host } = new URL(url.replace("iggy:", "http:"));
  const terminal = open("whippet me; code=$?; stty -a | grep -o ' -\\?echo '; (exit $code)", {
    WHIPPET_URL: `iggy://ann@${host}`,
  });
  await terminal.until("Password for ann");
  terminal.type("sec\u0003");
  await terminal.until("ended with 130");
  expect(terminal.text).toContain("\n echo ");
});

test("a question about messages is answered, and a script is not asked", async () => {
  const root = await broker.client();
  await root.sendMessages({ stream: "logs", topic: "app", messages: [{ payload: new Uint8Array(1) }] });
  const asked = open("whippet topic purge logs app");
  await asked.until("This removes 1 message of logs/app. Purge? [y/N] ");
  asked.type("y\n");
  await asked.until("ended with 0");
  expect(asked.text).toContain("Purged logs/app: 1 message removed.\n");
  await root.sendMessages({ stream: "logs", topic: "app", messages: [{ payload: new Uint8Array(1) }] });
  const script = open("whippet topic purge logs app | cat");
  await script.until("ended with 0");
  expect(script.text).toBe("Purged logs/app: 1 message removed.\nended with 0\n");
});

/** Goes on when the terminal interrupts, so that it is the command that ends, and not what it reads. */
const slowly = "while echo x; do sleep 0.1; done";

test("what takes time is told of, and Ctrl-C ends it cleanly and says what was done", async () => {
  const terminal = open(`trap : INT; (trap '' INT; ${slowly}) | whippet message send logs app`);
  await terminal.until(/send {3}\d+ messages? \(\d+ B\) {3}\d+\/s/);
  terminal.type("\u0003");
  await terminal.until("ended with 130");
  expect(terminal.text).toMatch(/Sent \d+ messages to logs\/app\.\n/);
  // What is drawn is taken away again.
  expect(terminal.raw).toContain("\r\u001b[K");
});

test("in a pipe there is no progress, no colour and no movement", async () => {
  const terminal = open(
    "(for i in 1 2 3 4 5 6 7 8; do echo x; sleep 0.1; done) | whippet message send logs app 2>&1 | cat",
  );
  await terminal.until("ended with 0");
  expect(terminal.raw).toBe("Sent 8 messages to logs/app.\r\nended with 0\r\n");
  const table = open("whippet stream list | cat");
  await table.until("ended with 0");
  expect(table.raw).not.toContain("\u001b");
  expect(new Set(table.text.split("\n")[0]?.split(/ +/))).toEqual(
    new Set(["ID", "NAME", "TOPICS", "MESSAGES", "SIZE", "CREATED"]),
  );
  const coloured = open("whippet stream list");
  await coloured.until("ended with 0");
  expect(coloured.raw).toContain("\u001b[1m");
});

test("a server that does not answer is given up with Ctrl-C", async () => {
  const log = join(mkdtempSync(join(tmpdir(), "whippet-terminal-")), "debug.log");
  await broker.network.pause();
  try {
    const terminal = open(`whippet -d ${log} stream list`);
    const deadlineMs = performance.now() + waitMs;
    while (!existsSync(log) && performance.now() < deadlineMs) await Bun.sleep(10);
    terminal.type("\u0003");
    await terminal.until("ended with 130");
  } finally {
    broker.network.resume();
  }
});
