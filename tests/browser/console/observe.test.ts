// How the broker does, over time: charts that can be seen, walked through with keys and read as tables, and that say when the broker
// was not there.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { eventually } from "../../support/process-facts.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, follow, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start({ shards: 2 });
const browser = await ConsoleBrowser.start(server);
const { visit, page } = await browser.signedIn("/ui/overview?range=15m");

/** Windows that nobody touches while the first tests run, and what they ask for meanwhile. */
const overview = await visit.open("/ui/overview?range=15m");
const newest = () => chart(overview, "Memory").getByRole("slider").getAttribute("aria-valuetext");
await newest();
const log = await visit.open("/ui/log");
await log.getByText("whippet is running").waitFor();
const serverPage = await visit.open("/ui/server");
await serverPage.getByRole("rowheader", { name: "tcp.enabled" }).waitFor();
const idle = [overview, log, serverPage];
const asked: string[] = [];
for (const window of idle) window.on("request", (request) => asked.push(request.url()));
const firstPoint = await newest();

function chart(page: Page, title: string) {
  return page.getByRole("figure", { name: title });
}

test("charts show the range of the address, go on by themselves, and are there for keys and readers", async () => {
  const memory = chart(page, "Memory");
  await memory.getByRole("slider").waitFor();
  // Keys walk through the points, and each says itself.
  const slider = memory.getByRole("slider");
  await slider.focus();
  const newest = Number(await slider.getAttribute("aria-valuemax"));
  await page.keyboard.press("Home");
  expect(await slider.getAttribute("aria-valuenow")).toBe("0");
  await page.keyboard.press("End");
  expect(Number(await slider.getAttribute("aria-valuenow"))).toBeGreaterThanOrEqual(newest);
  expect(await slider.getAttribute("aria-valuetext")).toMatch(/^\d\d:\d\d:\d\d: memory .+/);
  await page.keyboard.press("ArrowLeft");
  expect(Number(await slider.getAttribute("aria-valuenow"))).toBeGreaterThanOrEqual(newest - 1);
  await page.keyboard.press("Escape");
  await memory.getByText(/^Highest: memory .+ at \d\d:\d\d:\d\d\.$/).waitFor();
  await memory.getByText("As a table").click();
  await memory.getByRole("table").getByRole("row").nth(1).waitFor();

  await page.getByRole("button", { name: "24 hours" }).click();
  await eventually(
    "the address",
    () => Promise.resolve(page.url()),
    (url) => url.endsWith("/ui/overview?range=24h"),
  );
  expect(await page.getByRole("button", { name: "24 hours" }).getAttribute("aria-pressed")).toBe("true");
  await page.reload();
  await memory.getByRole("slider").waitFor();
  expect(await page.getByRole("button", { name: "24 hours" }).getAttribute("aria-pressed")).toBe("true");
  expect(await findings(page)).toEqual([]);
  // In the dark and without colours there is nothing that cannot be read either.
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await findings(page, ["color-contrast"])).toEqual([]);
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  expect(await findings(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: null, forcedColors: null, reducedMotion: null });
  await page.setViewportSize({ width: 320, height: 800 });
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  await page.setViewportSize({ width: 1280, height: 800 });
  visit.check();
});

test("a topic shows what was sent to it when somebody asks, and nothing before", async () => {
  const root = await server.connect();
  await root.createStream("orders");
  await root.createTopic("orders", { name: "payments", partitionsCount: 2 });
  const messages = Array.from({ length: 50 }, () => ({ payload: new Uint8Array(100) }));
  await follow(page, "/ui/streams/orders/topics/payments/messages");
  await page.getByText("This topic has no messages yet").waitFor();
  await root.sendMessages({ stream: "orders", topic: "payments", messages });
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.getByText("Over time").click();
  await chart(page, "Size").getByRole("slider").waitFor();
  expect(requests.filter((url) => url.includes("/ui/api/history")).length).toBe(1);
  // A look at the topics comes every few seconds: what it found is there when the charts are opened again.
  await eventually(
    "the size",
    async () => {
      await page.keyboard.press("r");
      return await chart(page, "Size")
        .getByText(/^Highest: size .+ at/)
        .count();
    },
    (count) => count === 1,
  );
  expect(await findings(page)).toEqual([]);
  visit.check();
  root.close();
});

test("an idle console asks for nothing, on any page that shows how the broker does", async () => {
  // Points go on: the samples come on the socket.
  await eventually("another point", newest, (text) => text?.slice(0, 8) !== firstPoint?.slice(0, 8));
  expect(asked).toEqual([]);
  for (const window of idle) await window.close();
  visit.check();
});

test("a broker that was down has its charts again, with the gap, and says that it has another console", async () => {
  await follow(page, "/ui/overview?range=15m");
  await chart(page, "Memory").getByRole("slider").waitFor();
  const old = await visit.open("/ui/streams");
  await old.getByText("connected", { exact: true }).waitFor();
  // As after an update: the files of the page are others.
  await old.route("**/ui/api/hello", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), assets: "another" } });
  });
  const port = server.portOf("http");
  await server.stop();
  await page.getByRole("alert").getByText("No answer from the broker").waitFor();
  await server.restart({ env: { IGGY_HTTP_ADDRESS: `127.0.0.1:${port}` } });
  await page.getByRole("dialog").getByText("The session has ended").waitFor();
  await signIn(page);
  await chart(page, "Memory")
    .getByText(/gaps?: nothing was measured from .+ to .+/)
    .waitFor();
  expect(await page.locator(".chart .gap").count()).toBeGreaterThan(0);

  await old.getByRole("dialog").getByText("The session has ended").waitFor();
  await signIn(old);
  await old.getByRole("alert").getByText("Whippet was updated").waitFor();
  await old.unroute("**/ui/api/hello");
  await old.getByRole("button", { name: "Reload" }).click();
  await old.getByText("connected", { exact: true }).waitFor();
  expect(await old.getByText("Whippet was updated").count()).toBe(0);
  await visit.end([/WebSocket connection to .* failed/, /ERR_CONNECTION_(?:REFUSED|RESET)/, /ERR_EMPTY_RESPONSE/]);
});
