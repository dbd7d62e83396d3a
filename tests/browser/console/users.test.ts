// Users and their rights in a real browser: from a task, edited, and taken away while somebody works.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { noGlobalRights } from "../../support/permissions.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, follow, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start();
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
await root.createStream("orders");
for (const name of ["payments", "refunds"]) await root.createTopic("orders", { name, partitionsCount: 2 });
const payload = new TextEncoder().encode("hello");
const partitioning = { kind: "partition", partitionId: 1 } as const;
await root.sendMessages({ stream: "orders", topic: "payments", partitioning, messages: [{ payload }] });

const noStreamRights = {
  streamId: 0,
  manageStream: false,
  readStream: false,
  manageTopics: false,
  readTopics: false,
  pollMessages: false,
  sendMessages: false,
};
const noTopicRights = { topicId: 0, manageTopic: false, readTopic: false, pollMessages: false, sendMessages: false };

const streams = [{ ...noStreamRights, topics: [{ ...noTopicRights, pollMessages: true }] }];
await root.createUser({ username: "poller", password: "secret", permissions: { global: noGlobalRights, streams } });

/** Of root, for all tests. */
const { visit: ofRoot, page: rootPage } = await browser.signedIn("/ui/streams/orders/topics/payments/settings");

const status = (page: Page) => page.locator(".undo-bar").getByRole("status");

const linksIn = (page: Page) =>
  page
    .getByRole("main")
    .getByRole("link")
    .evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));

/**
 * Every link of the page that was not tried before, in `window`, which is another of the same profile: none may lead to something
 * that the user may not see.
 */
async function tryEverything(page: Page, window: Page, tried: Set<string>): Promise<void> {
  for (const address of await linksIn(page)) {
    if (tried.has(address)) continue;
    tried.add(address);
    await follow(window, address);
    expect([address, await window.getByText("lacks the right").count()]).toEqual([address, 0]);
  }
}

test("a user from a task sees its topic only, and finds nothing that fails", async () => {
  await rootPage.getByRole("link", { name: "New user who may read this topic" }).click();
  await rootPage.getByText("read orders / payments").waitFor();
  expect(rootPage.url()).toEndWith("/ui/users/new?for=orders%2Fpayments");
  const answers = rootPage.getByRole("row", { name: "orders / payments" }).getByRole("cell");
  expect(await answers.allTextContents()).toEqual(["yes", "no", "yes", "yes", "no", "no"]);
  const others = rootPage.getByRole("row", { name: "all other topics" }).getByRole("cell");
  expect(await others.allTextContents()).toEqual(["no", "no", "no", "no", "no", "no"]);
  expect(await findings(rootPage)).toEqual([]);
  await rootPage.getByLabel("Name").fill("ann");
  await rootPage.getByRole("button", { name: "Make one" }).click();
  const password = await rootPage.getByLabel("Password").inputValue();
  expect(password).toMatch(/^\w{20}$/);
  await rootPage.getByRole("button", { name: "Create ann" }).click();
  await status(rootPage).getByText("ann is created, and can sign in.").waitFor();
  await rootPage.getByRole("heading", { name: "ann", level: 1 }).waitFor();
  expect(await findings(rootPage)).toEqual([]);
  ofRoot.check();

  const own = await browser.visit();
  const first = await own.open("/ui");
  await signIn(first, "ann", password);
  await first.getByRole("link", { name: "orders / payments" }).waitFor();
  expect(await first.getByRole("grid").locator("tbody tr").count()).toBe(1);
  expect(await first.getByRole("main").getByRole("button").count()).toBe(0);
  const pages = first.getByRole("navigation", { name: "Pages" });
  expect(await pages.getByRole("link").allTextContents()).not.toContain("Users");
  expect(await findings(first)).toEqual([]);
  await first.getByRole("link", { name: "orders / payments" }).click();
  await first.getByRole("grid").getByText("hello").waitFor();
  const tried = new Set<string>();
  const window = await own.open("/ui/help");
  await window.getByText("connected", { exact: true }).waitFor();
  await tryEverything(first, window, tried);
  await first.getByRole("link", { name: "Settings" }).click();
  await first.getByText("Your user may see these settings, not change them.").waitFor();
  await tryEverything(first, window, tried);
  await own.end();
});

test("who may only poll sees messages, follows them, and nothing else", async () => {
  const visit = await browser.visit({ colorScheme: "dark" });
  const page = await visit.open("/ui");
  await signIn(page, "poller", "secret");
  await page.getByRole("link", { name: "orders / payments" }).click();
  await page.getByRole("grid").getByText("hello").waitFor();
  expect(await page.getByLabel("Partition").locator("option").allTextContents()).toEqual(["all", "0", "1"]);
  expect(await page.getByRole("navigation", { name: "Parts of the topic" }).getByRole("link").count()).toBe(1);
  const window = await visit.open("/ui/help");
  await window.getByText("connected", { exact: true }).waitFor();
  await tryEverything(page, window, new Set());
  await window.close();
  await page.getByRole("button", { name: "Live" }).click();
  await page.getByText("0 new since you follow").waitFor();
  await root.sendMessages({ stream: "orders", topic: "payments", partitioning, messages: [{ payload }] });
  await page.getByText("1 new since you follow").waitFor();
  expect(await findings(page)).toEqual([]);
  await visit.end();
});

test("rights are edited with what changes in sight, and go back; taken away, they end what is open", async () => {
  const own = await browser.visit();
  const watched = await own.open("/ui/streams/orders/topics/payments/messages?live=1");
  await signIn(watched, "poller", "secret");
  await watched.getByText("new since you follow").waitFor();

  await follow(rootPage, "/ui/users");
  await rootPage.getByRole("grid").getByText("poll messages").waitFor();
  expect(await findings(rootPage)).toEqual([]);
  await rootPage.getByRole("link", { name: "poller" }).click();
  const ofTopic = rootPage.getByRole("group", { name: "orders / payments" });
  await ofTopic.getByLabel("poll messages").uncheck();
  await rootPage.getByRole("group", { name: "Everywhere" }).getByLabel("read the server").check();
  expect(await rootPage.getByText("changed", { exact: true }).count()).toBe(2);
  await rootPage.getByRole("button", { name: "Save…" }).click();
  await rootPage.getByRole("listitem").filter({ hasText: "Everywhere: read the server" }).waitFor();
  await rootPage.getByRole("listitem").filter({ hasText: "orders / payments: poll messages" }).waitFor();
  expect(await findings(rootPage)).toEqual([]);
  await rootPage.getByRole("button", { name: "Save rights" }).click();
  await status(rootPage).getByText("The rights of poller are saved.").waitFor();
  // Whoever follows sees it at once.
  await watched.getByText("lacks the right").first().waitFor();
  await watched.getByRole("link", { name: "Clients" }).waitFor();

  await rootPage.getByRole("button", { name: "Undo" }).click();
  await status(rootPage).getByText("Undone.").waitFor();
  expect((await root.getUser("poller"))?.permissions?.streams[0]?.topics[0]?.pollMessages).toBe(true);

  await rootPage.getByRole("button", { name: "Disable poller" }).click();
  await watched.getByRole("dialog").getByText("The session has ended").waitFor();
  await rootPage.getByRole("button", { name: "Enable poller" }).waitFor();
  await rootPage.getByRole("button", { name: "Delete…" }).click();
  await rootPage.getByRole("dialog").getByLabel("Type poller").fill("poller");
  await rootPage.getByRole("button", { name: "Delete user poller" }).click();
  await rootPage.getByRole("heading", { name: "Users", level: 1 }).waitFor();
  expect(await root.getUser("poller")).toBeUndefined();
  await own.end([/WebSocket connection to .* failed/]);
  await ofRoot.end();
});

test("the own account has tokens, shown once, and a password", async () => {
  await root.createUser({ username: "bob", password: "secret" });
  const visit = await browser.visit({ colorScheme: "dark" });
  const page = await visit.open("/ui/account");
  await signIn(page, "bob", "secret");
  await page.getByText("You have no tokens.").waitFor();
  await page.getByRole("button", { name: "New token" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("ci token");
  await page.getByRole("button", { name: "Create token" }).click();
  const token = (await page.locator(".notice code").textContent())!;
  const client = await server.connect();
  await client.loginWithToken(token);
  expect((await client.getMe()).userId).not.toBe(0);
  await client.close();
  expect(await findings(page)).toEqual([]);
  await page.getByRole("button", { name: "I have kept it" }).click();
  expect(await page.getByText(token).count()).toBe(0);
  await page.getByRole("button", { name: "Delete token ci token" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete token ci token" }).click();
  await page.getByText("You have no tokens.").waitFor();

  await page.getByRole("button", { name: "Change password…" }).click();
  await page.getByLabel("Current password").fill("wrong");
  await page.getByLabel("New password").fill("better");
  await page.getByRole("button", { name: "Change password", exact: true }).click();
  await page.getByRole("alert").getByText("(42)").waitFor();
  await page.getByLabel("Current password").fill("secret");
  await page.getByRole("button", { name: "Change password", exact: true }).click();
  await status(page).getByText("The password of bob is changed.").waitFor();
  await server.connect({ username: "bob", password: "better" }).then((client) => client.close());
  await visit.end([/WebSocket connection to .* failed/]);
});

test("a session that only reads changes no user, whatever is sent", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui/users/ann");
  await page.getByRole("dialog").getByLabel("Read-only").check();
  await signIn(page);
  await page.getByRole("group", { name: "Everywhere" }).waitFor();
  expect(await page.getByLabel("read the server").isDisabled()).toBe(true);
  expect(await page.getByRole("main").getByRole("button").count()).toBe(0);
  await page.getByRole("link", { name: "Users", exact: true }).first().click();
  await page.getByRole("grid").getByText("ann").waitFor();
  expect(await page.getByRole("link", { name: "New user" }).count()).toBe(0);
  await visit.end();
});
