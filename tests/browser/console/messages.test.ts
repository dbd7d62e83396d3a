// Streams, topics and messages in a real browser.
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { encode } from "../../../src/protocol/codec.ts";
import { headerString, userHeadersCodec } from "../../../src/protocol/user-headers.ts";
import { eventually } from "../../support/process-facts.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, follow } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
const messagesCount = 60;
const text = (value: string) => new TextEncoder().encode(value);
const oddJson =
  '{"id":9007199254740993,"id":18446744073709551615,"big":340282366920938463463374607431768211455,"x":1.50e+3}';

await root.createStream("orders");
await root.createStream("audit");
await root.createTopic("orders", { name: "payments", partitionsCount: 2 });
await root.createTopic("orders", { name: "empty", partitionsCount: 1 });
await root.createTopic("orders", { name: "odd", partitionsCount: 1 });
for (let number = 0; number < messagesCount; number++) {
  const partitioning = { kind: "partition", partitionId: number % 2 } as const;
  const messages = [{ payload: text(`{"number":${number}}`) }];
  await root.sendMessages({ stream: "orders", topic: "payments", partitioning, messages });
  await Bun.sleep(1); // rows are in the order of the broker's time, which is to differ between partitions
}
const userHeaders = encode(userHeadersCodec, [
  { key: headerString("trace"), value: { kind: "uint128", value: 2n ** 128n - 1n } },
  { key: headerString("raw"), value: { kind: "raw", value: Uint8Array.of(0, 255) } },
]);
await root.sendMessages({
  stream: "orders",
  topic: "odd",
  messages: [
    { payload: text(oddJson), userHeaders },
    { payload: Uint8Array.of(0xc3, 0x28, 0, 1) },
    { payload: text("<script>alert(1)</script>\u202egnp.exe") },
    { payload: text('{"na\u200bme":"exe\u202egnp"}') },
  ],
});

const { visit, page } = await browser.signedIn("/ui/streams");

/** Waits until the rows begin with these numbers of messages. */
async function rowsBegin(page: Page, ...numbers: readonly number[]): Promise<void> {
  const cells = page.getByRole("grid").locator("tbody tr:not([aria-hidden]) td:last-child");
  const expected = numbers.map((number) => `{"number":${number}}`);
  const begin = async () => (await cells.allTextContents()).slice(0, numbers.length);
  await eventually(`rows ${numbers}`, begin, (found) => Bun.deepEquals(found, expected));
}

describe("messages", () => {
  test("are walked through from either end, from an offset and from a time", async () => {
    await page.getByRole("link", { name: "orders" }).click();
    await page.getByRole("link", { name: "payments" }).click();
    await rowsBegin(page, 59, 58, 57);
    const paging = (name: string) => page.getByRole("button", { name, exact: true }).click();
    const from = (value: string) => page.getByLabel("From", { exact: true }).selectOption(value);

    await page.getByLabel("Rows").selectOption("20");
    await paging("Older");
    await rowsBegin(page, 39, 38, 37);
    await paging("Older");
    await rowsBegin(page, 19, 18);
    await paging("Newer");
    await rowsBegin(page, 20, 21, 22);
    await paging("Newest");
    await rowsBegin(page, 59);

    await from("oldest");
    await rowsBegin(page, 0, 1, 2);
    await paging("Newer");
    await rowsBegin(page, 20, 21);

    await page.getByLabel("Partition").selectOption("1");
    await from("offset");
    await page.getByLabel("Offset", { exact: true }).fill("12,x");
    await paging("Show");
    await page.getByText("An offset is a whole number").waitFor();
    await page.getByLabel("Offset", { exact: true }).fill("12");
    await page.keyboard.press("Enter");
    await rowsBegin(page, 25, 27, 29);
    await paging("Older");
    await rowsBegin(page, 23, 21, 19);

    const polled = await root.pollMessages({
      ...{ stream: "orders", topic: "payments", partitionId: 1, count: 1 },
      consumer: { kind: "consumer", id: { kind: "numeric", value: 0 } },
      strategy: { kind: "last", value: 0n },
    });
    const lastMillis = Number(polled.messages[0]!.timestampMicros / 1000n);
    await from("time");
    await page.getByLabel("Time", { exact: true }).fill(new Date(lastMillis + 60_000).toISOString());
    await paging("Show");
    await page.getByText("There is no message here").waitFor();
    await page.getByLabel("Time", { exact: true }).fill("1970-01-01T00:00:00Z");
    await paging("Show");
    await rowsBegin(page, 1, 3, 5);
    visit.check();
  });

  test("are shown as they were sent: every digit, keys that come twice, headers of every size", async () => {
    await page.goto(`${browser.origin}/ui/streams/orders/topics/odd/messages/0/0`);
    const lines = page.getByLabel("Payload");
    await lines.waitFor();
    expect(await lines.locator(".line").allTextContents()).toEqual([
      "{",
      '  "id": 9007199254740993,',
      '  "id": 18446744073709551615,',
      '  "big": 340282366920938463463374607431768211455,',
      '  "x": 1.50e+3',
      "}",
    ]);
    expect(await page.getByRole("row").allTextContents()).toEqual([
      "KeyKindValue",
      "traceuint128340282366920938463463374607431768211455",
      "rawraw00 ff",
    ]);
    await page.getByLabel("Show as").selectOption("text");
    await page.getByText(oddJson, { exact: true }).waitFor();
    expect(page.url()).toEndWith("/messages/0/0?fmt=text");
    await page.getByLabel("Show as").selectOption("auto");

    await page.getByRole("link", { name: "Newer" }).click();
    await page.getByText("shown as hex").waitFor();
    expect(await lines.textContent()).toContain("00000000  c3 28 00 01");
    await page.getByRole("link", { name: "Newer" }).click();
    await page.getByText("shown as text").waitFor();
    expect(await page.locator("pre").textContent()).toBe("<script>alert(1)</script>U+202Egnp.exe");
    await page.getByRole("link", { name: "Newer" }).click();
    await page.getByText("shown as JSON").waitFor();
    expect(await lines.locator(".line").allTextContents()).toEqual(["{", '  "naU+200Bme": "exeU+202Egnp"', "}"]);
    expect(await lines.locator(".control").allTextContents()).toEqual(["U+200B", "U+202E"]);
    visit.check();
  });

  test("have addresses: a reload, a link and the way back show the same rows", async () => {
    await follow(page, "/ui/streams/orders/topics/payments/messages?from=oldest&n=20");
    await rowsBegin(page, 0, 1);
    await page.getByRole("button", { name: "Newer" }).click();
    await rowsBegin(page, 20, 21);
    const address = page.url();
    await page.reload();
    await rowsBegin(page, 20, 21);
    const link = await visit.context.newPage();
    await link.goto(address);
    await rowsBegin(link, 20, 21);

    // By keys alone: down, open, back to the row that was opened.
    await page.keyboard.press("j");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Message 10 of partition 1" }).waitFor();
    await page.keyboard.press("Escape");
    await rowsBegin(page, 20, 21);
    expect(page.url()).toBe(address);
    const focused = "document.activeElement?.closest('tr')?.textContent ?? ''";
    await eventually(
      "the row is active again",
      () => page.evaluate<string>(focused),
      (row) => row.endsWith('{"number":21}'),
    );

    await follow(page, "/ui/streams?q=a&sort=-name");
    const names = page.getByRole("grid").locator("tbody a");
    await page.getByRole("link", { name: "audit" }).waitFor();
    expect(await names.allTextContents()).toEqual(["audit"]);
    await page.keyboard.press("/");
    await page.keyboard.press("Backspace");
    await eventually(
      "both streams",
      () => names.allTextContents(),
      (found) => Bun.deepEquals(found, ["orders", "audit"]),
    );
    expect(page.url()).toEndWith("/ui/streams?sort=-name");
    visit.check();
  });
});

test("names and previews can be read in windows of every width", async () => {
  const leastPixels = 200;
  const narrow: string[] = [];
  for (const [path, column] of [
    ["/ui/streams", 0],
    ["/ui/streams/orders", 0],
    ["/ui/streams/orders/topics/payments/messages", 4],
  ] as const) {
    await follow(page, path);
    const cell = page.getByRole("grid").locator("tbody tr").first().locator("td").nth(column);
    for (const width of [320, 400, 768, 900, 1000]) {
      await page.setViewportSize({ width, height: 800 });
      const box = await cell.boundingBox();
      if (box === null || box.width < leastPixels) narrow.push(`${path} at ${width}: ${box?.width}`);
    }
  }
  expect(narrow).toEqual([]);
  await visit.end();
});
