// Contexts, credentials and who is asked.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type InProcessBroker, startBroker } from "../../src/embedded/index.ts";
import { MemoryKeyRing, Whippet } from "./whippet.ts";

let broker: InProcessBroker;
let address: string;

beforeAll(async () => {
  broker = await startBroker();
  address = new URL(broker.url().replace("iggy:", "http:")).host;
  const root = await broker.client();
  await root.createUser({ username: "ann", password: "secret" });
});
afterAll(() => broker[Symbol.asyncDispose]());

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe("contexts", () => {
  test("are made, used, listed, shown without secrets and deleted, in files of the owner alone", async () => {
    const whippet = new Whippet();
    const path = join(whippet.home, "contexts.toml");
    await whippet.line("context create prod --url iggy+tls://ann:hidden@broker:8090");
    await whippet.line("ctx c dev --transport http --http-api-url http://localhost:3001 -u iggy -t sesame");
    expect(modeOf(path)).toBe(0o600);
    await whippet.line("context use prod");
    expect((await whippet.line("context list")).stdout).toBe(
      [
        "   NAME     USER  ADDRESS",
        "   default  –     iggy://127.0.0.1:8090",
        "*  prod     ann   iggy+tls://broker:8090",
        "   dev      iggy  iggy+http://localhost:3001",
        "",
      ].join("\n"),
    );
    expect((await whippet.line("context list -l list")).stdout).toBe("default\nprod*\ndev\n");
    const shown = `${(await whippet.line("context show prod")).stdout}${(await whippet.line("context show dev --json")).stdout}`;
    expect(shown).toContain("url  iggy+tls://ann:***@broker:8090");
    expect(shown).not.toMatch(/hidden|sesame/);
    await whippet.line("context delete prod");
    expect(readFileSync(join(whippet.home, ".active_context"), "utf8")).toBe("default");
    expect((await whippet.line("context use prod")).exitCode).toBe(5);
  });

  test("leave everything in the file that is not theirs", async () => {
    const whippet = new Whippet();
    const path = join(whippet.home, "contexts.toml");
    const before =
      '# of the original\n[old]\nusername = "iggy"\nfavourite = [1, 2]\n\n[old.extra]\nwhen = 2026-11-29\n';
    mkdirSync(whippet.home, { recursive: true });
    writeFileSync(path, before);
    chmodSync(path, 0o644);
    expect((await whippet.line("context create new --url iggy://elsewhere")).exitCode).toBe(0);
    expect(readFileSync(path, "utf8")).toBe(`${before}\n[new]\nurl = "iggy://elsewhere"\n`);
    expect(modeOf(path)).toBe(0o600);
    await whippet.line("context delete new");
    expect(readFileSync(path, "utf8").trimEnd()).toBe(before.trimEnd());
    await whippet.line("context delete old");
    expect(readFileSync(path, "utf8")).toBe("# of the original\n");
  });

  test.each([
    ["context create default --url iggy://a", 1, 'whippet: the context "default" is always there\n'],
    ['context create "a b" --url iggy://a', 2, 'whippet: a context is called by letters, digits, - and _, not "a b"\n'],
    ["context delete default", 1, 'whippet: the context "default" cannot be deleted\n'],
    ["--context prdo stream list", 5, 'whippet: no context "prdo". Is it "prod"?\n'],
  ])("%s is refused", async (line, exitCode, stderr) => {
    const whippet = new Whippet();
    await whippet.line("context create prod --url iggy://a");
    expect(await whippet.line(line)).toEqual({ exitCode, stdout: "", stderr });
  });

  test("lead to their server, unless an option or the environment says otherwise", async () => {
    const whippet = new Whippet();
    await whippet.run(["context", "create", "here", "--url", `iggy://iggy:iggy@${address}`]);
    expect((await whippet.line("--context here me")).stdout).toContain("iggy (id 0)");
    expect((await whippet.line("me", { environment: { WHIPPET_CONTEXT: "here" } })).stdout).toContain("iggy (id 0)");
    await whippet.line("context use here");
    expect((await whippet.line("-u ann -p secret me")).stdout).toContain("ann (id 1)");
    const named = { IGGY_USERNAME: "ann", IGGY_PASSWORD: "secret" };
    expect((await whippet.line("me", { environment: named })).stdout).toContain("ann (id 1)");
    const environment = { IGGY_USERNAME: "ann", IGGY_PASSWORD: "secret", WHIPPET_URL: `iggy://${address}` };
    expect((await whippet.line("me", { environment })).stdout).toContain("ann (id 1)");
  });

  test("that others can read are warned of", async () => {
    const whippet = new Whippet();
    await whippet.run(["context", "create", "here", "--url", `iggy://iggy:iggy@${address}`]);
    const path = join(whippet.home, "contexts.toml");
    chmodSync(path, 0o644);
    expect((await whippet.line("--context here me")).stderr).toBe(
      `warning: ${path} can be read by others: chmod 600 ${path}\n`,
    );
  });
});

describe("passwords", () => {
  test("are the first line of stdin where there is no terminal", async () => {
    const whippet = new Whippet(`iggy://ann@${address}`);
    expect((await whippet.line("me", { stdin: "secret\nmore\n" })).stdout).toContain("ann (id 1)");
    expect(await whippet.line("me", { stdin: "" })).toEqual({
      exitCode: 4,
      stdout: "",
      stderr: `whippet: Password for ann at ${address}: there is nobody to ask, and no line on stdin\n`,
    });
  });

  test("are asked for in a terminal, are not shown, and can be mended while they are typed", async () => {
    const whippet = new Whippet(`iggy://ann@${address}`);
    const { stdout, stderr } = await whippet.line("me", {
      isTerminal: true,
      stdin: "wrong\u0015sä\u007fecreet\u007f\u007ft\r",
    });
    expect(stderr).toBe(`Password for ann at ${address}: \n`);
    expect(stdout).toContain("ann (id 1)");
    const ended = await whippet.line("me", { isTerminal: true, stdin: "sec\u0003" });
    expect([ended.exitCode, ended.stdout]).toEqual([130, ""]);
  });
});

describe("login and logout", () => {
  test.each([
    ["the key ring"],
    ["credentials.toml"],
  ])("keep a token in %s until it is removed, here and there", async (where) => {
    const whippet = new Whippet(`iggy://ann@${address}`);
    const ring = new MemoryKeyRing();
    if (where === "the key ring") whippet.keyRing = ring;
    const path = join(whippet.home, "credentials.toml");
    const { stderr } = await whippet.line("login 8hours", { stdin: "secret\n" });
    const place = where === "the key ring" ? where : path;
    expect(stderr).toMatch(
      new RegExp(`^Logged in at ${address} as ann until .*\\d\\d:\\d\\d; the token is in ${place}\\.\n$`),
    );
    expect(existsSync(path)).toBe(where !== "the key ring");
    if (where === "the key ring")
      expect([...ring.kept.keys()]).toEqual([`iggy-cli-session:${address} iggy-cli-session`]);
    else expect(modeOf(path)).toBe(0o600);

    expect((await whippet.line("pat list -l list")).stdout).toMatch(/^iggy-cli-session\|\d{4}-/);
    // Who is named wins over who is logged in.
    expect((await whippet.line("-u iggy -p iggy me")).stdout).toContain("iggy (id 0)");
    expect((await whippet.line("logout")).stderr).toBe("Logged out; the token is removed here and on the server.\n");
    expect((await whippet.line("pat list -l list", { stdin: "secret\n" })).stdout).toBe("");
    expect((await whippet.line("logout")).stderr).toBe(`Nobody is logged in at ${address}.\n`);
  });

  test("keep the token in the file where the key ring refuses it", async () => {
    const whippet = new Whippet(`iggy://ann@${address}`);
    const locked = new MemoryKeyRing();
    locked.set = async () => {
      throw new Error("locked");
    };
    whippet.keyRing = locked;
    const { stderr } = await whippet.line("login", { stdin: "secret\n" });
    expect(stderr).toEndWith(`; the token is in ${join(whippet.home, "credentials.toml")}.\n`);
    expect((await whippet.line("me")).stdout).toContain("ann (id 1)");
    await whippet.line("logout");
  });

  test("say so when the server does not know the token any more", async () => {
    const whippet = new Whippet(`iggy://ann@${address}`);
    await whippet.line("login", { stdin: "secret\n" });
    await (await broker.client({ credentials: { username: "ann", password: "secret" } })).deletePersonalAccessToken(
      "iggy-cli-session",
    );
    expect(await whippet.line("stream list")).toEqual({
      exitCode: 4,
      stdout: "",
      stderr: `whippet: the login at ${address} has ended\n  Log in again: whippet login\n`,
    });
    expect((await whippet.line("logout")).stderr).toBe(`Nobody is logged in at ${address}.\n`);
  });
});
