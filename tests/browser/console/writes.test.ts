// Creating, renaming, emptying and deleting streams and topics in a real browser, and the way back.
import { expect, setDefaultTimeout, test } from "bun:test";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, follow, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();

async function fill(stream: string, topic: string, messagesCount: number): Promise<void> {
  await root.createStream(stream);
  await root.createTopic(stream, { name: topic, partitionsCount: 1 });
  const payload = new TextEncoder().encode("hello");
  await root.sendMessages({ stream, topic, messages: Array.from({ length: messagesCount }, () => ({ payload })) });
  await root.createConsumerGroup(stream, topic, "billing");
}

const { visit, page } = await browser.signedIn("/ui/streams");
const status = page.locator(".undo-bar").getByRole("status");

test("a stream and its topic are made, all by keyboard, and a rename is undone", async () => {
  await page.getByText("There are no streams yet.").waitFor();
  await page.getByRole("button", { name: "New stream" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  expect(await findings(page)).toEqual([]);
  await page.keyboard.type("orders");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "orders", level: 1 }).waitFor();
  await status.getByText("orders is created.").waitFor();

  await page.getByRole("button", { name: "New topic" }).press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("payments");
  await page.keyboard.press("Tab");
  await page.keyboard.type("3");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "payments", level: 1 }).waitFor();
  expect((await root.getTopic("orders", "payments"))?.partitionsCount).toBe(3);

  await follow(page, "/ui/streams/orders");
  await page.getByRole("button", { name: "Rename…" }).press("Enter");
  await page.getByRole("dialog").getByLabel("Name").fill("sales");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "sales", level: 1 }).waitFor();
  expect(page.url()).toEndWith("/ui/streams/sales");
  expect(await findings(page)).toEqual([]);
  await page.getByRole("button", { name: "Undo" }).press("Enter");
  await page.getByRole("heading", { name: "orders", level: 1 }).waitFor();
  await status.getByText("Undone.").waitFor();
  expect((await root.getStreams()).map(({ name }) => name)).toEqual(["orders"]);

  // Somebody else was faster: nothing of theirs is lost.
  await page.getByRole("button", { name: "Rename…" }).press("Enter");
  await page.getByRole("dialog").getByLabel("Name").fill("sales");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "sales", level: 1 }).waitFor();
  await root.updateStream("sales", "theirs");
  await page.getByRole("button", { name: "Undo" }).press("Enter");
  await status.getByText("it is called theirs by now").waitFor();
  expect((await root.getStreams()).map(({ name }) => name)).toEqual(["theirs"]);
  await root.deleteStream("theirs");
  await server.logged(/renamed a stream .*by=iggy .*transport=console/, 3);
  visit.check();
});

test("retention says what would go, that the cleaner is off, and goes back", async () => {
  await fill("orders", "payments", 5);
  const before = await root.getTopic("orders", "payments");
  await page.emulateMedia({ colorScheme: "dark" });
  await follow(page, "/ui/streams/orders/topics/payments/settings");
  await page.getByText("The cleaner is off on this broker, so nothing goes.").waitFor();
  await page.getByLabel("Keep messages").selectOption("limit");
  await page.getByLabel("How long").fill("2");
  await page.getByText("No full segment is older than 2 d.").waitFor();
  expect(await findings(page)).toEqual([]);
  await page.getByLabel("Size limit").selectOption("limit");
  await page.getByLabel("How large").fill("0");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("alert").getByText("A whole number above 0.").waitFor();
  await page.getByLabel("How large").fill("100");
  await page.getByRole("button", { name: "Save" }).click();
  await status.getByText("Settings of payments are saved.").waitFor();
  const saved = await root.getTopic("orders", "payments");
  expect([saved?.messageExpiryMicros, saved?.maxTopicSizeBytes]).toEqual([172_800_000_000n, 100n * 1024n ** 3n]);
  await page.getByRole("button", { name: "Undo" }).click();
  await status.getByText("Undone.").waitFor();
  expect(await root.getTopic("orders", "payments")).toEqual(before);

  await page.getByRole("button", { name: "Add partitions…" }).click();
  await page.getByRole("dialog").getByLabel("How many").fill("2");
  await page.getByRole("button", { name: "Add 2 partitions" }).click();
  await page.getByText("3 partitions").waitFor();
  await page.getByRole("button", { name: "Delete partitions…" }).click();
  await page.getByText("Gone will be: 0 messages, 0 B.").waitFor();
  await page.getByRole("dialog").getByLabel("Type payments to go on").fill("payments");
  await page.getByRole("button", { name: "Delete the last 1 partition" }).click();
  await page.getByText("2 partitions").waitFor();
  visit.check();
});

test("deleting and purging need the name, and say how much goes", async () => {
  await follow(page, "/ui/streams/orders/topics/payments/settings");
  await page.getByRole("button", { name: "Purge…" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Gone will be: 5 messages,").waitFor();
  expect(await findings(page)).toEqual([]);
  const purge = dialog.getByRole("button", { name: "Purge topic payments" });
  expect(await purge.getAttribute("aria-disabled")).toBe("true");
  await purge.click({ force: true });
  await dialog.getByLabel("Type payments").fill("payment");
  await page.keyboard.press("Enter");
  expect((await root.getTopic("orders", "payments"))?.messagesCount).toBe(5n);
  await dialog.getByLabel("Type payments").fill("payments");
  await purge.click();
  await status.getByText("payments has no messages any more.").waitFor();
  expect((await root.getTopic("orders", "payments"))?.messagesCount).toBe(0n);

  await follow(page, "/ui/streams/orders/settings");
  await page.getByRole("button", { name: "Delete…" }).click();
  await dialog.getByText("Gone will be: 1 topic, 0 messages, 0 B, 1 group with their offsets.").waitFor();
  await dialog.getByLabel("Type orders").fill("orders");
  await dialog.getByRole("button", { name: "Delete stream orders" }).click();
  await page.getByRole("heading", { name: "Streams", level: 1 }).waitFor();
  expect(await root.getStreams()).toEqual([]);
  await visit.end();
});

test("a read-only session has no buttons", async () => {
  await fill("orders", "payments", 1);
  const own = await browser.visit();
  const window = await own.open("/ui/streams");
  await window.getByRole("dialog").getByLabel("Read-only").check();
  await signIn(window);
  await window.getByRole("link", { name: "orders" }).waitFor();
  expect(await window.getByRole("button", { name: "New stream" }).count()).toBe(0);
  await window.getByRole("link", { name: "orders" }).click();
  await window.getByRole("link", { name: "payments" }).waitFor();
  for (const name of ["New topic", "Rename…", "Purge…", "Delete…"]) {
    expect(await window.getByRole("button", { name }).count()).toBe(0);
  }
  await window.getByRole("link", { name: "payments" }).click();
  await window.getByRole("link", { name: "Settings" }).click();
  await window.getByText("This session is read-only.").waitFor();
  expect(await window.getByLabel("Name").isDisabled()).toBe(true);
  expect(await window.getByRole("button", { name: "Save" }).count()).toBe(0);
  expect(await window.getByRole("button", { name: "Delete…" }).count()).toBe(0);
  await own.end();
});
