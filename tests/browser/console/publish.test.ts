// Publishing, publishing again, taking messages along, and the first stream of an empty broker.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { decode } from "../../../src/protocol/codec.ts";
import { userHeadersCodec } from "../../../src/protocol/user-headers.ts";
import { createCommand } from "../../../src/web/messages/copy-as.ts";
import { eventually } from "../../support/process-facts.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findingsInBothThemes, follow, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();

const { visit, page } = await browser.signedIn("/ui/streams");

async function stored(stream: string, topic: string, partitionId = 0) {
  const consumer = { kind: "consumer", id: { kind: "numeric", value: 0 } } as const;
  const strategy = { kind: "offset", value: 0n } as const;
  const { messages } = await root.pollMessages({ stream, topic, consumer, partitionId, strategy, count: 1000 });
  return messages.map(({ id, payload, userHeaders }) => ({
    id,
    text: new TextDecoder().decode(payload),
    headers: decode(userHeadersCodec, userHeaders).map(({ key, value }) => `${key.value}=${value.value}`),
  }));
}

/** Texts of a topic's partition. */
async function textsOf(stream: string, topic: string): Promise<readonly string[]> {
  return (await stored(stream, topic)).map(({ text }) => text);
}

async function copied(page: Page, button: string): Promise<string> {
  await page.evaluate("navigator.clipboard.writeText('')");
  await page.getByRole("button", { name: button, exact: true }).click();
  const read = () => page.evaluate<string>("navigator.clipboard.readText()");
  await eventually("something is copied", read, (text) => text !== "");
  await page.getByText("Copied.").waitFor();
  return await read();
}

async function runIn(command: readonly string[], token: string): Promise<string> {
  const child = Bun.spawn([...command], { env: { ...process.env, TOKEN: token }, stdout: "pipe", stderr: "pipe" });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect([await child.exited, errors]).toEqual([0, ""]);
  return output;
}

/** A copied program, with the client of this repository in the place of the package. */
async function runProgram(program: string, token: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "whippet-copied-"));
  try {
    const client = join(import.meta.dir, "../../../src/client/index.bun.ts");
    await writeFile(join(directory, "program.ts"), program.replace('"@whippet/client"', JSON.stringify(client)));
    return await runIn([process.execPath, join(directory, "program.ts")], token);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test("an empty broker gets a stream with sample messages by one click", async () => {
  await page.getByText("Or make one yourself").waitFor();
  expect(await findingsInBothThemes(page)).toEqual([]);
  await page.getByRole("button", { name: "Create a stream with sample messages" }).click();
  await page.getByRole("heading", { name: "orders", level: 1 }).waitFor();
  await page.getByText('"customer":9007199254741021', { exact: false }).waitFor();
  expect((await root.getTopic("sample", "orders"))?.messagesCount).toBe(30n);
  visit.check();
});

describe("publishing", () => {
  test("sends what was written: payload, headers, partition, copies", async () => {
    await root.createStream("orders");
    await root.createTopic("orders", { name: "new", partitionsCount: 1 });
    await follow(page, "/ui/streams/orders/topics/new/messages");
    await page.getByRole("link", { name: "Publish", exact: true }).click();
    const payload = page.getByLabel("Payload", { exact: true });
    await payload.fill("{");
    await page.getByText("The payload is not JSON.").waitFor();
    await payload.fill('{"id":18446744073709551615}');
    await page.getByRole("button", { name: "Add a header" }).click();
    await page.getByLabel("Key", { exact: true }).fill("attempt");
    await page.getByLabel("Kind", { exact: true }).selectOption("uint8");
    await page.getByLabel("Value", { exact: true }).fill("256");
    await page.getByText("The value of the header attempt does not fit its kind.").waitFor();
    await page.getByLabel("Value", { exact: true }).fill("2");
    await page.getByLabel("Partition chosen by").selectOption("partition");
    await page.getByLabel("Partition", { exact: true }).fill("0");
    await page.getByLabel("Copies").fill("3");
    await page.getByText("3 messages, 27 B each, 1 header → orders/new, Partition 0").waitFor();
    // What is written stays when the session ends.
    const account = await visit.open("/ui/account");
    await account.getByRole("button", { name: "Sign out" }).click();
    await signIn(page);
    await account.close();
    await page.getByText("connected", { exact: true }).waitFor();
    await page.getByText("3 messages, 27 B each, 1 header → orders/new, Partition 0").waitFor();
    expect(await findingsInBothThemes(page)).toEqual([]);
    await page.getByRole("button", { name: "Publish 3 messages" }).click();
    await page.getByText("3 messages are sent.").waitFor();
    const all = await stored("orders", "new");
    expect(all.map(({ text, headers }) => [text, ...headers])).toEqual(
      Array(3).fill(['{"id":18446744073709551615}', "attempt=2"]),
    );
    await page.getByRole("link", { name: "Show the newest messages" }).click();
    await page.getByRole("grid").getByText("18446744073709551615").first().waitFor();
    visit.check();
  });

  test("again copies a message but for what is taken away, under a new id", async () => {
    await follow(page, "/ui/streams/orders/topics/new/messages/0/1");
    await page.getByRole("link", { name: "Publish again" }).click();
    await page.getByRole("button", { name: "Remove header attempt" }).click();
    await page.getByLabel("Add a header origin").check();
    await page.getByRole("button", { name: "Publish 1 message" }).click();
    await page.getByText("1 message is sent.").waitFor();
    const all = await stored("orders", "new");
    expect(all.slice(3).map(({ text, headers }) => [text, ...headers])).toEqual([
      ['{"id":18446744073709551615}', "origin=orders/new/0/1"],
    ]);
    expect(new Set(all.map(({ id }) => id)).size).toBe(4);
    visit.check();
  });

  test("again of several goes in order, to another topic, and stops where one is refused", async () => {
    await root.createTopic("orders", { name: "from", partitionsCount: 1 });
    await root.createTopic("orders", { name: "to", partitionsCount: 1 });
    const encoder = new TextEncoder();
    const messages = Array.from({ length: 6 }, (_, number) => ({ payload: encoder.encode(`message ${number}`) }));
    await root.sendMessages({ stream: "orders", topic: "from", messages });
    await follow(page, "/ui/streams/orders/topics/from/messages");
    await page.getByRole("link", { name: "Publish these again" }).click();
    await page.getByText("6 messages, 54 B in all → orders/from").waitFor();
    await page.getByLabel("Topic", { exact: true }).fill("to");
    await page.getByRole("button", { name: "Publish 6 messages" }).click();
    await page.getByText("6 messages are sent.").waitFor();
    expect(await textsOf("orders", "to")).toEqual(messages.map((_, number) => `message ${number}`));

    // One every second, and the topic goes meanwhile.
    await follow(page, "/ui/streams/orders/topics/to/publish");
    await page.getByLabel("Copies").fill("200");
    await page.getByLabel("Messages a second").fill("10");
    await page.getByRole("button", { name: "Publish 200 messages" }).click();
    await eventually(
      "some are sent",
      async () => (await textsOf("orders", "to")).length,
      (count) => count >= 8,
    );
    await root.deleteTopic("orders", "to");
    await page.getByText(/\d+ of 200 are sent. The next was refused/).waitFor();
    await root.createTopic("orders", { name: "to", partitionsCount: 1 });
    await page.getByRole("button", { name: "Go on with it" }).click();
    await eventually(
      "it goes on",
      async () => (await textsOf("orders", "to")).length,
      (count) => count >= 1,
    );
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByText(/Stopped: \d+ of 200 are sent/).waitFor();
    visit.check();
  });

  test("is not offered in a session that only reads", async () => {
    const own = await browser.visit();
    const window = await own.open("/ui/streams/orders/topics/new/messages");
    await window.getByLabel("Read-only").check();
    await signIn(window);
    await window.getByRole("grid").waitFor();
    expect(await window.getByRole("link", { name: "Publish" }).count()).toBe(0);
    await window.goto(`${browser.origin}/ui/streams/orders/topics/new/publish`);
    await window.getByText("This session is read-only: it publishes nothing.").waitFor();
    await own.end();
  });
});

test("what is copied as curl and as TypeScript runs, and gives the message", async () => {
  const token = await root.createPersonalAccessToken("copied", 0n);
  await follow(page, "/ui/streams/orders/topics/new/messages/0/2");
  await visit.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.getByLabel("Payload").waitFor();
  const curl = await copied(page, "Copy as curl");
  const answer = JSON.parse(await runIn(["sh", "-c", curl], token));
  expect(Buffer.from(answer.messages[0].payload, "base64").toString()).toBe('{"id":18446744073709551615}');
  expect(await runProgram(await copied(page, "Copy as TypeScript"), token)).toBe('2n {"id":18446744073709551615}\n');
  expect(await copied(page, "Copy payload")).toBe('{"id":18446744073709551615}');
  visit.check();

  // Those that an empty broker is shown.
  await runIn(["sh", "-c", createCommand("curl", browser.origin)], token);
  await runProgram(createCommand("typescript", browser.origin), token);
  expect(await textsOf("demo", "greetings")).toEqual(["hello", "hello"]);
});

test("a downloaded range equals what was sent", async () => {
  await follow(page, "/ui/streams/sample/topics/orders/messages?p=1");
  await page.getByRole("button", { name: "Download" }).click();
  await page.getByLabel("From offset or time").fill("2");
  await page.getByLabel("To offset or time").fill("yesterday");
  await page.getByText("A bound is an offset or a time").waitFor();
  expect(await findingsInBothThemes(page)).toEqual([]);
  await page.getByLabel("To offset or time").fill("5");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download the range" }).click(),
  ]);
  expect(download.suggestedFilename()).toBe("orders-1.ndjson");
  const lines = (await Bun.file(await download.path()).text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const sent = (await stored("sample", "orders", 1)).slice(2, 6);
  expect(lines.map(({ offset }) => offset)).toEqual([2, 3, 4, 5]);
  expect(
    lines.map(({ payload, payload_base64 }) => payload ?? Buffer.from(payload_base64, "base64").toString()),
  ).toEqual(sent.map(({ text }) => text));
  await visit.end();
});
