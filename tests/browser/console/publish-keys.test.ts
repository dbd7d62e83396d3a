// Publishing by keyboard alone: from the sign-in to messages that are stored, and the same message once more.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { decode } from "../../../src/protocol/codec.ts";
import { userHeadersCodec } from "../../../src/protocol/user-headers.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();

/** More than any page has. */
const stopsMax = 60;
/** What a screen reader would call the element that has the focus: its label, its name for readers, or its text. */
const focusedName = `(() => {
  const element = document.activeElement;
  return element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
})()`;

/** Presses Tab until what has the name has the focus. Throws with the stops on the way where nothing has it. */
async function tabTo(page: Page, name: string): Promise<void> {
  const stops: string[] = [];
  while (stops.length < stopsMax) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate<string>(focusedName);
    if (stop === name) return;
    stops.push(stop);
  }
  throw new Error(`Tab does not come to ${name}, but to: ${stops.join(" | ")}`);
}

/** The keys replace what is in the field. */
async function write(page: Page, name: string, text: string): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press("Control+a");
  await page.keyboard.type(text);
}

async function stored() {
  const consumer = { kind: "consumer", id: { kind: "numeric", value: 0 } } as const;
  const strategy = { kind: "offset", value: 0n } as const;
  const place = { stream: "orders", topic: "payments", partitionId: 1 } as const;
  const { messages } = await root.pollMessages({ ...place, consumer, strategy, count: 100 });
  return messages.map(({ payload, userHeaders }) => [
    new TextDecoder().decode(payload),
    ...decode(userHeadersCodec, userHeaders).map(({ key, value }) => `${key.value}=${value.value}`),
  ]);
}

test("messages are written, mended, published and published again without a mouse", async () => {
  await root.createStream("orders");
  await root.createTopic("orders", { name: "payments", partitionsCount: 2 });
  const visit = await browser.visit();
  const page = await visit.open("/ui/streams/orders/topics/payments/messages");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("iggy");
  await page.keyboard.press("Tab");
  await page.keyboard.type("iggy");
  await page.keyboard.press("Enter");
  await page.getByText("connected", { exact: true }).waitFor();
  await page.getByRole("link", { name: "Publish", exact: true }).waitFor();
  await tabTo(page, "Publish");
  await page.keyboard.press("Enter");
  await page.getByLabel("Payload", { exact: true }).waitFor();

  await tabTo(page, "Partition chosen by");
  await page.keyboard.type("number"); // an entry is found by its first letters
  await page.getByLabel("Partition", { exact: true }).waitFor();
  await write(page, "Partition", "1");
  await write(page, "Payload", "{");
  await page.getByText("The payload is not JSON.").waitFor();
  await page.keyboard.press("Control+a");
  await page.keyboard.type('{"id":18446744073709551615}');
  await tabTo(page, "Add a header");
  await page.keyboard.press("Enter");
  await page.getByLabel("Key", { exact: true }).waitFor();
  // The new row is before the button.
  for (const name of ["Remove this header", "Value"]) {
    await page.keyboard.press("Shift+Tab");
    expect(await page.evaluate<string>(focusedName)).toBe(name);
  }
  await page.keyboard.type("2");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  expect(await page.evaluate<string>(focusedName)).toBe("Key");
  await page.keyboard.type("attempt");
  await write(page, "Copies", "2");
  await page.getByText("2 messages, 27 B each, 1 header → orders/payments, Partition 1").waitFor();
  await tabTo(page, "Publish 2 messages");
  await page.keyboard.press("Enter");
  await page.getByText("2 messages are sent.").waitFor();
  const sent = ['{"id":18446744073709551615}', "attempt=2"];
  expect(await stored()).toEqual([sent, sent]);

  await tabTo(page, "Show the newest messages");
  await page.keyboard.press("Enter");
  await page.getByRole("grid").getByText("18446744073709551615").first().waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Message 1 of partition 1" }).waitFor();
  await page.getByRole("link", { name: "Publish again…" }).waitFor();
  await tabTo(page, "Publish again…");
  await page.keyboard.press("Enter");
  await page.getByLabel("Add a header origin").waitFor();
  await tabTo(page, "Partition chosen by");
  await page.keyboard.type("number");
  await page.getByLabel("Partition", { exact: true }).waitFor();
  await write(page, "Partition", "1");
  await tabTo(page, "Remove header attempt");
  await page.keyboard.press("Enter");
  await page.getByText("No headers.").waitFor();
  await tabTo(page, "Publish 1 message");
  await page.keyboard.press("Enter");
  await page.getByText("1 message is sent.").waitFor();
  expect((await stored()).slice(2)).toEqual([sent.slice(0, 1)]);
  await visit.end();
});
