// The finder in a real browser, by keyboard alone, and what it offers to whom.
import { expect, setDefaultTimeout, test } from "bun:test";
import { noGlobalRights } from "../../support/permissions.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
for (const stream of ["orders", "ledger"]) {
  await root.createStream(stream);
  for (const topic of ["payments", "entries"]) await root.createTopic(stream, { name: topic, partitionsCount: 1 });
}
await root.createConsumerGroup("ledger", "entries", "billing");
await root.sendMessages({
  stream: "orders",
  topic: "payments",
  messages: [{ payload: new TextEncoder().encode("hello") }],
});

test("two words and Enter lead to a topic's messages, from wherever one is", async () => {
  const visit = await browser.visit({ colorScheme: "dark" });
  const page = await visit.open("/ui/help");
  await signIn(page);
  await page.getByText("connected", { exact: true }).waitFor();
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "Find a page" });
  await field.waitFor();
  const options = page.getByRole("listbox").getByRole("option");
  await options.filter({ hasText: "Overview" }).waitFor();
  await options.filter({ hasText: "New stream" }).waitFor();
  expect(await findings(page)).toEqual([]);
  await page.keyboard.type("ord pay");
  await page.getByRole("option", { name: "orders / payments" }).waitFor();
  expect(await options.count()).toBe(1);
  expect(await field.getAttribute("aria-activedescendant")).toBe(await options.first().getAttribute("id"));
  expect(await options.first().getAttribute("aria-selected")).toBe("true");
  await page.getByRole("status").getByText("1 hit").waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("grid").getByText("hello").waitFor();
  expect(page.url()).toEndWith("/ui/streams/orders/topics/payments/messages");

  await page.keyboard.press("Control+k");
  await field.fill("entries");
  await page.getByRole("option", { name: "ledger / entries topic" }).waitFor();
  await page.getByRole("option", { name: "ledger / entries / billing" }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  expect(await page.locator("[role=option][aria-selected=true]").textContent()).toContain("billing");
  await page.keyboard.press("ArrowDown");
  expect(await page.locator("[role=option][aria-selected=true]").getAttribute("id")).toEndWith("-0");
  await field.fill("no such thing");
  await page.getByRole("status").getByText('Nothing is called "no such thing".').waitFor();
  expect(await field.getAttribute("aria-expanded")).toBe("false");
  await page.keyboard.press("Escape");
  await field.waitFor({ state: "detached" });

  await page.getByRole("button", { name: "Find" }).press("Enter");
  await field.fill("new str");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "New stream" }).waitFor();
  await page.keyboard.press("Escape");
  await visit.end();
});

test("what is typed before the finder's code has come is in its field", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui/streams");
  await signIn(page);
  await page.getByRole("link", { name: "ledger" }).waitFor();
  const hold = Promise.withResolvers<void>();
  await visit.context.route("**/*.js", async (route) => {
    await hold.promise;
    await route.continue();
  });
  await page.keyboard.press("Control+k");
  await page.keyboard.type("?ord payx");
  await page.keyboard.press("Backspace");
  hold.resolve();
  const field = page.getByRole("combobox", { name: "Find a page" });
  await field.waitFor();
  expect(await field.inputValue()).toBe("?ord pay");
  expect(page.url()).toEndWith("/ui/streams");
  await page.keyboard.type("s");
  expect(await field.inputValue()).toBe("?ord pays");
  await visit.end();
});

test("who may only read one topic finds that, and nothing that fails", async () => {
  const stream = { manageStream: false, readStream: false, manageTopics: false, readTopics: false };
  const none = { pollMessages: false, sendMessages: false };
  const topics = [{ topicId: 0, manageTopic: false, readTopic: true, ...none }];
  const permissions = { global: noGlobalRights, streams: [{ streamId: 0, ...stream, ...none, topics }] };
  await root.createUser({ username: "ann", password: "secret", permissions });
  const visit = await browser.visit();
  const page = await visit.open("/ui");
  await signIn(page, "ann", "secret");
  await page.getByRole("link", { name: "orders / payments" }).waitFor();
  await page.keyboard.press("Control+k");
  const field = page.getByRole("combobox", { name: "Find a page" });
  await field.fill("e");
  const options = page.getByRole("listbox").getByRole("option");
  await options.filter({ hasText: "orders / payments" }).waitFor();
  await page.getByText("Still looking").waitFor({ state: "detached" });
  const found = await options.allTextContents();
  expect(found.filter((text) => /ledger|entries|Users|Clients|Overview|New/.test(text))).toEqual([]);
  expect(await page.getByText("Not everything").count()).toBe(0);
  await visit.end();
});
