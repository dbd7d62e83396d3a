// The search in messages, in a real browser.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { encode } from "../../../src/protocol/codec.ts";
import { headerString, userHeadersCodec } from "../../../src/protocol/user-headers.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findingsInBothThemes, follow } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
const text = (value: string) => new TextEncoder().encode(value);
const messagesCount = 12_000;

await root.createStream("orders");
await root.createTopic("orders", { name: "many", partitionsCount: 2 });
for (let start = 0; start < messagesCount; start += 1000) {
  const messages = Array.from({ length: 1000 }, (_, index) => ({ payload: text(`{"number":${start + index}}`) }));
  const partitioning = { kind: "partition", partitionId: (start / 1000) % 2 } as const;
  await root.sendMessages({ stream: "orders", topic: "many", partitioning, messages });
}
const userHeaders = encode(userHeadersCodec, [{ key: headerString("trace"), value: headerString("4f3a") }]);
await root.sendMessages({
  ...{ stream: "orders", topic: "many", partitioning: { kind: "partition", partitionId: 0 } },
  messages: [{ payload: text('{"number":-1,"total":100.50}'), userHeaders }],
});
await root.createTopic("orders", { name: "large", partitionsCount: 1 });
const large = new Uint8Array(1024 * 1024).fill(0x61);
for (let number = 0; number < 26; number++) {
  await root.sendMessages({ stream: "orders", topic: "large", messages: [{ payload: large }] });
}

async function search(page: Page, query: string): Promise<void> {
  await page.getByLabel("Search", { exact: true }).fill(query);
  await page.keyboard.press("Enter");
}

const many = "/ui/streams/orders/topics/many/messages";
const { visit, page } = await browser.signedIn(many);

test("finds a message by text, field and header, and the address leads to the same", async () => {
  const rows = page.getByRole("grid", { name: "Messages found" }).locator("tbody tr:not([aria-hidden])");
  const previews = () => rows.locator("td:last-child").allTextContents();
  await search(page, "total");
  await page.getByText("12,001 of 12,001 messages looked at").waitFor();
  expect(await previews()).toEqual(['{"number":-1,"total":100.50}']);
  await search(page, "number >= 11998 or (header.trace = 4f3a total > 100)");
  await page.getByText("3 found").waitFor();
  expect(await previews()).toEqual(['{"number":-1,"total":100.50}', '{"number":11999}', '{"number":11998}']);
  expect(await findingsInBothThemes(page)).toEqual([]);

  const address = page.url();
  await page.reload();
  await page.getByText("3 found").waitFor();
  const link = await visit.context.newPage();
  await link.goto(address);
  await link.getByText("3 found").waitFor();
  // From a hit and back to it, without another search.
  await rows.nth(1).click();
  await page.getByRole("heading", { name: "Message 5,999 of partition 1" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText("3 found").waitFor();
  expect(page.url()).toBe(address);

  await page.getByRole("button", { name: "Live" }).click();
  await page.getByRole("grid", { name: "Messages", exact: true }).waitFor();
  await page.getByRole("button", { name: "Live" }).click();
  await page.getByText("3 found").waitFor();

  await search(page, "(total");
  await page.getByText("A bracket is not closed. (at character 1)").waitFor();
  await page.getByRole("button", { name: "End the search" }).click();
  await page.getByRole("grid", { name: "Messages", exact: true }).waitFor();
  expect(page.url()).toEndWith("/messages");
  visit.check();
});

test("says how far it looked, and goes on when it is told to", async () => {
  await follow(page, `${many}?scan=10k&q=nothing-like-it`);
  await page.getByText("Stopped: as many messages as were to be looked at.").waitFor();
  await page.getByText("Nothing found in the 10,000 messages looked at.").waitFor();
  await page.getByRole("button", { name: "Go on", exact: true }).click();
  await page.getByText("There is nothing more in this direction.").waitFor();
  await page.getByText("Nothing found in the 12,001 messages looked at.").waitFor();

  await follow(page, `${many}?scan=10k&from=oldest&p=1&q=number`);
  await page.getByText("Stopped: 500 found").waitFor();
  await follow(page, "/ui/streams/orders/topics/large/messages?scan=10k&q=b");
  await page.getByText("Stopped: as many bytes as were to be read.").waitFor();
  await page.getByRole("button", { name: "Go on, further" }).click();
  await page.getByText("26 of 26 messages looked at").waitFor();
  expect(page.url()).not.toContain("scan=");
  await visit.end();
});
