// Users and their rights in a real browser: from a task, edited, and taken away while somebody works.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { noGlobalRights } from "../../support/permissions.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, signIn } from "./console-browser.ts";

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

const status = (page: Page) => page.locator(".undo-bar").getByRole("status");

/** Every link of the page that was not tried before: none may lead to something that the user may not see. */
async function tryEverything(page: Page, tried: Set<string | null>): Promise<void> {
  for (const link of await page.getByRole("main").getByRole("link").all()) {
    const address = await link.getAttribute("href");
    if (tried.has(address)) continue;
    tried.add(address);
    const window = await page.context().newPage();
    await window.goto(`${browser.origin}${address}`);
    await window.getByText("connected", { exact: true }).waitFor();
    await window.getByRole("heading", { level: 1 }).waitFor();
    await window.getByText("Loading").waitFor({ state: "detached" });
    expect([address, await window.getByText("lacks the right").count()]).toEqual([address, 0]);
    await window.close();
  }
}

test("a user from a task sees its topic only, and finds nothing that fails", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui/streams/orders/topics/payments/settings");
  await signIn(page);
  await page.getByRole("link", { name: "New user who may read this topic" }).click();
  await page.getByText("read orders / payments").waitFor();
  expect(page.url()).toEndWith("/ui/users/new?for=orders%2Fpayments");
  const answers = page.getByRole("row", { name: "orders / payments" }).getByRole("cell");
  expect(await answers.allTextContents()).toEqual(["yes", "no", "yes", "yes", "no", "no"]);
  const others = page.getByRole("row", { name: "all other topics" }).getByRole("cell");
  expect(await others.allTextContents()).toEqual(["no", "no", "no", "no", "no", "no"]);
  expect(await findings(page)).toEqual([]);
  await page.getByLabel("Name").fill("ann");
  await page.getByRole("button", { name: "Make one" }).click();
  const password = await page.getByLabel("Password").inputValue();
  expect(password).toMatch(/^\w{20}$/);
  await page.getByRole("button", { name: "Create ann" }).click();
  await status(page).getByText("ann is created, and can sign in.").waitFor();
  await page.getByRole("heading", { name: "ann", level: 1 }).waitFor();
  expect(await findings(page)).toEqual([]);
  await visit.end();

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
  const tried = new Set<string | null>();
  await tryEverything(first, tried);
  await first.getByRole("link", { name: "Settings" }).click();
  await first.getByText("Your user may see these settings, not change them.").waitFor();
  await tryEverything(first, tried);
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
  await tryEverything(page, new Set());
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

  const visit = await browser.visit();
  const page = await visit.open("/ui/users");
  await signIn(page);
  await page.getByRole("grid").getByText("poll messages").waitFor();
  expect(await findings(page)).toEqual([]);
  await page.getByRole("link", { name: "poller" }).click();
  const ofTopic = page.getByRole("group", { name: "orders / payments" });
  await ofTopic.getByLabel("poll messages").uncheck();
  await page.getByRole("group", { name: "Everywhere" }).getByLabel("read the server").check();
  expect(await page.getByText("changed", { exact: true }).count()).toBe(2);
  await page.getByRole("button", { name: "Save…" }).click();
  await page.getByRole("listitem").filter({ hasText: "Everywhere: read the server" }).waitFor();
  await page.getByRole("listitem").filter({ hasText: "orders / payments: poll messages" }).waitFor();
  expect(await findings(page)).toEqual([]);
  await page.getByRole("button", { name: "Save rights" }).click();
  await status(page).getByText("The rights of poller are saved.").waitFor();
  // Whoever follows sees it at once.
  await watched.getByText("lacks the right").first().waitFor();
  await watched.getByRole("link", { name: "Clients" }).waitFor();

  await page.getByRole("button", { name: "Undo" }).click();
  await status(page).getByText("Undone.").waitFor();
  expect((await root.getUser("poller"))?.permissions?.streams[0]?.topics[0]?.pollMessages).toBe(true);

  await page.getByRole("button", { name: "Disable poller" }).click();
  await watched.getByRole("dialog").getByText("The session has ended").waitFor();
  await page.getByRole("button", { name: "Enable poller" }).waitFor();
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByLabel("Type poller").fill("poller");
  await page.getByRole("button", { name: "Delete user poller" }).click();
  await page.getByRole("heading", { name: "Users", level: 1 }).waitFor();
  expect(await root.getUser("poller")).toBeUndefined();
  await own.end([/WebSocket connection to .* failed/]);
  await visit.end();
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
