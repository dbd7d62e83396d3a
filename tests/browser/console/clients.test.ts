// Who is connected, in a real browser.
import { expect, setDefaultTimeout, test } from "bun:test";
import { noGlobalRights } from "../../support/permissions.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start({ shards: 2 });
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
await root.createStream("orders");
await root.createTopic("orders", { name: "payments", partitionsCount: 3 });
await root.createConsumerGroup("orders", "payments", "billing");
const permissions = { global: { ...noGlobalRights, readTopics: true }, streams: [] };
await root.createUser({ username: "ann", password: "secret", permissions });
const reading = { ...permissions, global: { ...noGlobalRights, readServers: true } };
await root.createUser({ username: "watcher", password: "secret", permissions: reading });

test("clients are listed with user, transport and groups, and can be disconnected", async () => {
  const member = await server.connect({ username: "ann", password: "secret" });
  await member.joinConsumerGroup("orders", "payments", "billing");
  const { clientId } = await member.getMe();
  const visit = await browser.visit();
  const page = await visit.open("/ui/clients");
  await signIn(page);
  await page.getByRole("grid").getByText("ann").waitFor();
  await page.getByLabel("User", { exact: true }).selectOption("ann");
  expect(page.url()).toEndWith("/ui/clients?user=ann");
  expect(await page.getByRole("grid").locator("tbody tr").count()).toBe(1);
  await page.getByLabel("Transport").selectOption("websocket");
  await page.getByText("No client is like that.").waitFor();
  await page.getByLabel("Transport").selectOption("tcp");
  expect(await findings(page)).toEqual([]);

  await page.getByRole("link", { name: String(clientId), exact: true }).click();
  await page.getByText("orders / payments").waitFor();
  expect(await page.getByRole("cell", { name: "billing" }).count()).toBe(1);
  await page.getByRole("button", { name: "Disconnect…" }).click();
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  expect(await page.evaluate("document.activeElement.textContent")).toBe("Disconnect…");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: `Disconnect client ${clientId}` }).click();
  await page.getByRole("status").getByText(`Client ${clientId} is disconnected.`).waitFor();
  await expect(member.ping()).rejects.toMatchObject({ errorName: "Disconnected" });
  await page.goBack();
  await page.getByText(`Client ${clientId} is not connected any more.`).waitFor();
  await visit.end();
});

test("who may only read servers finds no button, and who may not finds no page", async () => {
  const other = await server.connect();
  const { clientId } = await other.getMe();
  const visit = await browser.visit({ colorScheme: "dark" });
  const page = await visit.open(`/ui/clients/${clientId}`);
  await signIn(page, "watcher", "secret");
  await page.getByText("It is a member of no consumer group.").waitFor();
  expect(await page.getByRole("button", { name: "Disconnect…" }).count()).toBe(0);
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Clients" }).click();
  await page.getByRole("grid").waitFor();
  expect(await findings(page)).toEqual([]);
  await visit.end();

  const second = await browser.visit();
  const without = await second.open("/ui/clients");
  await signIn(without, "ann", "secret");
  await without.getByText("lacks the right to read servers").waitFor();
  expect(await without.getByRole("link", { name: "Clients" }).count()).toBe(0);
  await second.end();
});
