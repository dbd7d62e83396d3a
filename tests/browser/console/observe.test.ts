// How the broker does, over time: charts that can be seen, walked through with keys and read as tables, and that say when the broker
// was not there.
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Page } from "playwright-core";
import { eventually } from "../../support/process-facts.ts";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start({ shards: 2 });
const browser = await ConsoleBrowser.start(server);

function chart(page: Page, title: string) {
  return page.getByRole("figure", { name: title });
}

async function fitsIn(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 800 });
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
}

test("charts show the range of the address, go on by themselves, and are there for keys and readers", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui/overview?range=15m");
  await signIn(page);
  const memory = chart(page, "Memory");
  await memory.getByRole("slider").waitFor();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));

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

  // New points come without a question.
  const newestText = () => slider.getAttribute("aria-valuetext");
  const before = await newestText();
  await eventually("another point", newestText, (text) => text?.slice(0, 8) !== before?.slice(0, 8));
  expect(requests).toEqual([]);

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
  await fitsIn(page, 320);
  await visit.end();
});

test("charts in the dark have nothing that cannot be read, and need no colours", async () => {
  const visit = await browser.visit({ colorScheme: "dark" });
  const page = await visit.open("/ui/overview");
  await signIn(page);
  await chart(page, "Memory").getByRole("slider").waitFor();
  expect(await findings(page)).toEqual([]);
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  expect(await findings(page)).toEqual([]);
  await visit.end();
});

test("after the broker was down its charts are there again, with the gap", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui/overview?range=15m");
  await signIn(page);
  await chart(page, "Memory").getByRole("slider").waitFor();
  const port = server.portOf("http");
  await server.stop();
  await page.getByRole("alert").getByText("No answer from the broker").waitFor();
  await server.restart({ env: { IGGY_HTTP_ADDRESS: `127.0.0.1:${port}` } });
  await page.getByRole("dialog").getByText("The session has ended").waitFor();
  await signIn(page);
  await chart(page, "Memory")
    .getByText(/1 gap: nothing was measured from .+ to .+/)
    .waitFor();
  expect(await page.locator(".chart .gap").count()).toBeGreaterThan(0);
  await visit.end([/WebSocket connection to .* failed/, /ERR_CONNECTION_(?:REFUSED|RESET)/, /ERR_EMPTY_RESPONSE/]);
});
