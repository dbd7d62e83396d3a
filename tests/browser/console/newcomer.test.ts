// Who opens the console for the first time: an empty broker leads to a decoded message, and names that somebody else chose, long or
// misleading, neither break a page nor hide what they are.
import { expect, setDefaultTimeout, test } from "bun:test";
import { encode } from "../../../src/protocol/codec.ts";
import { headerString, userHeadersCodec } from "../../../src/protocol/user-headers.ts";
import { noGlobalRights } from "../../support/permissions.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
const longName = "x".repeat(255);
const misleading = "a\u202egnp.exe";
const text = (value: string) => new TextEncoder().encode(value);

test("an empty broker leads from the first page to the first decoded message", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui");
  await signIn(page);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByRole("link", { name: "Make one, with sample messages" }).click();
  // A filter and the button beside it do not touch.
  const filter = (await page.getByLabel("Filter").boundingBox())!;
  const button = (await page.getByRole("button", { name: "New stream" }).boundingBox())!;
  expect(button.x - (filter.x + filter.width)).toBeGreaterThanOrEqual(8);
  await page.getByRole("button", { name: "Create a stream with sample messages" }).click();
  await page.getByRole("grid").getByText('"item":"tea"').first().click();
  await page.locator(".payload .json-string").getByText('"tea"').waitFor();
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByText("Over time").waitFor();
  expect(await page.getByRole("link", { name: "Make one, with sample messages" }).count()).toBe(0);
  await visit.end();
});

test("names hide no signs that turn their direction, and long ones are not the width of a page", async () => {
  await root.createStream(misleading);
  await root.createTopic(misleading, { name: misleading, partitionsCount: 1 });
  await root.createStream(longName);
  await root.createUser({ username: "ann", password: "secret", permissions: { global: noGlobalRights, streams: [] } });
  const visit = await browser.visit({ colorScheme: "dark" });
  const page = await visit.open("/ui/streams");
  await signIn(page);
  await page.getByRole("link", { name: "aU+202Egnp.exe" }).click();
  await page.getByRole("heading", { name: "aU+202Egnp.exe" }).waitFor();
  await page.getByRole("grid").getByRole("link", { name: "aU+202Egnp.exe" }).click();
  await page.getByRole("navigation").getByRole("link", { name: "aU+202Egnp.exe" }).waitFor();

  await page.goto(`${browser.origin}/ui/users/ann`);
  await page.getByLabel("Stream", { exact: true }).getByText(longName).waitFor({ state: "attached" });
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  }
  expect(await findings(page)).toEqual([]);
  await visit.end();
});

test("who may only poll finds no form to publish, by its address either", async () => {
  await root.createStream("shop");
  await root.createTopic("shop", { name: "orders", partitionsCount: 1 });
  const streamId = (await root.getStream("shop"))!.id;
  const none = { manageStream: false, readStream: false, manageTopics: false, readTopics: false };
  const topics = [{ topicId: 0, manageTopic: false, readTopic: false, pollMessages: true, sendMessages: false }];
  const streams = [{ streamId, ...none, pollMessages: false, sendMessages: false, topics }];
  await root.createUser({ username: "polly", password: "secret", permissions: { global: noGlobalRights, streams } });
  const visit = await browser.visit();
  const page = await visit.open("/ui/streams/shop/topics/orders/publish");
  await signIn(page, "polly", "secret");
  await page.getByText("Your user lacks the right to send to any topic").waitFor();
  expect(await page.getByRole("button", { name: "Publish" }).count()).toBe(0);
  await visit.end();
});

test("a topic without messages leads to where one is published", async () => {
  await root.createStream("bare");
  await root.createTopic("bare", { name: "empty", partitionsCount: 1 });
  const visit = await browser.visit();
  const page = await visit.open("/ui/streams/bare/topics/empty/messages");
  await signIn(page);
  await page.getByRole("link", { name: "Publish one here" }).click();
  await page.getByRole("button", { name: "Publish 1 message" }).click();
  await page.getByRole("navigation", { name: "Topic" }).getByRole("link", { name: "Messages" }).click();
  await page.getByRole("grid").getByText("{}").waitFor();
  expect(await page.getByRole("link", { name: "Publish one here" }).count()).toBe(0);
  await visit.end();
});

test("the kind of a header is one word, whatever stands beside it", async () => {
  const userHeaders = encode(userHeadersCodec, [
    { key: headerString("a-header-with-a-long-name"), value: headerString("v".repeat(200)) },
  ]);
  await root.createStream("heads");
  await root.createTopic("heads", { name: "wide", partitionsCount: 1 });
  await root.sendMessages({ stream: "heads", topic: "wide", messages: [{ payload: text("short"), userHeaders }] });
  const visit = await browser.visit();
  const page = await visit.open("/ui/streams/heads/topics/wide/messages/0/0");
  await signIn(page);
  await page.setViewportSize({ width: 320, height: 800 });
  const kind = page.getByRole("cell", { name: "string", exact: true });
  await kind.waitFor();
  const lines = await page.evaluate<number>(`(() => {
    const range = document.createRange();
    range.selectNodeContents(document.querySelector("table.headers tbody td"));
    return range.getClientRects().length;
  })()`);
  expect(lines).toBe(1);
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  await visit.end();
});
