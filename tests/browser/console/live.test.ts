// What changes is shown without anybody asking for it.
import { expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "../../support/process-facts.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, follow, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start({ shards: 2 });
const browser = await ConsoleBrowser.start(server);
const root = await server.connect();
await root.createStream("orders");
await root.createTopic("orders", { name: "payments", partitionsCount: 2 });
const { visit, page } = await browser.signedIn("/ui/streams");

async function send(partitionId: number, ...texts: readonly string[]): Promise<void> {
  const messages = texts.map((text) => ({ payload: new TextEncoder().encode(text) }));
  const partitioning = { kind: "partition", partitionId } as const;
  await root.sendMessages({ stream: "orders", topic: "payments", partitioning, messages });
}

test("messages come as they are sent, and a pause keeps its place", async () => {
  await send(0, "before");
  await follow(page, "/ui/streams/orders/topics/payments/messages");
  await page.getByRole("grid").getByText("before").waitFor();
  await page.getByRole("button", { name: "Live" }).click();
  await page.getByText("0 new since you follow").waitFor();
  expect(page.url()).toEndWith("/messages?live=1");
  const cells = page.getByRole("grid").locator("tbody tr:not([aria-hidden]) td:last-child");
  const begin = async (...texts: readonly string[]) => {
    const found = async () => (await cells.allTextContents()).slice(0, texts.length);
    await eventually(`rows ${texts}`, found, (all) => Bun.deepEquals(all, texts));
  };
  await begin("before");
  await send(1, "first", "second");
  await begin("second", "first", "before");
  await send(0, "third");
  await begin("third", "second", "first", "before");
  expect(await findings(page)).toEqual([]);

  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused.").waitFor();
  await send(0, "fourth");
  await begin("third", "second");
  await page.getByRole("button", { name: "Go on" }).click();
  await begin("fourth", "third", "second");

  // More than a list keeps: the newest are there, and it says what it left out or shows every one.
  for (let batch = 0; batch < 30; batch++) {
    await send(1, ...Array.from({ length: 100 }, (_, index) => `many ${batch * 100 + index}`));
  }
  await begin("many 2999", "many 2998");
  const rowsCount = Number(await page.getByRole("grid").getAttribute("aria-rowcount"));
  expect(rowsCount).toBeGreaterThan(500);
  expect(rowsCount).toBeLessThanOrEqual(2001);

  await page.reload();
  await begin("many 2999");
  visit.check();
});

test("lists follow what others change, and an idle page asks for nothing", async () => {
  await follow(page, "/ui/streams");
  await page.getByRole("link", { name: "orders" }).waitFor();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await root.createStream("audit");
  await page.getByRole("link", { name: "audit" }).waitFor();
  await root.updateStream("audit", "ledger");
  await page.getByRole("link", { name: "ledger" }).waitFor();
  await page.getByRole("link", { name: "ledger" }).click();
  await page.getByText("This stream has no topics yet").waitFor();
  await root.createTopic("ledger", { name: "entries", partitionsCount: 1 });
  await page.getByRole("link", { name: "entries" }).waitFor();
  expect(requests.filter((url) => !url.includes("/ui/assets/"))).toEqual([]);
  visit.check();
});

test("a broker that is gone is said, what is shown stays, and it goes on by itself", async () => {
  await follow(page, "/ui/streams/orders");
  await page.getByRole("link", { name: "payments" }).waitFor();
  const overview = await visit.open("/ui/overview");
  await overview.getByText("Healthy. Nothing to do.").waitFor();
  await overview.getByText("connected", { exact: true }).waitFor();
  const message = await visit.open("/ui/streams/orders/topics/payments/messages/0/0");
  await message.getByText("before").waitFor();
  const port = server.portOf("http");
  await server.kill();
  await page.getByRole("alert").getByText("No answer from the broker").waitFor();
  expect(await page.getByRole("link", { name: "payments" }).count()).toBe(1);
  await overview.getByText("The health is not known").waitFor();
  expect(await overview.getByText("Healthy").count()).toBe(0);
  await server.restart({ env: { IGGY_HTTP_ADDRESS: `127.0.0.1:${port}` } });
  // Its tokens went with it: somebody has to sign in, over the page.
  await page.getByRole("dialog").getByText("The session has ended").waitFor();
  await message.getByRole("dialog").getByText("The session has ended").waitFor();
  await message.getByText("before").waitFor({ state: "detached" });
  await signIn(page);
  await page.getByText("connected", { exact: true }).waitFor();
  await page.getByRole("link", { name: "payments" }).waitFor();
  await visit.end([/WebSocket connection to .* failed/, /ERR_CONNECTION_(?:REFUSED|RESET)/, /ERR_EMPTY_RESPONSE/]);
});
