// The command in a terminal: questions, progress, Ctrl-C. In a pipe none of it is seen.

import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";

setDefaultTimeout(60_000);

const program = resolve(import.meta.dir, "../../src/process/main.ts");
/** This is for what never happens: a busy machine takes its time. */
const waitMs = 40_000;

let broker: InProcessBroker;
let url: string;
const opened = new Set<Terminal>();

beforeAll(async () => {
  broker = await startBroker();
  url = broker.url();
  const root = await broker.client();
  await root.createUser({ username: "ann", password: "secret" });
  await root.createStream("logs");
  await root.createTopic("logs", { name: "app", partitionsCount: 1 });
});
afterAll(() => broker[Symbol.asyncDispose]());
afterEach(() => {
  for (const terminal of opened) terminal.end();
  opened.clear();
});

/** A shell with the command `whippet` in a terminal of its own. */
class Terminal {
  /** Everything that was written to the terminal. */
  raw = "";
  readonly #child: Bun.Subprocess;

  constructor(script: string, environment: Readonly<Record<string, string>> = {}) {
    const whippet = `whippet() { "${process.execPath}" --no-env-file "${program}" "$@"; }`;
    this.#child = Bun.spawn(["bash", "-c", `${whippet}\n${script}\necho "ended with $?"`], {
      env: {
        PATH: process.env.PATH ?? "",
        TERM: "xterm",
        IGGY_HOME: join(mkdtempSync(join(tmpdir(), "whippet-terminal-")), "iggy"),
        WHIPPET_CREDENTIALS: "file",
        WHIPPET_URL: url,
        ...environment,
      },
      terminal: {
        cols: 100,
        rows: 30,
        data: (_, data) => {
          this.raw += Buffer.from(data).toString();
        },
      },
    });
    opened.add(this);
  }

  /** What was written, without colours and movements. */
  get text(): string {
    return stripVTControlCharacters(this.raw).replaceAll("\r", "");
  }

  type(keys: string): void {
    this.#child.terminal?.write(keys);
  }

  async until(pattern: RegExp | string): Promise<void> {
    const deadlineMs = performance.now() + waitMs;
    const isThere = () => (typeof pattern === "string" ? this.text.includes(pattern) : pattern.test(this.text));
    while (!isThere()) {
      if (performance.now() > deadlineMs) throw new Error(`no ${pattern} in the terminal:\n${this.text}`);
      await Bun.sleep(10);
    }
  }

  end(): void {
    this.#child.kill("SIGKILL");
    this.#child.terminal?.close();
  }
}

test("a password is asked for, and not shown while it is typed", async () => {
  const { host } = new URL(url.replace("iggy:", "http:"));
  const terminal = new Terminal("whippet me", { WHIPPET_URL: `iggy://ann@${host}` });
  await terminal.until(`Password for ann at ${host}: `);
  terminal.type("secret\r");
  await terminal.until("ended with 0");
  expect(terminal.text).toContain("ann (id 1)");
  expect(terminal.raw).not.toContain("secret");
});

test("Ctrl-C at a question ends the command, and the terminal is as before", async () => {
  const { host } = new URL(url.replace("iggy:", "http:"));
  const terminal = new Terminal("whippet me; code=$?; stty -a | grep -o ' -\\?echo '; (exit $code)", {
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
  const asked = new Terminal("whippet topic purge logs app");
  await asked.until("This removes 1 message of logs/app. Purge? [y/N] ");
  asked.type("y\n");
  await asked.until("ended with 0");
  expect(asked.text).toContain("Purged logs/app: 1 message removed.\n");
  await root.sendMessages({ stream: "logs", topic: "app", messages: [{ payload: new Uint8Array(1) }] });
  const script = new Terminal("whippet topic purge logs app | cat");
  await script.until("ended with 0");
  expect(script.text).toBe("Purged logs/app: 1 message removed.\nended with 0\n");
});

const slowly = "while echo x; do sleep 0.1; done";

test("what takes time is told of, and Ctrl-C ends it cleanly and says what was done", async () => {
  const terminal = new Terminal(`trap : INT; (trap - INT; ${slowly}) | whippet message send logs app`);
  await terminal.until(/send {3}\d+ messages? \(\d+ B\) {3}\d+\/s/);
  terminal.type("\u0003");
  await terminal.until("ended with 130");
  expect(terminal.text).toMatch(/Sent \d+ messages to logs\/app\.\n/);
  // What is drawn is taken away again.
  expect(terminal.raw).toContain("\r\u001b[K");
});

test("in a pipe there is no progress, no colour and no movement", async () => {
  const terminal = new Terminal(
    "(for i in 1 2 3 4 5 6 7 8; do echo x; sleep 0.1; done) | whippet message send logs app 2>&1 | cat",
  );
  await terminal.until("ended with 0");
  expect(terminal.raw).toBe("Sent 8 messages to logs/app.\r\nended with 0\r\n");
  const table = new Terminal("whippet stream list | cat");
  await table.until("ended with 0");
  expect(table.raw).not.toContain("\u001b");
  expect(new Set(table.text.split("\n")[0]?.split(/ +/))).toEqual(
    new Set(["ID", "NAME", "TOPICS", "MESSAGES", "SIZE", "CREATED"]),
  );
  const coloured = new Terminal("whippet stream list");
  await coloured.until("ended with 0");
  expect(coloured.raw).toContain("\u001b[1m");
});

test("a server that does not answer is given up with Ctrl-C", async () => {
  const log = join(mkdtempSync(join(tmpdir(), "whippet-terminal-")), "debug.log");
  await broker.network.pause();
  try {
    const terminal = new Terminal(`whippet -d ${log} stream list`);
    const deadlineMs = performance.now() + waitMs;
    while (!existsSync(log) && performance.now() < deadlineMs) await Bun.sleep(10);
    terminal.type("\u0003");
    await terminal.until("ended with 130");
  } finally {
    broker.network.resume();
  }
});
