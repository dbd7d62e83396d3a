// The command line itself: options before and behind commands, help, what is wrong, and exit codes.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createServer } from "node:net";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";
import { testVersion, Whippet } from "./whippet.ts";

let broker: InProcessBroker;
let address: string;

beforeAll(async () => {
  broker = await startBroker();
  address = new URL(broker.url().replace("iggy:", "http:")).host;
});
afterAll(() => broker[Symbol.asyncDispose]());

const nobody = new Whippet();

describe("options of the program", () => {
  test("stand before the command, and the same letters mean something else behind it", async () => {
    const place = `--tcp-server-address ${address}`;
    const made = await nobody.line(`-u iggy -p iggy ${place} topic create -t 3 -r 1 orders created 3 none`);
    expect(made).toMatchObject({ exitCode: 5, stderr: 'whippet: no stream "orders"  (error 1009)\n' });
    const wrong = await nobody.line(`-u iggy -p wrong ${place} stream list`);
    expect(wrong).toEqual({
      exitCode: 4,
      stdout: "",
      stderr: `whippet: the login of iggy at ${address} was refused: wrong name or password  (error 42)\n`,
    });
  });

  test("that are new may stand on either side", async () => {
    const whippet = new Whippet();
    const url = `--url ${broker.url()}`;
    for (const line of [
      `${url} --json stream list`,
      `stream list --json ${url}`,
      `stream ${"list"} ${url} --format json`,
    ]) {
      expect([line, await whippet.line(line)]).toEqual([line, { exitCode: 0, stdout: "[]\n", stderr: "" }]);
    }
    expect((await whippet.line(`stream list -q ${url}`)).stdout).toBe("");
  });

  test("of the original that have no effect here are read all the same", async () => {
    const line = `--tcp-reconnection-max-retries 3 --quic-send-window 10 --tcp-tls-enabled=false --url ${broker.url()} stream list -l list`;
    expect(await nobody.line(line)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  });
});

describe("help", () => {
  test.each([["-h"], ["--help"], ["help"]])("%s shows every word by what it is for", async (word) => {
    const { exitCode, stdout, stderr } = await nobody.line(word);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain(`whippet ${testVersion}: `);
    expect(stdout).toContain("Streams and topics:\n  stream, s");
    expect(stdout.includes("--encryption-key")).toBe(word !== "-h");
  });

  test("of a command is short or long, and has examples", async () => {
    const short = await nobody.line("topic create -h");
    const long = await nobody.line("help topic create");
    expect(short.stdout).toContain("Usage: whippet topic create [options] <stream> <name> <partitions-count>");
    expect(short.stdout.match(/^ {2}whippet topic create/gm)).toHaveLength(2);
    expect(long.stdout.match(/^ {2}whippet topic create/gm)).toHaveLength(3);
    expect(long.stdout).toBe((await nobody.line("t c --help")).stdout);
  });

  test("of a command names each option once: its own goes before that of the program", async () => {
    const { stdout } = await nobody.line("export --help");
    expect(stdout.match(/^ +--format .*$/gm)).toEqual([expect.stringContaining("ndjson (a line of JSON")]);
  });

  test("of a word lists its commands with their aliases", async () => {
    expect((await nobody.line("topic --help")).stdout).toContain("\n  create, c   Make a topic\n");
  });

  test("has no colour in a pipe, with NO_COLOR and on a dumb terminal", async () => {
    const escapeCode = "\u001b[";
    expect((await nobody.line("-h")).stdout).not.toContain(escapeCode);
    expect((await nobody.line("-h", { isTerminal: true })).stdout).toContain(escapeCode);
    for (const environment of [{ NO_COLOR: "1" }, { TERM: "dumb" }]) {
      expect((await nobody.line("-h", { isTerminal: true, environment })).stdout).not.toContain(escapeCode);
    }
  });

  test("the version is the program's", async () => {
    expect(await nobody.line("--version")).toEqual({ exitCode: 0, stdout: `whippet ${testVersion}\n`, stderr: "" });
  });
});

describe("a command line that is wrong ends with 2 and says how it is right", () => {
  test.each([
    ["topik list", 'whippet: "topik" is no command of whippet. Did you mean topic? See whippet --help\n'],
    [
      "topic lst orders",
      'whippet: "lst" is no command of whippet topic. Did you mean list? See whippet topic --help\n',
    ],
    ["topic", "whippet: topic needs a command; see whippet topic --help\n"],
    ["--frehs", "whippet: unknown option '--frehs'\n  Options of the server: whippet server --help\n"],
    ["toString", 'whippet: "toString" is no command of whippet. See whippet --help\n'],
    ["--json", "whippet: no command is given; see whippet --help\n"],
    ["topic get orders", "whippet: missing required argument 'topic'\n  Usage: whippet topic get <stream> <topic>\n"],
    [
      "stream list --colour",
      "whippet: unknown option '--colour'\n(Did you mean --color?)\n  Usage: whippet stream list [options]\n",
    ],
    [
      "stream delete my orders",
      "whippet: too many arguments for 'delete'. Expected 1 argument but got 2.\n  Usage: whippet stream delete <stream>\n",
    ],
    ["me too", "whippet: too many arguments for 'me'. Expected 0 arguments but got 1.\n  Usage: whippet me\n"],
    ["ping -c many", 'whippet: --count "many" is not a whole number from 1 to 1000000\n'],
    ["--format xml ping", 'whippet: --format "xml" is not one of table, list, json, ndjson, toml\n'],
    ["topic create a b 0x1 none", 'whippet: <partitions-count> "0x1" is not a whole number from 0 to 100000\n'],
    [
      "--url iggy://iggy:secret@host:x0 me",
      "whippet: iggy://host:x0: the address is not `host`, `host:port` or `[IPv6]:port`\n",
    ],
    [`stream create ${"ä".repeat(128)}`, `whippet: <name> "${"ä".repeat(128)}" is longer than 255 bytes\n`],
    ["-q bench pp tcp", "whippet: nothing may stand before bench: it is a program with options of its own\n"],
  ])("%s", async (line, stderr) => {
    expect(await nobody.line(line)).toEqual({ exitCode: 2, stdout: "", stderr });
  });
});

describe("a server that is not there, or not to be had", () => {
  test("ends with 3, and says what can be done", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const place = server.address();
    const port = typeof place === "object" && place !== null ? place.port : 0;
    await new Promise((resolve) => void server.close(resolve));
    const { exitCode, stderr } = await nobody.line(`--url iggy://127.0.0.1:${port} ping`);
    expect([exitCode, stderr.split("\n")[0]]).toEqual([
      3,
      `whippet: nobody answers at 127.0.0.1:${port} (connection refused)`,
    ]);
    expect(stderr).toContain("--url iggy://HOST:PORT");
  });

  test("nobody who could log in is 4, if the server is there", async () => {
    const { exitCode, stderr } = await nobody.line(`--url iggy://${address} stream list`);
    expect([exitCode, stderr.split("\n")[0]]).toEqual([4, `whippet: nobody is named who could log in at ${address}`]);
  });

  test("a connection string that is none is 2, without its password", async () => {
    const { exitCode, stderr } = await nobody.line("--url kafka://me:secret@host stream list");
    expect(exitCode).toBe(2);
    expect(stderr).not.toContain("secret");
    const ofEnvironment = await nobody.line("stream list", { environment: { WHIPPET_URL: "me:secret@host" } });
    expect([ofEnvironment.exitCode, ofEnvironment.stderr]).toEqual([
      2,
      expect.stringMatching(/^whippet: WHIPPET_URL: a conn/),
    ]);
    expect(ofEnvironment.stderr).not.toContain("secret");
  });
});
