// The page of the server in a real browser: what runs where, and which settings are not as by default.
import { expect, setDefaultTimeout, test } from "bun:test";
import { useServers } from "../../support/server.ts";
import { ConsoleBrowser, findings, signIn } from "./console-browser.ts";

setDefaultTimeout(180_000);

const servers = useServers();
const server = await servers.start({ shards: 2, env: { IGGY_HTTP_WEB_UI_LABEL: "staging" } });
const browser = await ConsoleBrowser.start(server);

test("shows process, machine, addresses, shards and settings, changed ones first", async () => {
  const visit = await browser.visit();
  const page = await visit.open("/ui/server");
  await signIn(page);
  await page.getByText(`127.0.0.1:${server.portOf("http")}`).waitFor();
  await page.getByRole("rowheader", { name: "1", exact: true }).waitFor(); // the other shard
  const changed = page.getByRole("region", { name: "Not as by default" });
  const label = changed.getByRole("row").filter({ hasText: "http.web_ui_label" });
  await label.getByText('"staging"').waitFor();
  expect(await label.getByRole("cell").nth(1).textContent()).toBe("environment");
  expect(await findings(page)).toEqual([]);

  await page.getByLabel("Filter").fill("history");
  await page.getByRole("rowheader", { name: "observability.history.memory" }).waitFor();
  expect(await page.getByRole("rowheader", { name: "tcp.enabled" }).count()).toBe(0);
  expect(page.url()).toEndWith("/ui/server?q=history");
  await page.reload();
  await page.getByRole("rowheader", { name: "observability.history.memory" }).waitFor();
  expect(await page.getByLabel("Filter").inputValue()).toBe("history");

  await page.setViewportSize({ width: 320, height: 800 });
  expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await findings(page, ["color-contrast"])).toEqual([]);
  await visit.end();
});
